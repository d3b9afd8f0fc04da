package xmpp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// A fake is the server's end of a Conn that is already logged in. It is played by the test, inside synctest, so that
// silence costs no time.
type fake struct {
	*testing.T
	net.Conn
	r      *bufio.Reader
	conn   *Conn
	events chan im.Event
	all    bool // everything that the Conn writes is read
}

// play runs a test against a Conn whose login ended as l says.
func play(t *testing.T, l *login, test func(*fake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		f := &fake{T: t, Conn: far, r: bufio.NewReader(far), events: make(chan im.Event, 1000)}
		if l.account.ID == "" {
			l.own, l.jid = jid.MustParse("ana@example.org"), jid.MustParse("ana@example.org/hark")
		}
		f.conn = newConn(new(Service), newWire(near), l, im.SinkFunc(func(e im.Event) { f.events <- e }))
		f.conn.start(l)
		test(f)
		f.hears()
		if err := f.conn.Close(context.Background(), im.Keep); err != nil {
			t.Error(err)
		}
		far.Close()
	})
}

// managed is a fresh login with stream management.
func managed() *login { return &login{sm: true, id: "s1"} }

// say writes to the Conn.
func (f *fake) say(format string, args ...any) {
	f.Helper()
	if _, err := fmt.Fprintf(f.Conn, format, args...); err != nil {
		f.Fatal(err)
	}
}

// until reads what the Conn writes until the text has come.
func (f *fake) until(text string) string {
	f.Helper()
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		b, err := f.r.ReadByte()
		if err != nil {
			f.Fatalf("%v after %q, waiting for %q", err, got.String(), text)
		}
		got.WriteByte(b)
	}
	return got.String()
}

// hears reads everything that the Conn writes from now on, for tests that only look at events.
func (f *fake) hears() {
	if !f.all {
		f.all = true
		go func() { _, _ = io.Copy(io.Discard, f.r) }()
	}
}

// login reads what the Conn asks for at the start.
func (f *fake) login() string {
	f.Helper()
	return f.until("</iq><r xmlns='urn:xmpp:sm:3'/>")
}

// body returns the next event's body.
func (f *fake) body() any { return (<-f.events).Body }

// over returns the error of the State event, which must be the next one.
func (f *fake) over() *im.Error {
	f.Helper()
	body := f.body()
	s, ok := body.(im.State)
	if !ok || s.Err == nil {
		f.Fatalf("got %T %+v, not a failure", body, body)
	}
	return s.Err
}

func TestSilentServerIsNoticed(t *testing.T) {
	play(t, managed(), func(f *fake) {
		begin := time.Now()
		f.login()
		f.until("<r xmlns='urn:xmpp:sm:3'/>")
		if silence := time.Since(begin); silence != 90*time.Second {
			t.Errorf("asked for a sign of life after %s", silence)
		}
		f.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")
		f.until("<r xmlns='urn:xmpp:sm:3'/>")
		if err := f.over(); err.Class != im.Network {
			t.Errorf("class %s", err.Class)
		}
		if took := time.Since(begin); took != (90+90+30)*time.Second {
			t.Errorf("noticed after %s", took)
		}
	})
}

// TestWithoutStreamManagement: a ping after each message takes the place of <r/>, and its answer, even an error, that
// of <a/>.
func TestWithoutStreamManagement(t *testing.T) {
	play(t, &login{}, func(f *fake) {
		go func() {
			m := im.Outgoing{ID: "m1", To: im.Address{Network: im.XMPP, ID: "ben@example.org"}, Body: "x"}
			if err := f.conn.Send(context.Background(), m); err != nil {
				t.Error(err)
			}
		}()
		f.until("id='m1'")
		written := f.until("<ping xmlns='urn:xmpp:ping'/></iq>")
		_, id, _ := strings.Cut(written, "<iq type='get' id='")
		id, _, _ = strings.Cut(id, "'")
		f.hears()
		f.say("<iq type='error' id='%s' from='ana@example.org'><error type='cancel'><service-unavailable xmlns='%s'/></error></iq>", id, nsStanzas)
		if d := f.body(); d != any(im.Delivery{ID: "m1", State: im.Sent}) {
			t.Errorf("got %+v", d)
		}
	})
}

