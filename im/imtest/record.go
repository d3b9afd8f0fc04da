package imtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"hark/im"
)

// A login is an open Conn with the events that came from it.
type login struct {
	b    *bench
	conn im.Conn

	mu     sync.Mutex
	cond   *sync.Cond
	events []im.Event
	inside bool // a call of Event is running
	faults []string
	gate   chan struct{} // when not nil, Event waits until it is closed
}

// Event implements im.Sink and checks the rules of the Sink.
func (l *login) Event(e im.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inside {
		l.faults = append(l.faults, "two calls of Event at once")
	}
	l.inside = true
	if gate := l.gate; gate != nil {
		l.mu.Unlock()
		<-gate
		l.mu.Lock()
	}
	l.inside = false
	if n := len(l.events); n > 0 {
		if last := l.events[n-1]; e.Pos <= last.Pos {
			l.faults = append(l.faults, fmt.Sprintf("position %d after %d", e.Pos, last.Pos))
		} else if _, over := last.Body.(im.State); over {
			l.faults = append(l.faults, fmt.Sprintf("%T after State", e.Body))
		}
	}
	l.events = append(l.events, e)
	l.cond.Broadcast()
}

// open logs in, and returns once everything that waited has come. It fails the case when that fails.
func (b *bench) open(resume im.Resume) *login {
	b.Helper()
	return b.openGated(resume, nil)
}

// openGated is open with a sink that blocks until gate is closed, and does not wait.
func (b *bench) openGated(resume im.Resume, gate chan struct{}) *login {
	b.Helper()
	l := &login{b: b, gate: gate}
	l.cond = sync.NewCond(&l.mu)
	conn, err := b.Service.Open(b.ctx, b.Account, resume, l)
	if err != nil {
		b.Fatalf("Open: %v", err)
	}
	l.conn = conn
	if b.Inbox != nil {
		b.Cleanup(func() { b.drain() })
	}
	if gate == nil {
		l.find("Synced", func(e im.Event) bool { _, synced := e.Body.(im.Synced); return synced })
	}
	return l
}

// drain empties the Inbox at the end of a case.
func (b *bench) drain() {
	for {
		select {
		case <-b.Inbox:
		default:
			return
		}
	}
}

// find waits for an event that fits and returns it; it fails the case when none comes.
func (l *login) find(what string, fits func(im.Event) bool) im.Event {
	l.b.Helper()
	var found im.Event
	ok := l.wait(patience, func() bool {
		i := slices.IndexFunc(l.events, fits)
		if i >= 0 {
			found = l.events[i]
		}
		return i >= 0
	})
	if !ok {
		l.b.Fatalf("no %s; events: %s", what, l.list())
	}
	return found
}

// wait waits until done says true; it is called with l.mu held.
func (l *login) wait(atMost time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cond.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !done() {
		if ctx.Err() != nil {
			return false
		}
		l.cond.Wait()
	}
	return true
}

// list describes the events for a failure.
func (l *login) list() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var s string
	for _, e := range l.events {
		s += fmt.Sprintf("\n\t%d %T %+v", e.Pos, e.Body, e.Body)
	}
	return s
}

// messages waits for n incoming messages and returns them in order.
func (l *login) messages(n int) []im.Message {
	l.b.Helper()
	if l.b.Inbox != nil {
		return l.b.inbox(n)
	}
	var got []im.Message
	if !l.wait(patience, func() bool { got = incoming(l.events); return len(got) >= n }) {
		l.b.Fatalf("%d messages came, not %d; events: %s", len(got), n, l.list())
	}
	return got
}

func incoming(events []im.Event) []im.Message {
	var list []im.Message
	for _, e := range events {
		if m, ok := e.Body.(im.Message); ok && !m.Outgoing {
			list = append(list, m)
		}
	}
	return list
}

// inbox waits for n messages where they do not come through the sink.
func (b *bench) inbox(n int) []im.Message {
	b.Helper()
	var got []im.Message
	late := time.After(patience)
	for len(got) < n {
		select {
		case m := <-b.Inbox:
			got = append(got, m)
		case <-late:
			b.Fatalf("%d messages came, not %d", len(got), n)
		}
	}
	return got
}

// delivery waits for a report on a message.
func (l *login) delivery(id string, state im.DeliveryState) im.Delivery {
	l.b.Helper()
	e := l.find(fmt.Sprintf("Delivery of %s, %s", id, state), func(e im.Event) bool {
		d, ok := e.Body.(im.Delivery)
		return ok && d.ID == id && d.State == state
	})
	return e.Body.(im.Delivery)
}

// ackAll acknowledges everything that came, as the session does once it is on disk, and returns the last resume state.
func (l *login) ackAll() im.Resume {
	l.mu.Lock()
	var (
		pos    im.Position
		resume im.Resume
	)
	for _, e := range l.events {
		pos = e.Pos
		if e.Resume != nil {
			resume = e.Resume
		}
	}
	l.mu.Unlock()
	l.conn.Ack(pos)
	return resume
}

// close closes the Conn and checks that the events ended as they must.
func (l *login) close(how im.CloseMode) {
	l.b.Helper()
	if err := l.conn.Close(l.b.ctx, how); err != nil {
		l.b.Fatalf("Close: %v", err)
	}
	if s := l.over(); s.Err != nil {
		l.b.Errorf("State after Close says %v", s.Err)
	}
}

// over waits for the State event and checks that it is the last one.
func (l *login) over() im.State {
	l.b.Helper()
	e := l.find("State", func(e im.Event) bool { _, ok := e.Body.(im.State); return ok })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		l.b.Error(f)
	}
	if _, last := l.events[len(l.events)-1].Body.(im.State); !last {
		l.b.Errorf("%T after State", l.events[len(l.events)-1].Body)
	}
	return e.Body.(im.State)
}

// send sends and fails the case when that fails.
func (l *login) send(m im.Outgoing) {
	l.b.Helper()
	m.To = l.b.Peer.Address()
	if err := l.conn.Send(l.b.ctx, m); err != nil {
		l.b.Fatalf("Send: %v", err)
	}
}

// peerSends lets the peer send, and fails the case when that fails.
func (b *bench) peerSends(m im.Outgoing) {
	b.Helper()
	m.To = b.Account.Address()
	if err := b.Peer.Send(b.ctx, m); err != nil {
		b.Fatalf("the peer's Send: %v", err)
	}
}

// peerGets waits for a message at the peer.
func (b *bench) peerGets() im.Message {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	m, err := b.Peer.Receive(ctx)
	if err != nil {
		b.Fatalf("the peer got nothing: %v", err)
	}
	return m
}

// class checks that err is an *im.Error of the class.
func (b *bench) class(err error, want im.Class) {
	b.Helper()
	var e *im.Error
	if !errors.As(err, &e) {
		b.Fatalf("error is %T (%v), not *im.Error", err, err)
	}
	if e.Class != want {
		b.Errorf("class is %s (%v), not %s", e.Class, err, want)
	}
}
