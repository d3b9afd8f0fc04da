package xmpp

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"mellium.im/xmpp/stream"

	"hark/im"
)

// How many origins are remembered to tell a message that comes both by itself and out of the archive.
const (
	maxSeen          = 128
	maxSeenAppearing = 1024 // until lookBack is through
)

// handle does what one element of the stream asks for. Only the reader calls it. An error ends the connection.
func (c *Conn) handle(e *element) error {
	switch e.name.Space {
	case nsClient:
		c.handleStanza(e)
	case nsSM:
		return c.handleSM(e)
	case nsStream:
		if e.name.Local == "error" {
			return streamError(e)
		}
	}
	return nil
}

// handleStanza counts a stanza and handles it.
func (c *Conn) handleStanza(e *element) {
	var r reading
	if e.name.Local == "message" {
		r = c.view.read(e) // without the lock, which it takes to look up names
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger.in++
	switch e.name.Local {
	case "message":
		c.handleMessage(r)
	case "presence":
		c.handlePresence(e)
	case "iq":
		c.handleIQ(e)
	}
	if c.sm && c.ledger.silent() {
		c.emit(true, im.Progress{})
	}
}

// handleSM answers the elements of XEP-0198.
func (c *Conn) handleSM(e *element) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.name.Local {
	case "r":
		c.asked()
	case "a":
		h, ok := parseCount(e.attr("h"))
		if !ok {
			return fail(im.Protocol, "xmpp: acknowledgement without a count")
		}
		return c.confirmed(h)
	}
	return nil
}

// handleMessage emits what a message means. c.mu must be held.
func (c *Conn) handleMessage(r reading) {
	if r.query != "" && r.query != c.query {
		return // of a query that nobody waits for, or that a stranger invented
	}
	// While the archive is read on, only what is read counts; while we look back, only what comes by itself.
	if r.archive.ID != "" && (r.query == "") == (c.query == "" || c.lookingBack) {
		c.ledger.archive = r.archive
	}
	var bodies []any
	if r.message != nil && c.fresh(r) {
		bodies = append(bodies, *r.message)
	}
	if r.delivery != nil && c.plausible(r) {
		bodies = append(bodies, *r.delivery)
	}
	if r.typing != nil {
		bodies = append(bodies, *r.typing)
	}
	for i, body := range bodies {
		var due []byte
		if _, ok := body.(im.Message); ok && c.trusts(r.message.From.ID) {
			due = r.receipt
		}
		c.emitOne(i == len(bodies)-1, body, due)
	}
}

// fresh tells whether the user has not been given the message yet. A message that Hark itself sent is known already;
// that the archive has it says that the server has it. c.mu must be held.
func (c *Conn) fresh(r reading) bool {
	if r.message.Outgoing && c.sentByUs(r) {
		return false
	}
	if slices.Contains(c.seen, r.message.Origin) {
		return false
	}
	c.seen = append(c.seen, r.message.Origin)
	most := maxSeen
	if !c.appeared.IsZero() {
		most = maxSeenAppearing
	}
	if extra := len(c.seen) - most; extra > 0 {
		c.seen = slices.Delete(c.seen, 0, extra)
	}
	return true
}

// sentByUs tells whether the message was sent by this login. c.mu must be held.
func (c *Conn) sentByUs(r reading) bool {
	id := r.message.ID
	for i, s := range c.held {
		if s.ID == id {
			c.held = slices.Delete(slices.Clone(c.held), i, i+1)
			c.ledger.remember(s.trace)
			c.emitSent([]string{id})
			return true
		}
	}
	_, known := c.ledger.knows(id)
	return known || r.resource != "" && r.resource == resourceOf(c.view.full)
}

// plausible tells whether a report on a message comes from whom the message went to, as far as that is remembered.
// c.mu must be held.
func (c *Conn) plausible(r reading) bool {
	to, known := c.ledger.knows(r.delivery.ID)
	return !known || r.from == to || r.from == c.own || r.from == domainOf(c.own) || r.delivery.State == im.Failed && r.from == domainOf(to)
}

// handleIQ answers a request or uses an answer. c.mu must be held.
func (c *Conn) handleIQ(e *element) {
	switch e.attr("type") {
	case "result", "error":
		c.answered(e)
	case "get", "set":
		answer := el(nsClient, "iq", "type", "result", "id", e.attr("id"), "to", e.attr("from"))
		if payload, ok := c.serve(e); ok {
			answer.with(payload...)
		} else {
			answer.attrs[0].Value = "error"
			answer.with(el(nsClient, "error", "type", "cancel").with(el(nsStanzas, "service-unavailable")))
		}
		c.sendStanza(sent{}, answer.bytes())
	}
}

// serve does what a request asks and returns the payload of the answer. c.mu must be held.
func (c *Conn) serve(e *element) (payload []*element, ok bool) {
	get := e.attr("type") == "get"
	switch {
	case get && e.child(nsPing, "ping") != nil:
		return nil, true
	case get && e.child(nsDisco, "query") != nil:
		return []*element{features(e.child(nsDisco, "query").attr("node"))}, true
	case !get && e.child(nsRoster, "query") != nil && c.view.isOurs(e.attr("from")):
		c.pushed(e.child(nsRoster, "query"))
		return nil, true
	}
	return nil, false
}

// features says what we can do (XEP-0030).
func features(node string) *element {
	q := el(nsDisco, "query", "node", node).with(el(nsDisco, "identity", "category", "client", "type", "phone", "name", "Hark"))
	for _, f := range []string{nsDisco, nsPing, nsReceipts, nsMarkers, nsStates, nsOOB, nsReply} {
		q.with(el(nsDisco, "feature", "var", f))
	}
	return q
}

// streamError reads what the server says before it closes the stream.
func streamError(e *element) error {
	err := stream.Error{Err: "undefined-condition"}
	for _, k := range e.kids {
		if k.name.Space == "urn:ietf:params:xml:ns:xmpp-streams" && k.name.Local != "text" {
			err.Err = k.name.Local
		}
	}
	return err
}

// digest is a short name for a text.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}
