package presence

import (
	"sync"
	"time"

	"hark/im"
	"hark/presence/wire"
)

const (
	maxUnwritten = 64              // events of a connection that wait to be stored; then its service waits
	lazyResume   = 5 * time.Second // how long resume state that came without a message may wait to be stored
)

// A link is one connection of an uplink, from the attempt to open it to its end. It is the connection's im.Sink, and
// sees to it that nothing is acknowledged before it is stored.
type link struct {
	up     *uplink
	tokens chan struct{}   // one per event that is not dealt with: the back-pressure
	sent   map[string]bool // ids sent on this connection; owned by the uplink's goroutine

	mu        sync.Mutex
	conn      im.Conn     // nil until Open has returned; set by the uplink's goroutine, which reads it without the lock
	acked     im.Position // what may be acknowledged
	writing   int         // events handed to the recorder and not yet stored
	later     im.Event    // the newest event that needs no storing by itself; Pos 0 when there is none
	lazy      *time.Timer // stores later's resume state
	finished  bool        // the connection is being closed
	abandoned bool        // something could not be stored
}

func newLink(u *uplink) *link {
	return &link{
		up: u, tokens: make(chan struct{}, maxUnwritten),
	}
}

// markSent notes what was sent on this connection. Only the uplink's goroutine calls it.
func (l *link) markSent(id string) {
	if l.sent == nil {
		l.sent = make(map[string]bool)
	}
	l.sent[id] = true
}

// Event passes an event to the session. The service's goroutine calls it; it blocks while the session is behind, and
// drops what comes when the session is ending (unacknowledged, so that the network brings it again).
func (l *link) Event(e im.Event) {
	s := l.up.session
	select {
	case l.tokens <- struct{}{}:
	case <-s.dying:
		return
	}
	if !s.post(func() { s.event(l, e) }) {
		<-l.tokens
	}
}

// event takes an event in. Only the session's goroutine calls it.
func (s *Session) event(l *link, e im.Event) {
	switch body := e.Body.(type) {
	case im.Message, im.Delivery, im.State:
		l.record(e)
		return
	case im.Roster:
		l.up.roster = body.Contacts
	case im.Presence:
		s.presence(l.up, body)
	case im.ChatState:
		s.tell(wire.Typing, body)
	case im.Progress:
	case im.Synced:
		l.up.synced = true
		s.checkSettled()
	default:
		s.log.Error("presence: unknown event of a network", "network", l.up.network)
	}
	<-l.tokens
	l.pass(e)
}

// record hands an event to the recorder, which gives its token back. Resume state that still waits to be stored goes
// with it.
func (l *link) record(e im.Event) {
	l.mu.Lock()
	if e.Resume == nil {
		e.Resume = l.later.Resume
	}
	l.later.Resume = nil
	l.writing++
	l.mu.Unlock()
	l.up.session.recorder.add(arrival{link: l, Event: e})
}

// recorded is called by the recorder when it is done with an event; stored is false when it had to give up, and then
// this connection acknowledges nothing any more.
func (l *link) recorded(e im.Event, stored bool) {
	if body, ok := e.Body.(im.State); ok {
		l.up.over(l, reasonOf(body.Err))
	}
	if e.Body != nil {
		<-l.tokens
	}
	l.mu.Lock()
	l.writing--
	l.abandoned = l.abandoned || !stored
	later, idle := l.later, l.writing == 0
	l.mu.Unlock()
	if idle && later.Pos > e.Pos {
		l.pass(later)
	}
}

// pass deals with an event that needs no storing by itself. Once all before it is stored it is acknowledged, together
// with its resume state if it has one, which may wait a little.
func (l *link) pass(e im.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Resume == nil {
		e.Resume = l.later.Resume
	}
	l.later = e
	switch {
	case l.writing > 0 || l.finished:
	case e.Resume == nil:
		l.ack(e.Pos)
	case l.lazy == nil:
		l.lazy = time.AfterFunc(lazyResume, l.storeLater)
	}
}

// storeLater has the resume state stored that came without a message.
func (l *link) storeLater() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lazy = nil
	if l.later.Resume == nil || l.finished {
		return // it was stored with a message, or it is stored at the end
	}
	e := im.Event{Pos: l.later.Pos, Resume: l.later.Resume}
	l.later.Resume = nil
	l.writing++
	l.up.session.recorder.add(arrival{link: l, Event: e})
}

// acknowledge says that everything up to p is stored.
func (l *link) acknowledge(p im.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ack(p)
}

// ack is acknowledge for those who hold the lock.
func (l *link) ack(p im.Position) {
	if p <= l.acked || l.abandoned {
		return
	}
	l.acked = p
	if l.conn != nil {
		l.conn.Ack(p)
	}
}

// opened gives the link its connection; what was stored meanwhile is acknowledged now. From where the next connection goes
// on is stored in the order of the events: it must not take the place of what was stored, and acknowledged, after it.
func (l *link) opened(c im.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c
	if l.acked > 0 {
		c.Ack(l.acked)
	}
	if resume := c.Resume(); resume != nil && l.writing == 0 {
		l.writing++
		l.up.session.recorder.add(arrival{link: l, Event: im.Event{Pos: l.acked, Resume: resume}})
	}
}

// finish ends the lazy storing; what came last is acknowledged, for its resume state is stored next.
func (l *link) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	if l.lazy != nil {
		l.lazy.Stop()
	}
	if l.writing == 0 {
		l.ack(l.later.Pos)
	}
}

// reasonOf makes an end without a reason one that is tried again.
func reasonOf(e *im.Error) *im.Error {
	if e == nil {
		return &im.Error{Class: im.Network, Err: errOver}
	}
	return e
}
