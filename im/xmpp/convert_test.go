package xmpp

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"hark/im"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testView() view {
	return view{own: "ana@example.org", full: "ana@example.org/hark", now: func() time.Time { return noon },
		name: func(bare string) string { return map[string]string{"ben@example.org": "Ben"}[bare] }}
}

// parse reads one stanza as it stands in a stream.
func parse(s string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(streamHead + s))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	start, ok := token.(xml.StartElement)
	if !ok {
		return nil, errText
	}
	b := builder{d: d}
	return b.element(start, maxDepth)
}

func TestRead(t *testing.T) {
	const (
		ben   = "<message from='ben@example.org/phone' to='ana@example.org' id='m1' type='chat'>"
		inner = "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-02-28T10:00:00Z'/>"
	)
	message := func(change func(*im.Message)) *im.Message {
		m := &im.Message{Origin: "ben@example.org/m1", ID: "m1", From: address("ben@example.org"), To: address("ana@example.org"),
			Name: "Ben", Body: "hello", Sent: noon}
		change(m)
		return m
	}
	same := func(*im.Message) {}
	for name, c := range map[string]struct {
		stanza  string
		message *im.Message
		other   any // a delivery or a chat state
	}{
		"plain":        {ben + "<body>hello</body></message>", message(same), nil},
		"empty":        {ben + "<body/></message>", nil, nil},
		"archived id":  {ben + "<body>hello</body><stanza-id xmlns='urn:xmpp:sid:0' by='ana@example.org' id='a7'/></message>", message(func(m *im.Message) { m.Origin = "a7" }), nil},
		"delayed":      {ben + "<body>hello</body><delay xmlns='urn:xmpp:delay' stamp='2026-02-28T10:00:00.5Z'/></message>", message(func(m *im.Message) { m.Sent = time.Date(2026, 2, 28, 10, 0, 0, 5e8, time.UTC) }), nil},
		"from future":  {ben + "<body>hello</body><delay xmlns='urn:xmpp:delay' stamp='2036-02-28T10:00:00Z'/></message>", message(same), nil},
		"languages":    {ben + "<body xml:lang='de'>hallo</body><body>hello</body></message>", message(same), nil},
		"one language": {ben + "<body xml:lang='de'>hallo</body></message>", message(func(m *im.Message) { m.Body = "hallo" }), nil},
		"reply":        {ben + "<body>hello</body><reply xmlns='urn:xmpp:reply:0' id='q1'/></message>", message(func(m *im.Message) { m.ReplyTo = "q1" }), nil},
		"link": {ben + "<body>https://x.org/v.ogg</body><x xmlns='jabber:x:oob'><url>https://x.org/v.ogg</url><desc>Note</desc></x></message>",
			message(func(m *im.Message) {
				m.Body = "https://x.org/v.ogg"
				m.Attachments = []im.Attachment{{URL: "https://x.org/v.ogg", Type: "audio/ogg", Title: "Note"}}
			}), nil},
		"link without body": {ben + "<x xmlns='jabber:x:oob'><url>http://x.org/a.MP3</url></x></message>",
			message(func(m *im.Message) {
				m.Body = "http://x.org/a.MP3"
				m.Attachments = []im.Attachment{{URL: "http://x.org/a.MP3", Type: "audio/mpeg"}}
			}), nil},
		"choices": {ben + "<body>Dinner?</body><response xmlns='urn:xmpp:tmp:quick-response' value='yes' label='Gladly'/>" +
			"<response xmlns='urn:xmpp:tmp:quick-response' value='no'/><response xmlns='urn:xmpp:tmp:quick-response' label='nothing'/></message>",
			message(func(m *im.Message) {
				m.Body, m.Choices = "Dinner?", []im.Choice{{Label: "Gladly", Body: "yes"}, {Label: "no", Body: "no"}}
			}), nil},
		"markable":    {ben + "<body>hello</body><markable xmlns='urn:xmpp:chat-markers:0'/></message>", message(func(m *im.Message) { m.Markable = true }), nil},
		"bad link":    {ben + "<body>hello</body><x xmlns='jabber:x:oob'><url>javascript:alert(1)</url></x></message>", message(same), nil},
		"too long":    {ben + "<body>" + strings.Repeat("ä", im.MaxBody) + "</body></message>", message(func(m *im.Message) { m.Body = strings.Repeat("ä", im.MaxBody/2) }), nil},
		"nickname":    {"<message from='zoe@x.org/1' id='m1'><body>hello</body><nick xmlns='http://jabber.org/protocol/nick'>Zoë</nick></message>", message(func(m *im.Message) { m.From, m.Origin, m.Name = address("zoe@x.org"), "zoe@x.org/m1", "Zoë" }), nil},
		"carbon in":   {"<message from='ana@example.org'><received xmlns='urn:xmpp:carbons:2'>" + inner + "<message xmlns='jabber:client' from='ben@example.org/phone' to='ana@example.org/desk' id='m1'><body>hello</body></message></forwarded></received></message>", message(same), nil},
		"carbon out":  {"<message from='ana@example.org'><sent xmlns='urn:xmpp:carbons:2'>" + inner + "<message xmlns='jabber:client' from='ana@example.org/desk' to='ben@example.org' id='m1'><body>hello</body></message></forwarded></sent></message>", message(func(m *im.Message) { m.Origin, m.From, m.To, m.Outgoing = "own:m1", m.To, m.From, true }), nil},
		"archive":     {"<message from='ana@example.org'><result xmlns='urn:xmpp:mam:2' id='a9'>" + inner + "<message xmlns='jabber:client' from='ben@example.org/phone' to='ana@example.org/desk' id='m1'><body>hello</body></message></forwarded></result></message>", message(func(m *im.Message) { m.Origin, m.Sent = "a9", time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC) }), nil},
		"failed":      {"<message from='ben@example.org' id='m1' type='error'><body>hello</body><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", nil, im.Delivery{ID: "m1", State: im.Failed, Reason: "There is no such address."}},
		"failed, how": {"<message from='ben@example.org' id='m1' type='error'/>", nil, im.Delivery{ID: "m1", State: im.Failed, Reason: "The message could not be delivered."}},
		"receipt":     {ben + "<received xmlns='urn:xmpp:receipts' id='o1'/></message>", nil, im.Delivery{ID: "o1", State: im.Delivered}},
		"displayed":   {ben + "<displayed xmlns='urn:xmpp:chat-markers:0' id='o1'/></message>", nil, im.Delivery{ID: "o1", State: im.Read}},
		"composing":   {ben + "<composing xmlns='http://jabber.org/protocol/chatstates'/></message>", nil, im.ChatState{From: address("ben@example.org"), Typing: true}},
		"gone":        {ben + "<gone xmlns='http://jabber.org/protocol/chatstates'/></message>", nil, im.ChatState{From: address("ben@example.org")}},
		"subject":     {ben + "<subject>x</subject></message>", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := parse(c.stanza)
			if err != nil {
				t.Fatal(err)
			}
			r := testView().read(e)
			if diff := cmp.Diff(c.message, r.message); diff != "" {
				t.Error(diff)
			}
			var other any
			if r.delivery != nil {
				other = *r.delivery
			} else if r.typing != nil {
				other = *r.typing
			}
			if other != c.other {
				t.Errorf("got %+v, not %+v", other, c.other)
			}
		})
	}
}