// TestBadStreams are streams that no server may send: each ends the Conn with its class, and those that cannot be read
// are not resumed, because they would come again.
func TestBadStreams(t *testing.T) {
	huge := "<message from='ben@example.org'><body>" + strings.Repeat("x", maxSkipped)
	for name, c := range map[string]struct {
		stream string
		class  im.Class
	}{
		"too large":         {huge, im.Protocol},
		"endless attribute": {"<message a='" + strings.Repeat("x", maxSkipped), im.Protocol},
		"too deep":          {strings.Repeat("<a>", maxSkipped), im.Protocol},
		"a DTD":             {"<!DOCTYPE x [<!ENTITY a 'b'>]><message/>", im.Protocol},
		"an entity":         {"<message><body>&a;</body></message>", im.Protocol},
		"a comment":         {"<message><!-- x --></message>", im.Protocol},
		"an instruction":    {"<?php x ?>", im.Protocol},
		"not XML":           {"GET / HTTP/1.1\r\n\r\n", im.Protocol},
		"wrong end tag":     {"<message></presence>", im.Protocol},
		"too many acks":     {"<a xmlns='urn:xmpp:sm:3' h='4000'/>", im.Protocol},
		"conflict":          {streamErrorXML("conflict"), im.Conflict},
		"shutdown":          {streamErrorXML("system-shutdown"), im.Network},
		"unknown error":     {streamErrorXML("made-up"), im.Protocol},
		"closed":            {"</stream:stream>", im.Network},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, managed(), func(f *fake) {
				f.hears()
				go func() { _, _ = io.WriteString(f.Conn, c.stream) }()
				begin := time.Now()
				if err := f.over(); err.Class != c.class {
					t.Errorf("class %s (%v), not %s", err.Class, err, c.class)
				}
				if took := time.Since(begin); took > time.Second {
					t.Errorf("noticed after %s", took)
				}
				s, err := parseResume(f.conn.Resume(), f.conn.ownJID(t))
				if err != nil || (s.ID == "") != (c.class == im.Protocol) {
					t.Errorf("would be resumed with id %q (%v)", s.ID, err)
				}
			})
		})
	}
}

func streamErrorXML(condition string) string {
	return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
}

func (c *Conn) ownJID(t *testing.T) jid.JID {
	t.Helper()
	j, err := jid.Parse(c.own)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// TestStrangeStanzas are stanzas that a stranger may get past his server and ours. They are forgotten, but counted, and
// nobody's login ends by them.
func TestStrangeStanzas(t *testing.T) {
	const from = "<message from='eve@example.com' id='1'>"
	for name, stanza := range map[string]string{
		"deep":      from + "<body>x</body>" + strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000) + "</message>",
		"large":     from + "<body>" + strings.Repeat("x", maxStanza) + "</body></message>",
		"many":      from + strings.Repeat("<a/>", maxStanza/4) + "<body>x</body></message>",
		"attribute": "<message from='eve@example.com' a='" + strings.Repeat("x", maxStanza) + "'><body>x</body></message>",
		"nothing":   "<message/>",
		"unknown":   "<nonsense/>",
		"iq":        "<iq type='get'/>",
		"presence":  "<presence from='' type='subscribe'/>",
	} {
		t.Run(name, func(t *testing.T) {
			play(t, managed(), func(f *fake) {
				f.hears()
				f.say("%s<message from='ben@example.org' id='2'><body>real</body></message>", stanza)
				e := <-f.events
				if m, ok := e.Body.(im.Message); !ok || m.Body != "real" {
					t.Errorf("got %.200v", e.Body)
				}
				s, err := parseResume(e.Resume, f.conn.ownJID(t))
				if err != nil || s.In != 2 {
					t.Errorf("resumes from %d (%v)", s.In, err)
				}
			})
		})
	}
}

// TestNames: an element whose name cannot be written again is left out, and the message stays.
func TestNames(t *testing.T) {
	e, err := parse("<message from='b@c' id='1'><a:0 xmlns:a='x'><body>no</body></a:0><body>yes</body></message>")
	if err != nil {
		t.Fatal(err)
	}
	if r := testView().read(e); r.message == nil || r.message.Body != "yes" || len(e.kids) != 1 {
		t.Errorf("got %+v", r)
	}
}

