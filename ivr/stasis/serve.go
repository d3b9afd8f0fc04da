package stasis

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"hark/ivr"
)

var errPanic = errors.New("stasis: Handle panicked")

// dispatch gives an event to the call that it belongs to, or begins a call. It never blocks: the websocket's reader is
// behind it.
func (a *App) dispatch(e event, at time.Time) {
	if isFar(e.channelID()) {
		a.tellDialler(e, at)
		return
	}
	if e.Type == "StasisStart" && e.Channel != nil {
		if slices.Equal(e.Args, []string{outArg}) {
			a.beginOutgoing(e.Channel)
			return
		}
		a.begin(e.Channel, e.Args, false)
		return
	}
	if e.Type == "ChannelDestroyed" {
		a.calls.notPickedUp(e.channelID())
	}
	n, ok := e.note(at)
	if l := a.calls.get(e.channelID()); ok && l != nil {
		l.tell(n)
	}
}

// begin starts the call of a channel in a goroutine of its own.
func (a *App) begin(c *channel, args []string, adopted bool) {
	l := newLine(a, c, adopted)
	limit := a.MaxCalls
	if !isCall(c, args) {
		limit = 0
	}
	switch a.calls.admit(l, limit) {
	case admitted:
		go a.serve(l)
	case refused:
		a.log.Warn("a call was let through to the dialplan", "call", l.id, "calls", a.calls.count())
		a.helpers.Go(func() { a.giveBack(l) })
	case known:
		l.cancel(nil)
	}
}

// isCall tells a telephone call from a text message, which comes on a channel too.
func isCall(c *channel, args []string) bool {
	return !strings.HasPrefix(c.Name, "Message/") && (len(args) == 0 || args[0] != "message")
}

// serve is a call from its beginning to its end.
func (a *App) serve(l *Line) {
	defer a.calls.done(l)
	if l.out != nil {
		defer a.calls.finish(l.out)
	}
	a.log.Info("call", "call", l.id, "called", l.called, "adopted", l.adopted)
	err := a.handle(l)
	if l.given != nil {
		a.attend(l)
	}
	switch cause := context.Cause(l.ctx); {
	case errors.Is(cause, ivr.ErrHangup), errors.Is(cause, ErrReplaced):
	case cause != nil && l.out == nil:
		a.giveBack(l)
	case err != nil && l.out == nil:
		a.log.Error("a call failed and goes on in the dialplan", "call", l.id, "err", err)
		a.giveBack(l)
	case !l.hungUp:
		a.hangUp(l)
	}
	l.end(ivr.ErrHangup)
	a.log.Info("call ended", "call", l.id, "cause", context.Cause(l.ctx))
}

// handle runs Handle; its panic ends this call only.
func (a *App) handle(l *Line) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("a call panicked", "call", l.id, "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	if l.out != nil {
		return l.out.Handle(l.ctx, l)
	}
	if l.adopted {
		if err := l.hush(l.ctx); err != nil {
			a.log.Warn("what was played before may play on", "call", l.id, "err", err)
		}
	}
	return a.Handle(l.ctx, l)
}

func (a *App) hangUp(l *Line) {
	if err := a.rest.hangup(context.Background(), l.id); err != nil && !gone(err) {
		a.log.Warn("cannot hang up", "call", l.id, "err", err)
	}
}

// giveBack lets the call go on in the dialplan where that apologises, or where it stands if that has no such label.
func (a *App) giveBack(l *Line) {
	ctx := context.Background()
	err := a.rest.letGo(ctx, l.id, a.Sorry)
	if status(err) != 0 && !gone(err) {
		err = a.rest.letGo(ctx, l.id, "")
	}
	if err != nil && !gone(err) {
		a.log.Warn("cannot give the call back to the dialplan", "call", l.id, "err", err)
	}
	l.end(ivr.ErrHangup)
}

// gone tells that Asterisk has no such channel, or that it has left the application.
func gone(err error) bool {
	code := status(err)
	return code == http.StatusNotFound || code == http.StatusConflict
}
