package ivr

import (
	"context"
	"errors"

	"hark/im"
)

// Phones knows at which telephones Hark's users are reached.
type Phones interface {
	// Reach returns what a Dialler rings to reach user, whom the user by wants to talk to. ErrNoWay when that one has no
	// telephone, is not to be called now, has never written to by, or by may make no more calls today: whoever asks does
	// not learn which.
	Reach(ctx context.Context, by, user string) (endpoint string, err error)
}

// reachNodes connect the caller with somebody.
func reachNodes() []*node {
	return []*node{
		{name: atDial, kind: passing, run: connect, quiet: true, next: []state{atReader, atOnline},
			said: []string{"dial.calling", "dial.busy", "dial.noanswer", "dial.noway", "dial.over"}},
	}
}

// dialSaid is what is said after a Dial, by its end.
var dialSaid = map[DialEnd]string{
	DialBusy: "dial.busy", DialNoAnswer: "dial.noanswer", DialCongestion: "dial.noway", DialNoRoute: "dial.noway",
	DialKey: "dial.over", DialFar: "dial.over", DialMax: "dial.over",
}

// canCall tells whether somebody could be rung from this call at all; whether there is a telephone is asked when it is
// wanted.
func (c *Call) canCall(who im.Address) bool {
	_, ok := c.line.(Dialler)
	return ok && c.srv.Phones != nil && who.Network == im.Hark && who.ID != c.session.User
}

// senderCanBeCalled is canCall for who wrote the message at hand.
func senderCanBeCalled(c *Call) bool {
	m, ok := c.queue.current()
	return ok && c.canCall(m.From)
}

func namedCanBeCalled(c *Call) bool { return c.canCall(c.person) }

func callSender(_ context.Context, c *Call) (state, error) {
	m, _ := c.queue.current()
	c.person, c.after = m.From, atReader
	return atDial, nil
}

func callNamed(_ context.Context, c *Call) (state, error) {
	c.after = atOnline
	return atDial, nil
}

// connect rings the person at hand and lets the two talk. Afterwards the caller is where he was.
func connect(ctx context.Context, c *Call) (state, error) {
	var endpoint string
	err := c.await(ctx, func(ctx context.Context) (err error) {
		endpoint, err = c.srv.Phones.Reach(ctx, c.session.User, c.person.ID)
		return err
	})
	if errors.Is(err, ErrNoWay) {
		c.tell(say("dial.noway", "name", c.called(c.person)))
		return c.after, nil
	}
	if err != nil {
		return "", err
	}
	if err := c.play(ctx, say("dial.calling", "name", c.called(c.person))); err != nil {
		return "", err
	}
	out, err := c.line.(Dialler).Dial(ctx, Dial{
		Endpoint: endpoint, From: c.line.Called(), Connect: c.set.Ring, Max: c.set.Talk,
		Ringing: c.clips(ctx, earcon("ring")), Listen: func(key byte) bool { return key == '*' },
	})
	if err != nil && (ctx.Err() != nil || !errors.Is(err, ErrLine)) {
		return "", err
	}
	if err != nil {
		c.log.Warn("nobody could be dialled", "err", err)
		out.End = DialNoRoute
	}
	c.tell(phrase{id: dialSaid[out.End], args: c.facts()})
	return c.after, nil
}
