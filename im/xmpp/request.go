package xmpp

import (
	"context"
	"fmt"

	"hark/im"
)

// A reply is what is to be done when the answer to a request comes.
type reply struct {
	to string // whom the request went to; "" is our own server
	// got gets the payload of a result, or an error: a *refusal when the answer is an error. It is called with c.mu
	// held.
	got func(answer *element, err error)
}

// A refusal is an IQ of type error.
type refusal struct{ condition string }

func (r *refusal) Error() string { return "xmpp: refused: " + r.condition }

// ask returns an IQ request whose answer goes to got. c.mu must be held.
func (c *Conn) ask(kind, to string, payload *element, got func(*element, error)) []byte {
	id := c.newID()
	if c.replies == nil {
		c.replies = make(map[string]reply)
	}
	c.replies[id] = reply{to: to, got: got}
	return el(nsClient, "iq", "type", kind, "id", id, "to", to).with(payload).bytes()
}

// tell sends a request, whose answer goes to got. c.mu must be held.
func (c *Conn) tell(kind string, payload *element, got func(*element, error)) {
	c.sendStanza(sent{}, c.ask(kind, "", payload, got))
}

// call sends a request and waits for the answer.
func (c *Conn) call(ctx context.Context, kind string, payload *element) (*element, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timing.Reply)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	var (
		done   bool
		answer *element
		err    error
	)
	if c.cause != nil {
		return nil, &im.Error{Class: im.Network, Err: c.cause}
	}
	c.askers++
	defer func() { c.askers-- }()
	c.cond.Broadcast() // the reader may be waiting for room
	c.tell(kind, payload, func(a *element, e error) {
		done, answer, err = true, a, e
		c.cond.Broadcast()
	})
	if err := c.wait(ctx, func() bool { return done }); err != nil {
		return nil, &im.Error{Class: im.Network, Err: err}
	}
	return answer, asError(err)
}

// asError gives the error of a request its class.
func asError(err error) error {
	switch err := err.(type) {
	case nil:
		return nil
	case *refusal:
		return &im.Error{Class: stanzaClass(err.condition), Err: err}
	}
	return &im.Error{Class: im.Network, Err: err}
}

// answered gives an IQ of type result or error to who waits for it. An answer that does not come from whom was asked
// is not one. c.mu must be held.
func (c *Conn) answered(e *element) {
	id := e.attr("id")
	r, ok := c.replies[id]
	if !ok || !c.comesFrom(e, r.to) {
		return
	}
	delete(c.replies, id)
	if len(c.replies) == 0 {
		c.replies = nil
	}
	if e.attr("type") == "error" {
		r.got(nil, &refusal{condition: condition(e.child(nsClient, "error"))})
		return
	}
	var payload *element
	if len(e.kids) > 0 {
		payload = e.kids[0]
	}
	r.got(payload, nil)
}

// comesFrom tells whether the stanza comes from an address, "" being our own server or account.
func (c *Conn) comesFrom(e *element, to string) bool {
	from := e.attr("from")
	if to != "" {
		return from == to
	}
	return c.view.isOurs(from) || from == c.view.full || from == domainOf(c.own)
}

// failReplies tells everybody who waits that no answer will come. c.mu must be held.
func (c *Conn) failReplies() {
	waiting := c.replies
	c.replies = nil
	for _, r := range waiting {
		r.got(nil, fmt.Errorf("xmpp: no answer: %w", c.cause))
	}
}

// condition returns the name of an error's condition (RFC 6120, 8.3.3).
func condition(e *element) string {
	if e != nil {
		for _, k := range e.kids {
			if k.name.Space == nsStanzas && k.name.Local != "text" {
				return k.name.Local
			}
		}
	}
	return "undefined-condition"
}
