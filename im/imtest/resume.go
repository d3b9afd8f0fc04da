package imtest

import (
	"fmt"

	"hark/im"
)

func canResume(a Abilities) bool { return a.Resume }

var resumeCases = []testCase{
	{name: "logout is seen, keep is not", needs: canResume, run: testKeep},
	{name: "what came meanwhile", needs: canResume, run: testMeanwhile},
	{name: "nothing is acknowledged before Ack", needs: canResume, run: testUnacknowledged},
	{name: "the state of an event resumes after it", needs: canResume, run: testEventState},
	{name: "the same id on the next Conn", needs: canResume, run: testIdempotentAcross},
	{name: "a connection that breaks", needs: canResume, run: testCut},
	{name: "sent while it breaks", needs: canResume, run: testSentWhileCut},
	{name: "a server that forgot", needs: canResume, run: testForgot},
}

// testKeep closes and goes on: the peer sees the user all the time, gets a message to him, and only the logout shows.
func testKeep(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	l.close(im.Keep)
	b.peerSends(im.Outgoing{ID: "k1", Body: "still there?"})
	b.sees(im.Available)
	l = b.open(l.conn.Resume())
	l.messages(1)
	l.ackAll()
	b.sees(im.Available)
	l.close(im.Logout)
	b.sees(im.Offline)
}

func testMeanwhile(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	l.ackAll()
	l.close(im.Keep)
	b.flood(many)
	l = b.open(l.conn.Resume())
	got := l.messages(many)
	b.checkFlood(b.inOrder(got), many)
	l.ackAll()
	b.nothingMore(l, many)
}

// nothingMore sends one more message, and checks that it is the only one that comes after n others. Then it logs out.
func (b *bench) nothingMore(l *login, n int) {
	b.Helper()
	b.peerSends(im.Outgoing{ID: "last", Body: "last"})
	if got := l.messages(n + 1); len(got) != n+1 || got[n].Body != "last" {
		b.Errorf("%d messages and then %q, not %d and the last one", len(got)-1, got[len(got)-1].Body, n)
	}
	l.close(im.Logout)
}

// testUnacknowledged gets two messages and acknowledges only the first. The second comes again, under the same origin.
func testUnacknowledged(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	b.flood(2)
	l.messages(2)
	l.conn.Ack(l.positionOf("0"))
	first := l.messages(2)[1]
	l.close(im.Keep)
	l = b.open(l.conn.Resume())
	again := l.messages(1)
	if len(again) != 1 || again[0].Body != "1" || again[0].Origin != first.Origin {
		b.Errorf("again came %+v, not %+v", again, first)
	}
	l.ackAll()
	b.nothingMore(l, 1)
}

// positionOf returns the position of the message with this body.
func (l *login) positionOf(body string) im.Position {
	l.b.Helper()
	return l.find("Message "+body, func(e im.Event) bool {
		m, ok := e.Body.(im.Message)
		return ok && m.Body == body
	}).Pos
}

// testEventState is a crash: the Conn is never asked for its Resume; what the last stored event carried must do.
func testEventState(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	b.flood(3)
	l.messages(3)
	state := l.ackAll()
	if state == nil {
		b.Fatal("no event carried a resume state")
	}
	b.Cut()
	if s := l.over(); s.Err == nil || s.Err.Class != im.Network {
		b.Errorf("the connection was cut, and State says %v", s.Err)
	}
	b.peerSends(im.Outgoing{ID: "after", Body: "after the crash"})
	l = b.open(state)
	if m := l.messages(1)[0]; m.Body != "after the crash" {
		b.Errorf("got %q", m.Body)
	}
	l.ackAll()
	b.nothingMore(l, 1)
}

func testIdempotentAcross(b *bench) {
	l := b.open(nil)
	l.send(im.Outgoing{ID: "once", Body: "once"})
	l.delivery("once", im.Sent)
	l.ackAll()
	l.close(im.Keep)
	l = b.open(l.conn.Resume())
	l.send(im.Outgoing{ID: "once", Body: "once"})
	l.send(im.Outgoing{ID: "then", Body: "then"})
	if first, second := b.peerGets().Body, b.peerGets().Body; first != "once" || second != "then" {
		b.Errorf("the peer got %q and %q", first, second)
	}
	l.close(im.Logout)
}

// testCut breaks the connection in the middle, with three messages sent meanwhile.
func testCut(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	l.ackAll()
	b.Cut()
	s := l.over()
	if s.Err == nil || s.Err.Class != im.Network || !s.Err.Retryable() {
		b.Errorf("State says %v, not that the network broke", s.Err)
	}
	b.flood(3)
	l = b.open(l.conn.Resume())
	b.checkFlood(l.messages(3), 3)
	l.ackAll()
	b.nothingMore(l, 3)
}

// testSentWhileCut sends before, while and after the connection breaks. Each message arrives once, in order.
func testSentWhileCut(b *bench) {
	l := b.open(nil)
	const n = 20
	for i := range n {
		if i == n/2 {
			b.Cut()
		}
		m := im.Outgoing{ID: fmt.Sprintf("c%d", i), To: b.Peer.Address(), Body: fmt.Sprint(i)}
		for l.conn.Send(b.ctx, m) != nil {
			l = b.reopen(l)
		}
	}
	for !l.settled(fmt.Sprintf("c%d", n-1)) { // some may have been written into a connection that was broken already
		l = b.reopen(l)
	}
	for i := range n {
		if m := b.peerGets(); m.Body != fmt.Sprint(i) {
			b.Fatalf("the peer got %q in place %d", m.Body, i)
		}
	}
	l.close(im.Logout)
}

// reopen goes on after a connection that broke.
func (b *bench) reopen(l *login) *login {
	b.Helper()
	l.over()
	return b.open(l.conn.Resume())
}

// settled waits until the server has the message, which gives true, or the connection is over.
func (l *login) settled(id string) bool {
	e := l.find("Delivery or State", func(e im.Event) bool {
		_, over := e.Body.(im.State)
		return over || e.Body == any(im.Delivery{ID: id, State: im.Sent})
	})
	_, over := e.Body.(im.State)
	return !over
}

// testForgot restarts the server, so that the login cannot be resumed. What was not acknowledged and what came
// meanwhile is there after the same Open, and what was acknowledged does not come again.
func testForgot(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	b.peerSends(im.Outgoing{ID: "old", Body: "old"})
	l.messages(1)
	state := l.ackAll()
	b.peerSends(im.Outgoing{ID: "0", Body: "0"})
	l.messages(2)
	b.Restart()
	l.over()
	b.peerSends(im.Outgoing{ID: "1", Body: "1"})
	l = b.open(state)
	b.checkFlood(l.messages(2), 2)
	l.send(im.Outgoing{ID: "new", Body: "new"})
	if m := b.peerGets(); m.Body != "new" {
		b.Errorf("the peer got %q", m.Body)
	}
	l.ackAll()
	b.nothingMore(l, 2)
}