// TestDeepStanzaIsCheap is threat T19: the cost is that of reading the tags, about a microsecond each. The bound leaves
// room for a busy machine.
func TestDeepStanzaIsCheap(t *testing.T) {
	const deep = 20000
	begin := time.Now()
	r := newStanzaReader(newWire(&memory{Reader: strings.NewReader(
		"<message>" + strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep) + "</message>")}))
	e, err := r.next()
	if err != nil || len(e.kids) != 0 {
		t.Errorf("got %+v, %v", e, err)
	}
	took := time.Since(begin)
	t.Logf("%d levels in %s", deep, took)
	if took > 500*time.Millisecond {
		t.Errorf("%d levels took %s", deep, took)
	}
}

// A memory is a connection that only reads.
type memory struct {
	net.Conn
	io.Reader
}

func (m *memory) Read(p []byte) (int, error) { return m.Reader.Read(p) }

// TestWhiteSpaceIsFree: keepalives of white space for years do not use up a stanza's allowance.
func TestWhiteSpaceIsFree(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_, _ = io.WriteString(far, strings.Repeat(" \r\n", maxStanza)+"<message id='1'/>\n"+strings.Repeat(" ", maxStanza)+"<message id='2'/>")
		far.Close()
	}()
	r := newStanzaReader(newWire(near))
	for _, want := range []string{"1", "2"} {
		if e, err := r.next(); err != nil || e.attr("id") != want {
			t.Fatalf("got %+v, %v", e, err)
		}
	}
}

// TestAcknowledgesOnlyWhatIsKept looks at the h that the server is told.
func TestAcknowledgesOnlyWhatIsKept(t *testing.T) {
	play(t, managed(), func(f *fake) {
		f.login()
		for _, id := range []string{"1", "2"} {
			f.say("<message from='ben@example.org/x' id='%s'><body>%s</body></message>", id, id)
		}
		first, second := <-f.events, <-f.events
		f.say("<r xmlns='urn:xmpp:sm:3'/>")
		f.until("<a xmlns='urn:xmpp:sm:3' h='0'/>")
		for pos, h := range map[im.Position]string{first.Pos: "1", second.Pos: "2"} {
			s, err := parseResume(map[string]im.Event{"1": first, "2": second}[h].Resume, f.conn.ownJID(t))
			if err != nil || utoa(s.In) != h {
				t.Errorf("event %d resumes from %d (%v), not %s", pos, s.In, err, h)
			}
		}
		f.conn.Ack(first.Pos)
		f.until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
		f.conn.Ack(second.Pos)
		f.until("<a xmlns='urn:xmpp:sm:3' h='2'/>")
	})
}

// TestAnswersWhenKept: the server's request is answered once, when what came before it is kept, or after a while.
func TestAnswersWhenKept(t *testing.T) {
	const message, request = "<message from='ben@example.org/x' id='%s'><body>x</body></message>", "<r xmlns='urn:xmpp:sm:3'/>"
	play(t, managed(), func(f *fake) {
		f.login()
		f.say(message+request, "1")
		e := <-f.events
		time.Sleep(owedAtMost / 2)
		f.conn.Ack(e.Pos)
		if wrote := f.until("<a xmlns='urn:xmpp:sm:3' h='1'/>"); strings.Contains(wrote, "h='0'") {
			t.Errorf("wrote %s", wrote)
		}
		f.say(message+request, "2")
		begin := time.Now()
		if f.until("<a xmlns='urn:xmpp:sm:3' h='1'/>"); time.Since(begin) != owedAtMost {
			t.Errorf("answered after %s", time.Since(begin))
		}
		f.conn.Ack((<-f.events).Pos)
		f.until("<a xmlns='urn:xmpp:sm:3' h='2'/>")
		f.say("<presence from='ben@example.org/x'/>" + request)
		begin = time.Now()
		if f.until("<a xmlns='urn:xmpp:sm:3' h='2'/>"); time.Since(begin) != 0 {
			t.Errorf("presence made the answer wait for %s", time.Since(begin))
		}
	})
}

// TestSilentTrafficMovesOn: stanzas that mean nothing to the user are acknowledged by way of Progress events.
func TestSilentTrafficMovesOn(t *testing.T) {
	play(t, managed(), func(f *fake) {
		f.hears()
		for range maxSilent {
			f.say("<message from='ben@example.org'><unknown xmlns='x:y'/></message>")
		}
		if body := f.body(); body != any(im.Progress{}) {
			t.Errorf("got %T", body)
		}
	})
}

