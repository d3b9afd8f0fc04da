package sipphone

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
)

// SIP statuses that Options.Refuse may give (RFC 3261, 21).
const (
	Ringing     = 180 // nobody answers
	Unavailable = 480
	Busy        = 486
)

// Listen begins to answer calls that come in, at once; To, User and Password of o do not matter. Accept hands them out.
func (p *Phone) Listen(o Options) {
	o = o.withDefaults()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listen = &o
}

// Accept waits for the next call that came in. It is answered already; end it with Hangup.
func (p *Phone) Accept(ctx context.Context) (*Call, error) {
	select {
	case c := <-p.coming:
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// onInvite answers a call, or a change within one. The SIP stack ends the transaction when it returns.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	p.mu.Lock()
	o, closed := p.listen, p.closed
	p.mu.Unlock()
	if c := p.find(req); c != nil {
		c.reinvited(req, tx)
		return
	}
	if o == nil || closed {
		p.respond(tx, req, Unavailable, "Temporarily Unavailable")
		return
	}
	if o.Refuse != nil {
		if code := o.Refuse(req.Recipient.User); code != 0 {
			p.turnAway(req, tx, code)
			return
		}
	}
	if err := p.pickUp(req, tx, *o); err != nil {
		p.log.Warn("a call that came in was not answered", "err", err)
		p.respond(tx, req, 488, "Not Acceptable Here")
	}
}

// turnAway refuses a call, or lets it ring until it is cancelled, which the SIP stack confirms.
func (p *Phone) turnAway(req *sip.Request, tx sip.ServerTransaction, code int) {
	if code != Ringing {
		p.respond(tx, req, code, "Refused")
		return
	}
	p.respond(tx, req, code, "Ringing")
	<-tx.Done()
}

// pickUp answers and, once the other side has confirmed, offers the call to Accept.
func (p *Phone) pickUp(req *sip.Request, tx sip.ServerTransaction, o Options) error {
	there, err := parseSDP(req.Body())
	if err != nil {
		return err
	}
	o.Codec = lawNames[there.payload]
	c, err := newCall(p, o)
	if err != nil {
		return err
	}
	if err := c.pickUp(req, tx, there); err != nil {
		c.end(ErrEnded)
		c.wait()
		return err
	}
	select {
	case p.coming <- c:
	default: // nobody accepts
		return c.Hangup(context.Background())
	}
	return nil
}

func (c *Call) pickUp(req *sip.Request, tx sip.ServerTransaction, there description) error {
	dialog, err := c.phone.dialogs.ReadInvite(req, tx)
	if err != nil {
		return err
	}
	c.server, c.id = dialog, req.CallID().Value()
	if err := c.phone.add(c.id, c); err != nil {
		return err
	}
	c.up.Store(true)
	c.work.Go(func() { c.ear.listen(c.media) })
	if there.keys == 0 {
		there.keys = keyPayload
	}
	if err := dialog.RespondSDP(c.sdp(there.payload, there.keys)); err != nil {
		return err
	}
	c.ear.begin(time.Now())
	return c.talk(req.Body())
}

// reinvited confirms a change within the call; where the sound goes stays as it was.
func (c *Call) reinvited(req *sip.Request, tx sip.ServerTransaction) {
	res := sip.NewSDPResponseFromRequest(req, c.sdp(c.law.payload, keyPayload))
	contact := c.phone.contact()
	res.AppendHeader(&contact)
	if err := tx.Respond(res); err != nil {
		c.phone.log.Debug("a re-INVITE was not answered", "err", err)
	}
}
