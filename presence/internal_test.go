package presence

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence/wire"
)

// Every single wrong digit and every swap of two neighbours is noticed.
func TestValidCode(t *testing.T) {
	if !ValidCode("000000000") || ValidCode("00000000") || ValidCode("0000000000") || ValidCode("00000000a") || ValidCode("") {
		t.Error("the form")
	}
	for range 200 {
		code := newCode()
		if !ValidCode(code) {
			t.Fatalf("%s is not valid", code)
		}
		for i := range code {
			for d := byte('0'); d <= '9'; d++ {
				if wrong := code[:i] + string(d) + code[i+1:]; wrong != code && ValidCode(wrong) {
					t.Errorf("%s passes for %s", wrong, code)
				}
			}
			if i == 0 || code[i] == code[i-1] {
				continue
			}
			if swapped := code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]; ValidCode(swapped) {
				t.Errorf("%s passes for %s", swapped, code)
			}
		}
	}
}

func TestGuessLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g guessLimit
		for range maxBadPerCaller - 1 {
			g.failed("a")
		}
		if g.refuses("a") {
			t.Error("refuses before the limit")
		}
		g.failed("a")
		if !g.refuses("a") || g.refuses("b") {
			t.Error("does not refuse exactly the one who guessed")
		}
		time.Sleep(time.Hour)
		if g.refuses("a") {
			t.Error("still refuses an hour later")
		}
		for i := range maxBadPerDay {
			g.failed(strings.Repeat("x", i))
		}
		if !g.refuses("somebody else") {
			t.Error("does not refuse after a thousand in a day")
		}
		time.Sleep(24 * time.Hour)
		if g.refuses("somebody else") {
			t.Error("still refuses the day after")
		}
		if g.failed("c"); len(g.callers) != 1 {
			t.Errorf("remembers %d callers of the day before", len(g.callers))
		}
	})
}

// A slow client that reads keeps its connection, however long its queue is full.
func TestOutboxSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		o := newOutbox(there)
		go o.write()
		frame := []byte(strings.Repeat("x", 1023) + "\n")
		sent := 0
		for o.push(frame) {
			sent += len(frame)
		}
		if sent < maxOutbox-len(frame) || sent > maxOutbox {
			t.Errorf("it holds %d bytes", sent)
		}
		buffer := make([]byte, outboxPiece)
		for received := 0; received < sent; {
			time.Sleep(stalled - time.Second)
			n, err := here.Read(buffer)
			if err != nil {
				t.Fatalf("after %d bytes: %v", received, err)
			}
			received += n
			o.push(nil)
		}
		if !o.wait(frame) {
			t.Error("it is gone")
		}
		here.Close()
		synctest.Wait()
		if o.push(frame) || o.wait(frame) {
			t.Error("it takes frames for a client that is gone")
		}
	})
}