// TestForgeries are stanzas by which a stranger would speak for the user's own server or account.
func TestForgeries(t *testing.T) {
	carbon := "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='ben@example.org/x' to='ana@example.org' id='9'><body>forged</body></message></forwarded>"
	for name, stanza := range map[string]string{
		"carbon received": "<message from='eve@example.com'><received xmlns='urn:xmpp:carbons:2'>" + carbon + "</received></message>",
		"carbon sent":     "<message from='eve@example.com/r'><sent xmlns='urn:xmpp:carbons:2'>" + carbon + "</sent></message>",
		"archive":         "<message from='eve@example.com'><result xmlns='urn:xmpp:mam:2' id='1'>" + carbon + "</result></message>",
		"unasked archive": "<message from='ana@example.org'><result xmlns='urn:xmpp:mam:2' id='1' queryid='q'>" + carbon + "</result></message>",
		"roster push":     "<iq type='set' id='1' from='eve@example.com'><query xmlns='jabber:iq:roster'><item jid='eve@example.com'/></query></iq>",
		"room":            "<message type='groupchat' from='room@example.com/eve'><body>x</body></message>",
		"no address":      "<message from='@@'><body>x</body></message>",
	} {
		t.Run(name, func(t *testing.T) {
			play(t, managed(), func(f *fake) {
				f.hears()
				f.say("%s<message from='ben@example.org/x' id='1'><body>real</body></message>", stanza)
				if m, ok := f.body().(im.Message); !ok || m.Body != "real" {
					t.Errorf("got %+v", m)
				}
			})
		})
	}
}

// TestLookBack: a moment after a login has appeared it looks into the archive for what the server put there while it
// appeared, and takes nothing twice.
func TestLookBack(t *testing.T) {
	play(t, managed(), func(f *fake) {
		f.login()
		begin := time.Now()
		f.until("<field var='start'><value>" + begin.Add(-clockSkew).UTC().Format(time.RFC3339))
		if waited := time.Since(begin); waited != lookBackAfter {
			t.Errorf("looked back after %s", waited)
		}
		f.hears()
		query := f.conn.archiveQueryID()
		f.say("<message from='ben@example.org/x' id='m3'><body>live</body><stanza-id xmlns='urn:xmpp:sid:0' by='ana@example.org' id='3'/></message>")
		for i := 2; i <= 3; i++ {
			f.say("<message from='ana@example.org'><result xmlns='urn:xmpp:mam:2' id='%d' queryid='%s'><forwarded xmlns='urn:xmpp:forward:0'>"+
				"<message xmlns='jabber:client' from='ben@example.org/x' to='ana@example.org' id='m%d'><body>archived</body></message></forwarded></result></message>", i, query, i)
		}
		f.say("<message from='ben@example.org/x' id='m4'><body>end</body></message>")
		var got []string
		for range 3 {
			m, _ := f.body().(im.Message)
			got = append(got, m.ID+" "+m.Body)
		}
		if want := []string{"m3 live", "m2 archived", "m4 end"}; !slices.Equal(got, want) {
			t.Errorf("got %q, not %q", got, want)
		}
	})
}

// TestLookBackOnceMore: who goes and comes again while the archive is being looked through has it looked through for
// that, too, and not from the beginning of time.
func TestLookBackOnceMore(t *testing.T) {
	play(t, managed(), func(f *fake) {
		const start = "<field var='start'><value>"
		begin := time.Now()
		f.login()
		f.until(start)
		id := f.conn.lastID()
		time.Sleep(time.Second)
		go func() {
			for _, show := range []im.Show{im.Offline, im.Available} {
				if err := f.conn.SetPresence(context.Background(), im.Presence{Show: show}); err != nil {
					t.Error(err)
				}
			}
		}()
		f.until("<presence type='unavailable'/>")
		f.until("<presence/>")
		f.say("<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>", id)
		if since := f.until(start) + f.until("</value>"); !strings.HasSuffix(since, begin.Add(-clockSkew).UTC().Format(time.RFC3339)+"</value>") {
			t.Errorf("looks back to %s, not %s", since, begin.Add(-clockSkew).UTC())
		}
	})
}