// TestWithoutID: two messages without any id are the same one only if text and time are.
func TestWithoutID(t *testing.T) {
	origin := func(s string) string {
		e, err := parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return testView().read(e).message.Origin
	}
	const at = "<delay xmlns='urn:xmpp:delay' stamp='2026-02-28T10:00:00Z'/>"
	one := origin("<message from='ben@example.org'><body>a</body>" + at + "</message>")
	again := origin("<message from='ben@example.org'><body>a</body>" + at + "</message>")
	other := origin("<message from='ben@example.org'><body>b</body>" + at + "</message>")
	if one != again || one == other {
		t.Errorf("origins %q, %q, %q", one, again, other)
	}
}

// FuzzElement checks that what is read and written is read as the same.
func FuzzElement(f *testing.F) {
	f.Add("<message a='&#10;&quot;' xml:lang='de'><body>x &lt; &#x1F600;</body><x xmlns='jabber:x:oob'/> tail</message>")
	f.Add("<a:b xmlns:a='c' a:d='e'><f xmlns=''/></a:b>")
	f.Add("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parse(s)
		if err != nil || !isPlainName(e.name.Local) {
			return
		}
		again, err := parse(string(e.bytes()))
		if err != nil {
			t.Fatalf("%q was written as %q: %v", s, e.bytes(), err)
		}
		if !bytes.Equal(e.bytes(), again.bytes()) {
			t.Errorf("%q was written as %q, then as %q", s, e.bytes(), again.bytes())
		}
	})
}

// FuzzRead checks what every message that comes out of a stanza has, and that reading never fails.
func FuzzRead(f *testing.F) {
	f.Add("<message from='ben@example.org/x' id='1'><body>hello</body><request xmlns='urn:xmpp:receipts'/></message>")
	f.Add("<message from='ana@example.org'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='b@c' from='ana@example.org/d'><body>x</body></message></forwarded></sent></message>")
	f.Add("<message from='ana@example.org'><result xmlns='urn:xmpp:mam:2' id='9'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/><message xmlns='jabber:client' from='b@c/d'><x xmlns='jabber:x:oob'><url>https://a/b.mp3</url></x></message></forwarded></result></message>")
	f.Add("<message type='error' from='b@c' id='1'><error><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parse(s)
		if err != nil {
			return
		}
		r := testView().read(e)
		if d := r.delivery; d != nil && (d.ID == "" || d.State == im.Failed && d.Reason == "") {
			t.Errorf("report %+v", d)
		}
		m := r.message
		if m == nil {
			return
		}
		if m.Origin == "" || m.Body == "" || len(m.Body) > im.MaxBody || !utf8.ValidString(m.Body) || m.Sent.After(noon) {
			t.Errorf("message %+v", m)
		}
		for _, a := range []im.Address{m.From, m.To} {
			if again, err := im.ParseAddress(a.String()); err != nil || again != a {
				t.Errorf("address %q: %v", a, err)
			}
		}
		if r.receipt != nil && (m.Outgoing || r.copied) {
			t.Error("a receipt for a copy")
		}
	})
}