// Only the newest EXISTS is written, and the last words come after everything else.
func TestOutboxLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		o := newOutbox(there)
		go o.write()
		o.push([]byte("one\n"))
		synctest.Wait()
		o.setLevel([]byte("level 1\n"))
		o.setLevel([]byte("level 2\n"))
		o.push([]byte("two\n"))
		var got strings.Builder
		buffer := make([]byte, 100)
		for range 3 {
			n, err := here.Read(buffer)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(buffer[:n])
		}
		o.finish([]byte("bye\n"))
		n, err := here.Read(buffer)
		got.Write(buffer[:n])
		if want := "one\ntwo\nlevel 2\nbye\n"; got.String() != want || err != nil {
			t.Errorf("%q, %v", got.String(), err)
		}
		if _, err := here.Read(buffer); err == nil {
			t.Error("it was not closed")
		}
	})
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\ttext": "plain\n\ttext", "bell\x07\x00\u0085": "bell", "\xffü": "\uFFFDü", "aü": "a", "a\r\nb": "a\nb",
	} {
		most := 100
		if in == "aü" {
			most = 2
		}
		if got := cleanText(in, most); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

// A report that says what the last one said is not another one, however much later it is made.
func TestReportSum(t *testing.T) {
	report := func(clients map[string]int, state string) Report {
		return Report{Clients: clients, Networks: []wire.ServiceEvent{{Network: "xmpp", State: state}}, Made: time.Now()}
	}
	first := report(map[string]int{"phone": 1, "web": 2}, "online").sum()
	if report(map[string]int{"web": 2, "phone": 1}, "online").sum() != first {
		t.Error("the same twice is different")
	}
	if report(map[string]int{"phone": 1}, "online").sum() == first || report(map[string]int{"phone": 1, "web": 2}, "offline").sum() == first {
		t.Error("a change is not seen")
	}
}

// TestReportsShareBeats: what changes within a beat is reported at one moment, none later than reportPause.
func TestReportsShareBeats(t *testing.T) {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, after := range []time.Duration{0, time.Millisecond, reportBeat - 1} {
		if due, want := reportDue(begun.Add(after)), begun.Add(reportPause); !due.Equal(want) {
			t.Errorf("a change after %v is due at %v, want %v", after, due, want)
		}
	}
}

// The timer that asks a silent client for a sign of life ends with the connection, also when it fires at that moment: a
// silent client is given up after three times that long.
func TestPingEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		s := &Server{}
		go s.ServeConn(t.Context(), there)
		synctest.Wait()
		var c *conn
		for c = range s.conns {
		}
		here.Close()
		synctest.Wait()
		if c.askForLife(); c.ping.Stop() {
			t.Error("it goes on")
		}
	})
}

// acks is a connection that notes what is acknowledged.
type acks struct {
	im.Conn
	upto im.Position
}

func (a *acks) Ack(p im.Position) { a.upto = p }
func (a *acks) Resume() im.Resume { return im.Resume("before the first message") }

// idleLink is a link whose recorder takes arrivals and does nothing with them.
func idleLink() (*link, *recorder) {
	session := &Session{}
	session.recorder.working = true
	return newLink(&uplink{session: session}), &session.recorder
}

// What comes while the connection is being opened, and is on its way to the store, is followed by nothing older.
func TestOpenedWhileStoring(t *testing.T) {
	l, recorder := idleLink()
	l.record(im.Event{Pos: 1, Body: im.Message{}, Resume: im.Resume("behind it")})
	l.opened(&acks{})
	if n := len(recorder.queue); n != 1 {
		t.Errorf("%d arrivals are stored, the last one is %+v", n, recorder.queue[n-1].Event)
	}
}

// Resume state that may wait a little goes along with the next message that brings none of its own.
func TestResumeStateThatWaits(t *testing.T) {
	l, recorder := idleLink()
	l.later = im.Event{Pos: 1, Resume: im.Resume("it waits")}
	l.record(im.Event{Pos: 2, Body: im.Message{}})
	l.record(im.Event{Pos: 3, Body: im.Message{}})
	if q := recorder.queue; len(q) != 2 || string(q[0].Resume) != "it waits" || q[1].Resume != nil {
		t.Errorf("%+v", q)
	}
}

// When a message could not be stored, because somebody else has the session, its connection acknowledges nothing any more,
// not even what came after it and needs no storing: that would acknowledge the message too (F4).
func TestNothingIsAcknowledgedAfterALoss(t *testing.T) {
	conn := &acks{}
	l := newLink(nil)
	l.conn, l.writing = conn, 1
	l.pass(im.Event{Pos: 2})
	l.recorded(im.Event{Pos: 1}, false)
	l.pass(im.Event{Pos: 3})
	if l.acknowledge(4); conn.upto != 0 {
		t.Errorf("acknowledged up to %d", conn.upto)
	}
	conn, l = &acks{}, newLink(nil)
	l.conn, l.writing = conn, 1
	l.pass(im.Event{Pos: 2})
	if l.recorded(im.Event{Pos: 1}, true); conn.upto != 2 {
		t.Errorf("acknowledged up to %d, though all is stored", conn.upto)
	}
}
