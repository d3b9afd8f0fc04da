package local

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"hark/im"
)

var errClosed = errors.New("local: connection is closed")

// A Conn is a user who is online. Its exported methods may be called from any goroutine.
type Conn struct {
	service *Service
	user    string
	name    string
	sink    im.Sink

	// The Service's mutex guards these two.
	shown    im.Presence
	contacts map[string]Contact // by user

	mu      sync.Mutex
	cond    *sync.Cond
	pos     im.Position
	events  []im.Event
	handing bool // a goroutine gives the events to the sink; it ends when there are no more
	closed  bool
}

var (
	_ im.Conn   = (*Conn)(nil)
	_ im.Typer  = (*Conn)(nil)
	_ im.Marker = (*Conn)(nil)
)

func newConn(s *Service, user, name string, contacts []Contact, sink im.Sink) *Conn {
	c := &Conn{service: s, user: user, name: name, sink: sink, shown: im.Presence{Show: im.Available},
		contacts: make(map[string]Contact, len(contacts))}
	for _, k := range contacts {
		if k.User != user {
			c.contacts[k.User] = k
		}
	}
	c.cond = sync.NewCond(&c.mu)
	return c
}

// Send puts the message into the recipient's log and returns when it is on disk there. Errors: Policy when nobody has the
// number, when the user has tried too many numbers that nobody has, or when the message is empty or too long; Network when
// the log cannot be written or ctx ended first, and then the same message may be sent again.
func (c *Conn) Send(ctx context.Context, m im.Outgoing) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	if err := check(m); err != nil {
		return err
	}
	to := m.To.ID
	if !c.service.mayTry(c, to) {
		return policy("local: %s", errNobody)
	}
	if _, err := c.service.Directory.Name(ctx, to); errors.Is(err, ErrUnknown) {
		c.service.wrongNumber(c.user)
		return policy("local: %s", errNobody)
	} else if err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	if err := c.service.Deliverer.Deliver(ctx, to, c.message(m)); err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	c.service.meet(c.user, c.name, to)
	c.post(im.Delivery{ID: m.ID, State: im.Sent})
	return nil
}

// check refuses what cannot be sent.
func check(m im.Outgoing) error {
	switch {
	case m.To.Network != im.Hark || m.To.ID == "":
		return policy("local: %q is not a Hark user", m.To.String())
	case m.ID == "":
		return policy("local: a message needs an id")
	case m.Body == "" && len(m.Attachments) == 0:
		return policy("local: an empty message")
	case len(m.Body) > im.MaxBody:
		return policy("local: a message of %d bytes; at most %d are allowed", len(m.Body), im.MaxBody)
	}
	return nil
}

// message is what the recipient gets.
func (c *Conn) message(m im.Outgoing) im.Message {
	body := strings.ToValidUTF8(m.Body, "\uFFFD")
	if body == "" {
		body = m.Attachments[0].URL
	}
	return im.Message{
		Origin: im.Hark + ":" + c.user + "/" + m.ID, ID: m.ID, From: address(c.user), To: m.To, Name: c.name,
		Body: body, Attachments: m.Attachments, ReplyTo: m.ReplyTo, Sent: c.service.now(), Markable: true,
	}
}

// SetPresence publishes the user's availability to those on this node whom he has written to.
func (c *Conn) SetPresence(ctx context.Context, p im.Presence) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	c.service.show(c, im.Presence{Show: p.Show, Text: p.Text})
	return nil
}

// SetTyping tells the other side that the user began or stopped typing, if both are on this node and the user has written
// to the other side before.
func (c *Conn) SetTyping(ctx context.Context, to im.Address, on bool) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	if to.Network != im.Hark {
		return policy("local: %q is not a Hark user", to.String())
	}
	c.service.pass(c.user, to.ID, im.ChatState{From: address(c.user), Typing: on})
	return nil
}

// MarkRead tells the sender that the message was heard or seen, if both are on this node and the user has written to the
// sender before: who was never answered learns nothing.
func (c *Conn) MarkRead(ctx context.Context, m im.Message) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	if m.From.Network == im.Hark && m.To == address(c.user) {
		c.service.pass(c.user, m.From.ID, im.Delivery{ID: m.ID, State: im.Read})
	}
	return nil
}

// usable refuses a Conn that is closed or a context that is over.
func (c *Conn) usable(ctx context.Context) error {
	err := ctx.Err()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		err = errClosed
	}
	if err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	return nil
}

// Ack does nothing: what the Sink gets need not be kept.
func (c *Conn) Ack(im.Position) {}

// Resume returns nil: there is nothing to go on with.
func (c *Conn) Resume() im.Resume { return nil }

// Close takes the user offline, whatever how says. It returns when the sink will not be called any more, or with ctx's
// error when the sink does not come back in time.
func (c *Conn) Close(ctx context.Context, _ im.CloseMode) error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.service.leave(c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first {
		c.add(im.State{})
	}
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cond.Broadcast()
	})
	defer stop()
	for c.handing {
		if err := ctx.Err(); err != nil {
			return &im.Error{Class: im.Network, Err: err}
		}
		c.cond.Wait()
	}
	return nil
}

// post queues an event for the sink; it never blocks.
func (c *Conn) post(body any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.add(body)
	}
}

// add queues an event. One about somebody's presence, typing or the roster replaces an older one of the kind that
// still waits, so that a sink that blocks does not make the queue grow. c.mu must be held.
func (c *Conn) add(body any) {
	c.pos++
	c.events = slices.DeleteFunc(c.events, func(e im.Event) bool { return outdated(e.Body, body) })
	c.events = append(c.events, im.Event{Pos: c.pos, Body: body})
	if !c.handing {
		c.handing = true
		go c.hand()
	}
}

// outdated tells that the older event need not be told any more.
func outdated(older, newer any) bool {
	switch newer := newer.(type) {
	case im.Presence:
		p, ok := older.(im.Presence)
		return ok && p.From == newer.From
	case im.ChatState:
		s, ok := older.(im.ChatState)
		return ok && s.From == newer.From
	case im.Roster:
		_, ok := older.(im.Roster)
		return ok
	}
	return false
}

// hand gives the sink what there is and ends.
func (c *Conn) hand() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.events) > 0 {
		e := c.events[0]
		c.events = slices.Delete(c.events, 0, 1)
		c.mu.Unlock()
		c.sink.Event(e)
		c.mu.Lock()
	}
	c.handing = false
	c.cond.Broadcast()
}

// roster lists the contacts by number. The Service's mutex must be held.
func (c *Conn) roster() im.Roster {
	r := im.Roster{Contacts: make([]im.Contact, 0, len(c.contacts))}
	for user, k := range c.contacts {
		r.Contacts = append(r.Contacts, im.Contact{Address: address(user), Name: k.Name})
	}
	slices.SortFunc(r.Contacts, func(a, b im.Contact) int { return strings.Compare(a.Address.ID, b.Address.ID) })
	return r
}
