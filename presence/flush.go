package presence

import (
	"context"
	"errors"
	"sync"
	"time"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

const (
	sendTimeout = 15 * time.Second // for one message
	keepQueued  = 24 * time.Hour   // how long a message waits for its network
	pumpAgain   = time.Second      // wait after the store failed
)

// flush sends what waits to be sent, if there is a connection. Only the uplink's goroutine calls it.
func (u *uplink) flush() {
	u.poked.Store(false)
	if u.link == nil {
		return
	}
	again, over := u.sendPending(u.link)
	switch {
	case over != nil:
		u.disconnect()
		u.lost(over)
	case again > 0:
		u.after(again, u.flush)
	}
}

// publish tells the network the user's availability.
func (u *uplink) publish(conn im.Conn) {
	var p im.Presence
	if u.session.ask(func() { p = im.Presence{Show: u.session.status.Show, Text: u.session.status.Text} }) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(u.ctx, sendTimeout)
	defer cancel()
	if err := conn.SetPresence(ctx, p); err != nil {
		u.session.log.Info("presence: availability not published", "network", u.network, "err", err)
	}
}

// sendPending sends, in order, every message to the network that is in state Queued and was not sent on this connection.
// The store is the queue, so that nothing is lost and nothing is out of order, whatever happens. again says when to try
// the rest; an error means that the connection is of no use any more.
func (u *uplink) sendPending(l *link) (again time.Duration, over *im.Error) {
	s := u.session
	pending, err := s.server.Sessions.Pending(u.ctx, s.user)
	if err != nil {
		s.log.Warn("presence: cannot read what is to be sent", "user", s.user, "err", err)
		return pumpAgain, nil
	}
	if len(pending) == 0 {
		l.sent = nil
		return 0, nil
	}
	unconfirmed := make(map[string]bool, len(pending))
	for _, m := range pending {
		if m.To.Network != u.network {
			continue
		}
		unconfirmed[m.ID] = true
		if l.sent[m.ID] {
			continue
		}
		if !s.server.holds() {
			return pumpAgain, nil
		}
		err := u.sendOne(l.conn, m)
		switch {
		case err == nil:
			l.markSent(m.ID)
		case err.Class == im.Throttled:
			return max(err.Retry, pumpAgain), nil
		case err.Retryable():
			return 0, err
		default:
			u.settle(m.ID, im.Failed, reasonFor(err))
		}
	}
	l.sent = unconfirmed
	return 0, nil
}

// sendOne hands one message to the network, unless it has waited too long.
func (u *uplink) sendOne(conn im.Conn, m sessions.Message) *im.Error {
	if m.Age > keepQueued {
		u.settle(m.ID, im.Failed, "it could not be sent for a day")
		return nil
	}
	ctx, cancel := context.WithTimeout(u.ctx, sendTimeout)
	defer cancel()
	out := im.Outgoing{ID: m.ID, To: m.To, Body: m.Body, Attachments: m.Attachments, ReplyTo: m.ReplyTo}
	if err := conn.Send(ctx, out); err != nil {
		u.session.log.Info("presence: message not sent", "user", u.session.user, "network", u.network, "err", err)
		return asError(err)
	}
	u.session.outcomes.report(m.ID, im.Sent, "")
	return nil
}

// settle records an outcome that the network will not report itself.
func (u *uplink) settle(id string, state im.DeliveryState, reason string) {
	s := u.session
	err := s.server.Sessions.Settle(u.ctx, s.user, s.epoch, id, state, reason)
	if errors.Is(err, sessions.ErrFenced) {
		s.fenced()
		return
	}
	if err != nil {
		s.log.Warn("presence: outcome not stored", "user", s.user, "err", err)
	}
	s.announce(im.Delivery{ID: id, State: state, Reason: reason})
}

// reasonFor is what a user is told about a message that failed; the inside goes to the log.
func reasonFor(err *im.Error) string {
	if err.Class == im.Policy {
		return "the network refuses this message"
	}
	return "the network does not take this message"
}

// announce tells whoever waits for the message, and the clients.
func (s *Session) announce(d im.Delivery) {
	s.outcomes.report(d.ID, d.State, d.Reason)
	s.post(func() { s.tell(wire.Delivery, d) })
}

// outcomes is where SEND waits for what becomes of its message.
type outcomes struct {
	mu      sync.Mutex
	waiting map[string]waiter // by message id
}

type waiter struct {
	network string
	result  chan im.Delivery // cap 1
}

// expect begins to wait; forget ends it.
func (o *outcomes) expect(id, network string) <-chan im.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = make(map[string]waiter)
	}
	w := waiter{network: network, result: make(chan im.Delivery, 1)}
	o.waiting[id] = w
	return w.result
}

func (o *outcomes) forget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.waiting, id)
	if len(o.waiting) == 0 {
		o.waiting = nil
	}
}

// report tells who waits for the message.
func (o *outcomes) report(id string, state im.DeliveryState, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w, ok := o.waiting[id]; ok {
		delete(o.waiting, id)
		w.result <- im.Delivery{ID: id, State: state, Reason: reason}
	}
}

// release tells all who wait for a network that it is away.
func (o *outcomes) release(network string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, w := range o.waiting {
		if w.network == network {
			delete(o.waiting, id)
			w.result <- im.Delivery{ID: id, State: im.Queued}
		}
	}
}
