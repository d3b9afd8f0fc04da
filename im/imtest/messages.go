package imtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hark/im"
)

var messageCases = []testCase{
	{name: "bodies out", run: testBodiesOut},
	{name: "bodies in", run: testBodiesIn},
	{name: "control characters do no harm", run: testControl},
	{name: "what cannot be sent is refused", run: testRefused},
	{name: "order out", run: testOrderOut},
	{name: "order in", run: testOrderIn},
	{name: "origins", run: testOrigins},
	{name: "links out", run: testLinksOut},
	{name: "links in", run: testLinksIn},
	{name: "the same id is one message", run: testIdempotent},
	{name: "many senders at once", run: testSendersAtOnce},
	{name: "a slow sink stops nobody", run: testSlowSink},
}

// bodies are texts that must come through as they are.
var bodies = []string{
	"hello",
	"Grüße aus Köln, Ελλάδα, 東京, שלום",
	"emoji 👩‍👩‍👧‍👦 and a flag 🇪🇺",
	"combining e\u0301 and not é",
	`<b>&amp;</b> "quotes" 'single' ]]> <!-- x -->`,
	"two\nlines\tand a tab",
	"  space around  ",
	"$(p) ${x} %s %00 \\n {{.}}",
	"null", "0", "-",
	strings.Repeat("long ", 3000),
	strings.Repeat("ß", im.MaxBody/2),
}

func testBodiesOut(b *bench) {
	l := b.open(nil)
	for i, body := range bodies {
		l.send(im.Outgoing{ID: fmt.Sprintf("out-%d", i), Body: body})
		if m := b.peerGets(); m.Body != body {
			b.Errorf("the peer got %.60q, not %.60q", m.Body, body)
		}
	}
	l.close(im.Logout)
}

func testBodiesIn(b *bench) {
	l := b.open(nil)
	begin := time.Now()
	for i, body := range bodies {
		b.peerSends(im.Outgoing{ID: fmt.Sprintf("in-%d", i), Body: body})
	}
	for i, m := range l.messages(len(bodies)) {
		if m.Body != bodies[i] {
			b.Errorf("got %.60q, not %.60q", m.Body, bodies[i])
		}
		b.checkIncoming(m, fmt.Sprintf("in-%d", i), begin)
	}
	l.close(im.Logout)
}

// checkIncoming checks everything about a message but its body.
func (b *bench) checkIncoming(m im.Message, id string, begin time.Time) {
	b.Helper()
	if m.From != b.Peer.Address() || m.To != b.Account.Address() {
		b.Errorf("from %s to %s, not from %s to %s", m.From, m.To, b.Peer.Address(), b.Account.Address())
	}
	if m.ID != id || m.Origin == "" || m.Outgoing {
		b.Errorf("id %q, origin %q, outgoing %v, not id %q, some origin, false", m.ID, m.Origin, m.Outgoing, id)
	}
	if m.Sent.Before(begin.Add(-time.Minute)) || m.Sent.After(time.Now().Add(time.Minute)) || m.Sent.Location() != time.UTC {
		b.Errorf("sent at %s", m.Sent)
	}
}

func testControl(b *bench) {
	l := b.open(nil)
	l.send(im.Outgoing{ID: "control", Body: "a\x00b\x07c\x1bd\x7fe\uffff\xff"})
	got := b.peerGets().Body
	rest := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, got)
	if rest != "abcde" {
		b.Errorf("the peer got %q", got)
	}
	l.send(im.Outgoing{ID: "after", Body: "after"})
	if m := b.peerGets(); m.Body != "after" {
		b.Errorf("the peer got %q next", m.Body)
	}
	l.close(im.Logout)
}

func testRefused(b *bench) {
	l := b.open(nil)
	peer := b.Peer.Address()
	for what, m := range map[string]im.Outgoing{
		"an empty message": {ID: "1", To: peer},
		"no id":            {To: peer, Body: "x"},
		"too long":         {ID: "2", To: peer, Body: strings.Repeat("x", im.MaxBody+1)},
		"another network":  {ID: "3", To: im.Address{Network: "nowhere", ID: peer.ID}, Body: "x"},
		"no address":       {ID: "4", Body: "x"},
	} {
		if err := l.conn.Send(b.ctx, m); err == nil {
			b.Errorf("%s: sent", what)
		} else {
			b.class(err, im.Policy)
		}
	}
	l.send(im.Outgoing{ID: "5", Body: "fine"})
	if m := b.peerGets(); m.Body != "fine" {
		b.Errorf("the peer got %q", m.Body)
	}
	l.close(im.Logout)
}

const many = 50

func testOrderOut(b *bench) {
	l := b.open(nil)
	for i := range many {
		l.send(im.Outgoing{ID: fmt.Sprintf("o%d", i), Body: fmt.Sprint(i)})
	}
	for i := range many {
		if m := b.peerGets(); m.Body != fmt.Sprint(i) {
			b.Fatalf("the peer got %q in place %d", m.Body, i)
		}
	}
	l.close(im.Logout)
}

func testOrderIn(b *bench) {
	l := b.open(nil)
	b.flood(many)
	b.checkFlood(l.messages(many), many)
	l.close(im.Logout)
}

