package stasis

import (
	"cmp"
	"context"
	"errors"
	"time"

	"hark/ivr"
)

// An Outgoing is a call that Hark itself makes. Whoever makes one has decided that the number may be dialled (T14).
type Outgoing struct {
	Endpoint string        // in Asterisk's words: "PJSIP/+4930123@trunk"
	Number   string        // of the one who is called: what the Line says the caller is
	From     string        // the number that is shown: what the Line says was called
	Connect  time.Duration // how long it may ring; 0 is 30 s
	Handle   func(ctx context.Context, line ivr.Line) error
}

// ErrNotAnswered is what Call returns when nobody answered, in time or at all.
var ErrNotAnswered = errors.New("stasis: nobody answered")

// outMark stands in the ids of the channels that Call makes.
const outMark = "out-"

// outArg is the argument with which they come into the application.
const outArg = "out"

// Call rings a telephone and runs Handle when somebody answers, as App.Handle is run for callers; the call counts among
// them. Call returns when it is over: nil when it was answered, ErrNotAnswered, or an error of Asterisk's. A ctx that ends
// stops the ringing; it does not end a call that was answered. It may be called from any goroutine while Run runs.
func (a *App) Call(ctx context.Context, o Outgoing) error {
	out := &outgoing{Outgoing: o, id: a.ids.out(), answered: make(chan struct{}), over: make(chan struct{})}
	connect := cmp.Or(o.Connect, defaultConnect)
	a.calls.expect(out)
	defer a.calls.forget(out)
	if err := a.rest.originate(ctx, a.Name, out.id, o.Endpoint, o.From, connect); err != nil {
		if status(err) != 0 {
			return errors.Join(ErrNotAnswered, err)
		}
		return err
	}
	late := time.NewTimer(connect + stopTime) // Asterisk's own clock comes first
	defer late.Stop()
	select {
	case <-out.answered:
		<-out.over
		return nil
	case <-out.over:
		return ErrNotAnswered
	case <-late.C:
	case <-ctx.Done():
	}
	if a.calls.giveUp(out) {
		a.dropOutgoing(ctx, out.id)
		return cmp.Or(context.Cause(ctx), ErrNotAnswered)
	}
	<-out.over // it was answered in this moment
	return nil
}

// dropOutgoing hangs up a call of ours that nobody waits for.
func (a *App) dropOutgoing(ctx context.Context, id string) {
	ctx, cancel := tidy(ctx)
	defer cancel()
	if err := a.rest.hangup(ctx, id); err != nil && !gone(err) {
		a.log.Warn("cannot let go of a call that was made", "call", id, "err", err)
	}
}

// An outgoing is a call that is being made. calls' mutex guards began and ended.
type outgoing struct {
	Outgoing
	id           string
	began, ended bool
	answered     chan struct{} // closed when it is answered
	over         chan struct{} // closed when it is over, answered or not
}

// expect lets the channel of o become a call when it comes into the application.
func (c *calls) expect(o *outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.coming[o.id] = o
}

func (c *calls) forget(o *outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.coming, o.id)
}

// pickedUp takes the expected call of a channel that came in; nil when it is not expected, or not any more.
func (c *calls) pickedUp(channel string) *outgoing {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.coming[channel]
	if o == nil || o.began || o.ended {
		return nil
	}
	o.began = true
	close(o.answered)
	return o
}

// giveUp ends the expecting; false when it was picked up already.
func (c *calls) giveUp(o *outgoing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.began {
		return false
	}
	o.end()
	return true
}

// notPickedUp is told that a channel is gone, which may be one that is expected.
func (c *calls) notPickedUp(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.coming[channel]; o != nil && !o.began {
		o.end()
	}
}

// end says that it is over. The caller holds the lock.
func (o *outgoing) end() {
	if !o.ended {
		o.ended = true
		close(o.over)
	}
}

// beginOutgoing starts the call of a channel that we dialled. One that nobody expects any more is hung up.
func (a *App) beginOutgoing(c *channel) {
	if o := a.calls.pickedUp(c.ID); o != nil {
		a.serveOutgoing(c, o)
	} else if a.calls.get(c.ID) == nil { // else resync was faster
		a.helpers.Go(func() { a.dropOutgoing(context.Background(), c.ID) })
	}
}

// serveOutgoing makes a call of the channel of one that was answered.
func (a *App) serveOutgoing(c *channel, o *outgoing) {
	l := newLine(a, c, false)
	l.caller, l.called, l.answered, l.out = o.Number, o.From, true, o
	if a.calls.admit(l, a.MaxCalls) == admitted {
		go a.serve(l)
		return
	}
	a.helpers.Go(func() { a.dropOutgoing(context.Background(), c.ID) })
	a.calls.finish(o)
}

// finish says that an answered call is over.
func (c *calls) finish(o *outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o.end()
}
