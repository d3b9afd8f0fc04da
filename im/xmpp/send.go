package xmpp

import (
	"context"
	"strings"

	"hark/im"
)

// Send hands a message to the server and returns once it is written, or has its place behind those that wait until the
// archive was read. A message that was sent before, on this Conn or on the one that it goes on from, is not sent again.
// Errors: Policy for what XMPP cannot carry, Throttled when the server is far behind with acknowledging, Network when the
// connection broke or ctx ended first.
func (c *Conn) Send(ctx context.Context, m im.Outgoing) error {
	to, err := bareAddress(m.To)
	if err != nil {
		return err
	}
	if err := check(m); err != nil {
		return err
	}
	data := outgoing(to, m).bytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return &im.Error{Class: im.Network, Err: c.cause}
	}
	if c.hasSent(m.ID) {
		return nil
	}
	if c.ledger.full() || len(c.held) >= maxQueued {
		return fail(im.Throttled, "xmpp: the server has not acknowledged %d stanzas", len(c.ledger.queue)+len(c.held))
	}
	s := sent{trace: trace{ID: m.ID, To: to}, Data: data}
	if len(c.held) > 0 {
		c.held = append(c.held, s)
		return nil
	}
	return c.writtenOut(ctx, c.sendStanza(s, data))
}

// check refuses what cannot be sent.
func check(m im.Outgoing) error {
	switch {
	case m.ID == "":
		return fail(im.Policy, "xmpp: a message needs an id")
	case m.Body == "" && len(m.Attachments) == 0:
		return fail(im.Policy, "xmpp: an empty message")
	case len(m.Body) > im.MaxBody:
		return fail(im.Policy, "xmpp: a message of %d bytes; at most %d are allowed", len(m.Body), im.MaxBody)
	}
	return nil
}

// hasSent tells whether the message went out, or is going to, already. c.mu must be held.
func (c *Conn) hasSent(id string) bool {
	for _, s := range c.held {
		if s.ID == id {
			return true
		}
	}
	_, known := c.ledger.knows(id)
	return known
}

// writtenOut waits for a ticket. c.mu must be held; it is released while waiting.
func (c *Conn) writtenOut(ctx context.Context, ticket uint64) error {
	if ticket == 0 {
		return &im.Error{Class: im.Network, Err: c.cause}
	}
	return c.waitWritten(ctx, ticket)
}

// outgoing is the stanza of a message: the text, the links, a request for a receipt, and the id in the form that
// archives keep.
func outgoing(to string, m im.Outgoing) *element {
	body := m.Body
	if body == "" {
		body = m.Attachments[0].URL
	}
	e := el(nsClient, "message", "to", to, "type", "chat", "id", m.ID).with(el(nsClient, "body").says(clean(body)))
	for _, a := range m.Attachments {
		x := el(nsOOB, "x").with(el(nsOOB, "url").says(clean(a.URL)))
		if a.Title != "" {
			x.with(el(nsOOB, "desc").says(clean(a.Title)))
		}
		e.with(x, sharing(a))
	}
	if m.ReplyTo != "" {
		e.with(el(nsReply, "reply", "to", to, "id", m.ReplyTo))
	}
	return e.with(el(nsStates, "active"), el(nsReceipts, "request"), el(nsMarkers, "markable"),
		el(nsSID, "origin-id", "id", m.ID))
}

// clean drops the characters that XML cannot carry, so that they do not arrive as question marks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
}

// SetTyping tells the other side that the user began or stopped typing (XEP-0085).
func (c *Conn) SetTyping(ctx context.Context, to im.Address, on bool) error {
	state := "paused"
	if on {
		state = "composing"
	}
	return c.hint(ctx, to, el(nsStates, state), el(nsHints, "no-store"))
}

// MarkRead tells the sender that the user has heard or seen the message (XEP-0333).
func (c *Conn) MarkRead(ctx context.Context, m im.Message) error {
	if m.ID == "" {
		return nil // there is nothing to refer to
	}
	return c.hint(ctx, m.From, el(nsMarkers, "displayed", "id", m.ID), el(nsHints, "store"))
}

// hint sends a message without a body. It has no id, so that nobody can mistake a failure of it for one of a message.
func (c *Conn) hint(ctx context.Context, to im.Address, payload ...*element) error {
	bare, err := bareAddress(to)
	if err != nil {
		return err
	}
	data := el(nsClient, "message", "to", bare, "type", "chat").with(payload...).bytes()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writtenOut(ctx, c.sendStanza(sent{}, data))
}