// TestSentWhileTheArchiveIsRead: a message of the login before, of which nobody knows whether it has arrived, waits until
// the archive was read. What is sent meanwhile waits behind it.
func TestSentWhileTheArchiveIsRead(t *testing.T) {
	first := sent{trace: trace{ID: "m1", To: "ben@example.org"}, Data: []byte("<message id='m1'/>")}
	known, begun := archive{ID: "a1"}, archive{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	const after, start = "<after>a1</after>", "<value>2026-01-02T03:03:55Z</value>"
	for name, c := range map[string]struct {
		login *login
		asks  string
	}{
		"new":            {&login{sm: true, id: "s2", before: state{Queue: []sent{first}, Out: 1, Archive: known}}, after},
		"resumed":        {&login{sm: true, id: "s1", resumed: true, before: state{Held: []sent{first}, Archive: known}}, after},
		"new, empty":     {&login{sm: true, id: "s2", before: state{Queue: []sent{first}, Out: 1, Archive: begun}}, start},
		"resumed, empty": {&login{sm: true, id: "s1", resumed: true, before: state{Held: []sent{first}, Archive: begun}}, start},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, c.login, func(f *fake) {
				f.until(c.asks)
				id := f.conn.lastID()
				m := im.Outgoing{ID: "m2", To: im.Address{Network: im.XMPP, ID: "ben@example.org"}, Body: "x"}
				if err := f.conn.Send(context.Background(), m); err != nil {
					t.Fatal(err)
				}
				f.login()
				f.say("<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>", id)
				if wrote := f.until("id='m1'/>"); strings.Contains(wrote, "m2") {
					t.Errorf("wrote %s", wrote)
				}
				f.until("id='m2'")
			})
		})
	}
}

// TestOutdatedState: whoever resumes a stream whose server has handled more than the state knows was sent reads the archive,
// since what was acknowledged after the state does not come again. Without such a sign nothing is read.
func TestOutdatedState(t *testing.T) {
	before := state{Out: 4, Archive: archive{ID: "a1"}}
	for handled, reads := range map[uint32]bool{4: false, 5: true} {
		play(t, &login{sm: true, id: "s1", resumed: true, known: true, handled: handled, before: before}, func(f *fake) {
			if asked := f.login(); strings.Contains(asked, "<after>a1</after>") != reads {
				t.Errorf("handled %d of 4: asked %s", handled, asked)
			}
		})
	}
}

// lastID is the id of the last request.
func (c *Conn) lastID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.prefix + strconv.Itoa(c.ids)
}

func (c *Conn) archiveQueryID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.query
}

// TestForgedOrigin: a stanza-id that somebody else's server claims is worth nothing.
func TestForgedOrigin(t *testing.T) {
	play(t, managed(), func(f *fake) {
		f.hears()
		f.say("<message from='eve@example.com' id='1'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='eve@example.com' id='42'/></message>")
		if m, ok := f.body().(im.Message); !ok || m.Origin != "eve@example.com/1" {
			t.Errorf("got %+v", m)
		}
	})
}

// TestRequests are the requests that any client must answer.
func TestRequests(t *testing.T) {
	for request, want := range map[string]string{
		"<ping xmlns='urn:xmpp:ping'/>":                                  "<iq type='result' id='q' to='example.org'/>",
		"<query xmlns='http://jabber.org/protocol/disco#info'/>":         "<feature var='urn:xmpp:receipts'/>",
		"<query xmlns='jabber:iq:last'/>":                                "<service-unavailable xmlns='" + nsStanzas + "'/>",
		"<query xmlns='http://jabber.org/protocol/disco#info' node=''/>": "name='Hark'",
	} {
		play(t, managed(), func(f *fake) {
			f.login()
			f.say("<iq type='get' id='q' from='example.org'>%s</iq>", request)
			f.until(want)
		})
	}
}

// TestSubscription: a contact's request is granted, a stranger's becomes a message, once.
func TestSubscription(t *testing.T) {
	play(t, managed(), func(f *fake) {
		login := f.login()
		_, id, _ := strings.Cut(login, "<iq type='get' id='")
		id, _, _ = strings.Cut(id, "'")
		f.say("<iq type='result' id='%s'><query xmlns='jabber:iq:roster'><item jid='ben@example.org' name='Ben'/></query></iq>", id)
		if r, ok := f.body().(im.Roster); !ok || len(r.Contacts) != 1 {
			t.Errorf("got %+v", r)
		}
		f.say("<presence type='subscribe' from='ben@example.org'/>")
		f.until("<presence to='ben@example.org' type='subscribed'/>")
		f.hears()
		f.say("<presence type='subscribe' from='carla@example.org'><status>It is me</status></presence>")
		if m, ok := f.body().(im.Message); !ok || m.Body != "It is me" || m.Origin != "subscribe/carla@example.org" {
			t.Errorf("got %+v", m)
		}
	})
}
