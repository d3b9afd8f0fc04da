package presence

import (
	"context"
	"encoding/json"
	"errors"

	"hark/presence/wire"
	"hark/sessions"
)

// A result is what a handler answers with OK.
type result struct {
	payload any    // nil for none
	code    string // with OK: something the user should know
	arg     string
	text    string
	leave   bool   // the connection ends after the reply
	after   func() // runs when the reply is on its way; nil for nothing
}

// A handler carries out one verb.
type handler func(c *conn, ctx context.Context, arg json.RawMessage) (result, error)

// A verb says how a verb is carried out, and whether that is before or after LOGIN.
type verb struct {
	run    handler
	before bool // allowed without a session
	only   bool // not allowed with one
}

// verbs are the verbs of the protocol; each is carried out in a file of its own.
var verbs = map[string]verb{
	wire.Login:    {run: with((*conn).login), before: true, only: true},
	wire.Resume:   {run: with((*conn).resume), before: true, only: true},
	wire.Ping:     {run: without((*conn).pong), before: true},
	wire.Fetch:    {run: with((*conn).fetch)},
	wire.Ack:      {run: with((*conn).ack)},
	wire.Send:     {run: with((*conn).send)},
	wire.Roster:   {run: without((*conn).roster)},
	wire.Status:   {run: with((*conn).setStatus)},
	wire.Typing:   {run: with((*conn).typing)},
	wire.Draft:    {run: with(oneFact(draftFact))},
	wire.Place:    {run: with(oneFact(placeFact))},
	wire.State:    {run: with((*conn).fact)},
	wire.Networks: {run: without((*conn).networks)},
	wire.Detach:   {run: without((*conn).leave), before: true},
	wire.Logout:   {run: without((*conn).logout)},
}

// with makes a handler of a method with an argument.
func with[T any](f func(*conn, context.Context, T) (result, error)) handler {
	return func(c *conn, ctx context.Context, raw json.RawMessage) (result, error) {
		var arg T
		if err := wire.Unmarshal(raw, &arg); err != nil {
			return result{}, err
		}
		return f(c, ctx, arg)
	}
}

// without makes a handler of a method that takes no argument; one that is given is ignored.
func without(f func(*conn, context.Context) (result, error)) handler {
	return func(c *conn, ctx context.Context, _ json.RawMessage) (result, error) { return f(c, ctx) }
}

// carryOut carries a request out and answers it; false ends the connection.
func (c *conn) carryOut(req wire.Request) bool {
	ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
	defer cancel()
	res, err := c.dispatch(ctx, req)
	reply := wire.Reply{Tag: req.Tag, Status: wire.OK, Code: res.code, CodeArg: res.arg, Text: res.text}
	if err == nil && res.payload != nil {
		reply.JSON, err = wire.Marshal(res.payload)
	}
	if err != nil {
		reply = c.refused(req, err)
	}
	replied := c.reply(reply)
	if res.after != nil {
		res.after()
	}
	if !replied || res.leave {
		return false
	}
	if reply.Status == wire.BAD {
		return c.countMalformed()
	}
	c.malformed = 0
	return c.stillWelcome()
}

// dispatch finds the verb.
func (c *conn) dispatch(ctx context.Context, req wire.Request) (result, error) {
	v, ok := verbs[req.Verb]
	switch {
	case !ok:
		return result{}, badArgument("there is no such verb")
	case v.only && c.session != nil:
		return result{}, badArgument("this connection has a session already")
	case !v.before && c.session == nil:
		return result{}, refuse(wire.NoSession, "", "log in first")
	}
	return v.run(c, ctx, req.Arg)
}

// refused makes the reply for an error; what must not be told goes to the log. A session whose record was taken from it
// ends: nobody could do anything in it.
func (c *conn) refused(req wire.Request, err error) wire.Reply {
	if errors.Is(err, sessions.ErrFenced) && c.session != nil {
		c.session.fenced()
	}
	e, told := refusal(err)
	if !told {
		c.log.Error("presence: request failed", "verb", req.Verb, "err", err)
	}
	return wire.Reply{Tag: req.Tag, Status: e.Status, Code: e.Code, CodeArg: e.Arg, Text: e.Text}
}

// stillWelcome ends a connection that failed to log in too often.
func (c *conn) stillWelcome() bool {
	if c.bad < maxBadPerConn {
		return true
	}
	c.bye(wire.ByeEvent{Code: wire.Limit, Text: "too many wrong tries"})
	return false
}

// pong answers PING.
func (c *conn) pong(context.Context) (result, error) { return result{}, nil }