// flood lets the peer send n messages that say which one they are.
func (b *bench) flood(n int) {
	b.Helper()
	for i := range n {
		b.peerSends(im.Outgoing{ID: fmt.Sprintf("f%d", i), Body: fmt.Sprint(i)})
	}
}

// inOrder sorts the messages of a flood if the network may hand them over in any order.
func (b *bench) inOrder(got []im.Message) []im.Message {
	if b.disorder {
		slices.SortFunc(got, func(a, b im.Message) int { return cmp.Or(len(a.Body)-len(b.Body), strings.Compare(a.Body, b.Body)) })
	}
	return got
}

func (b *bench) checkFlood(got []im.Message, n int) {
	b.Helper()
	if len(got) != n {
		b.Errorf("%d messages, not %d", len(got), n)
	}
	for i, m := range got {
		if m.Body != fmt.Sprint(i) {
			b.Fatalf("got %q in place %d", m.Body, i)
		}
	}
}

func testOrigins(b *bench) {
	l := b.open(nil)
	seen := map[string]bool{}
	for i := range 3 {
		b.peerSends(im.Outgoing{ID: fmt.Sprintf("same-%d", i), Body: "the same text"})
	}
	for _, m := range l.messages(3) {
		if m.Origin == "" || seen[m.Origin] {
			b.Errorf("origin %q is empty or not unique", m.Origin)
		}
		seen[m.Origin] = true
	}
	l.close(im.Logout)
}

var link = im.Attachment{URL: "https://hark.example.org/a/3kX0?x=1&y=2#t", Title: "Voice message"}

func testLinksOut(b *bench) {
	l := b.open(nil)
	l.send(im.Outgoing{ID: "voice", Body: link.URL, Attachments: []im.Attachment{link}})
	m := b.peerGets()
	if len(m.Attachments) != 1 || m.Attachments[0].URL != link.URL || m.Body != link.URL {
		b.Errorf("the peer got body %q, attachments %v", m.Body, m.Attachments)
	}
	l.send(im.Outgoing{ID: "both", Body: "listen", Attachments: []im.Attachment{link}})
	if m := b.peerGets(); m.Body != "listen" || len(m.Attachments) != 1 {
		b.Errorf("the peer got body %q, attachments %v", m.Body, m.Attachments)
	}
	l.close(im.Logout)
}

func testLinksIn(b *bench) {
	l := b.open(nil)
	audio := im.Attachment{URL: "https://example.org/upload/Note%20one.mp3?sig=1", Type: "audio/mpeg"}
	b.peerSends(im.Outgoing{ID: "v1", Body: audio.URL, Attachments: []im.Attachment{audio}})
	b.peerSends(im.Outgoing{ID: "v2", Body: "no link, only https://example.org/x.mp3"})
	got := l.messages(2)
	if m := got[0]; m.Body != audio.URL || len(m.Attachments) != 1 || m.Attachments[0].URL != audio.URL || !m.Attachments[0].IsAudio() {
		b.Errorf("got body %q, attachments %+v", m.Body, m.Attachments)
	}
	if m := got[1]; len(m.Attachments) != 0 {
		b.Errorf("a link in the text became the attachment %+v", m.Attachments)
	}
	l.close(im.Logout)
}

func testIdempotent(b *bench) {
	l := b.open(nil)
	for range 3 {
		l.send(im.Outgoing{ID: "once", Body: "once"})
	}
	l.send(im.Outgoing{ID: "then", Body: "then"})
	if first, second := b.peerGets().Body, b.peerGets().Body; first != "once" || second != "then" {
		b.Errorf("the peer got %q and %q", first, second)
	}
	l.close(im.Logout)
}

func testSendersAtOnce(b *bench) {
	l := b.open(nil)
	var senders sync.WaitGroup
	for i := range 10 {
		senders.Go(func() {
			m := im.Outgoing{ID: fmt.Sprintf("s%d", i), To: b.Peer.Address(), Body: fmt.Sprint(i)}
			if err := l.conn.Send(b.ctx, m); err != nil {
				b.Errorf("Send: %v", err)
			}
		})
	}
	senders.Wait()
	got := map[string]bool{}
	for range 10 {
		got[b.peerGets().Body] = true
	}
	if len(got) != 10 {
		b.Errorf("the peer got %d different messages, not 10", len(got))
	}
	l.close(im.Logout)
}

// testSlowSink blocks the sink while more arrives than any buffer of events should hold. What the user sends and asks
// for meanwhile must go through, and nothing may be lost or out of order.
func testSlowSink(b *bench) {
	gate := make(chan struct{})
	l := b.openGated(nil, gate)
	const n = 400
	b.flood(n)
	l.send(im.Outgoing{ID: "meanwhile", Body: "meanwhile"})
	if m := b.peerGets(); m.Body != "meanwhile" {
		b.Errorf("the peer got %q", m.Body)
	}
	if editor, ok := l.conn.(im.RosterEditor); ok {
		c := im.Contact{Address: b.Peer.Address(), Name: "Renamed"}
		if err := editor.AddContact(b.ctx, c); err != nil {
			b.Errorf("AddContact while the sink blocks: %v", err)
		}
	}
	close(gate)
	b.checkFlood(b.inOrder(l.messages(n)), n) // the login is still appearing when they are sent
	l.close(im.Logout)
}
