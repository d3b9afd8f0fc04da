package presence

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

const (
	maxSendID  = 128
	maxAddress = 3071            // bytes (RFC 7622, 3.1)
	maxLink    = 2048            // bytes of a URL
	outcomeFor = 5 * time.Second // how long SEND waits for the network to take the message
)

// send carries out SEND: the message is in the store before OK, and goes out in the order of its number.
func (c *conn) send(ctx context.Context, req wire.SendRequest) (result, error) {
	if err := checkSend(req); err != nil {
		return result{}, err
	}
	network, err := c.networkOf(req.To)
	if err != nil {
		return result{}, err
	}
	s := c.session
	if !c.server.holds() {
		return result{}, tryLater(c.server.BeatEvery)
	}
	if !c.server.bucket(s.user).take(c.server.SendEvery, c.server.SendBurst) {
		return result{}, refuse(wire.Limit, "1", "you are sending too fast")
	}
	outcome := s.outcomes.expect(req.ID, req.To.Network)
	defer s.outcomes.forget(req.ID)
	seq, fresh, err := c.server.Sessions.Journal(ctx, s.user, s.epoch, im.Message{
		ID: req.ID, From: network.account.Address(), To: req.To,
		Body: req.Body, Attachments: req.Attachments, ReplyTo: req.ReplyTo, Sent: time.Now().UTC(), Outgoing: true,
	})
	if err != nil {
		return result{}, err
	}
	if !fresh {
		return c.sentBefore(ctx, seq)
	}
	network.poke()
	return c.outcome(ctx, seq, network, outcome)
}

// networkOf finds the login through which an address is reached.
func (c *conn) networkOf(to im.Address) (*uplink, error) {
	var u *uplink
	if err := c.session.ask(func() { u = c.session.uplink(to.Network) }); err != nil {
		return nil, err
	}
	if u == nil {
		return nil, refuse(wire.NotFound, "", "you have no login at this network")
	}
	return u, nil
}

// outcome waits for what becomes of a message that was just kept.
func (c *conn) outcome(ctx context.Context, seq sessions.Seq, u *uplink, outcome <-chan im.Delivery) (result, error) {
	var state string
	if err := c.session.ask(func() { state = u.state }); err != nil || state != stateOnline && state != stateConnecting {
		return queued(seq, u.network, state), nil
	}
	timer := time.NewTimer(outcomeFor)
	defer timer.Stop()
	select {
	case d := <-outcome:
		if d.State == im.Queued {
			return queued(seq, u.network, stateRetrying), nil
		}
		return result{payload: wire.SendReply{Seq: int64(seq), State: d.State}, text: d.Reason}, nil
	case <-timer.C:
	case <-c.session.dying:
	case <-ctx.Done():
	}
	return queued(seq, u.network, state), nil
}

// queued answers for a message that waits for its network.
func queued(seq sessions.Seq, network, state string) result {
	r := result{
		payload: wire.SendReply{Seq: int64(seq), State: im.Queued},
		code:    wire.Unavailable, arg: network, text: "kept, and sent as soon as the network is back",
	}
	if state == stateBadCredentials {
		r.code, r.text = wire.BadCredentials, "kept, but the network refuses your login"
	}
	return r
}

// sentBefore answers for a message whose id is known.
func (c *conn) sentBefore(ctx context.Context, seq sessions.Seq) (result, error) {
	reply := wire.SendReply{Seq: int64(seq), State: im.Sent}
	found, err := c.server.Sessions.Read(ctx, c.session.user, sessions.Query{After: seq - 1, Before: seq + 1, Max: 1})
	if err == nil && len(found) == 1 {
		reply.State = found[0].State
	}
	return result{payload: reply, text: "sent before"}, err
}

// checkSend checks what can be wrong with a message.
func checkSend(req wire.SendRequest) error {
	switch {
	case req.ID == "" || len(req.ID) > maxSendID || strings.ContainsFunc(req.ID, notPrintable):
		return badArgument("a message needs an id of 1 to 128 printable characters")
	case req.To.IsZero() || len(req.To.ID) > maxAddress:
		return badArgument("a message needs a receiver, whose address has at most 3071 bytes")
	case len(req.ReplyTo) > sessions.MaxID:
		return badArgument("the id of the message that this one answers has at most 512 bytes")
	case len(req.Body) > im.MaxBody || len(req.Attachments) > maxAttachments:
		return refuse(wire.TooLong, "", "the message is too long")
	case req.Body == "" && len(req.Attachments) == 0:
		return badArgument("the message is empty")
	case !utf8.ValidString(req.Body) || req.Body != cleanText(req.Body, im.MaxBody):
		return badArgument("the message contains control characters")
	}
	for _, a := range req.Attachments {
		if len(a.URL) > maxLink || strings.ContainsFunc(a.URL, notPrintable) || a.URL == "" {
			return badArgument("an attachment needs a link of at most 2048 printable characters")
		}
		if len(a.Type) > maxType || len(a.Title) > maxTitle {
			return badArgument("an attachment's media type has at most 100 bytes, its title 200")
		}
		if !im.IsWaveform(a.Waveform) {
			return badArgument("a waveform is at most 100 peaks, each from 0 to 100")
		}
	}
	return nil
}

func notPrintable(r rune) bool { return r <= ' ' || r == 0x7f }
