package stasis

import (
	"cmp"
	"context"
	"errors"
	"time"

	"hark/ivr"
	"hark/prompts"
)

// defaultConnect is Dial.Connect's default.
const defaultConnect = 30 * time.Second

var _ ivr.Dialler = (*Line)(nil)

// Dial implements ivr.Dialler. When the connection to Asterisk is lost meanwhile, the two talk on; what became of the
// other side is looked up when it is back.
func (l *Line) Dial(ctx context.Context, d ivr.Dial) (ivr.Dialled, error) {
	d.Connect = cmp.Or(d.Connect, defaultConnect)
	far := &leg{Line: l, id: l.app.ids.far()}
	l.app.calls.lend(far.id, l)
	out, err := far.dial(ctx, d)
	if err == nil && out.End == ivr.DialHandedOver {
		l.given = far
		return out, nil
	}
	far.end(ctx)
	l.keys = nil
	return out, err
}

func (f *leg) dial(ctx context.Context, d ivr.Dial) (ivr.Dialled, error) {
	f.rings = time.Now()
	if err := f.begin(ctx, d); err != nil {
		return f.refused(ctx, err, ivr.DialNoRoute)
	}
	end, err := f.ring(ctx, d)
	if err != nil || end != "" {
		return ivr.Dialled{End: end}, err
	}
	if err := f.connect(ctx); err != nil {
		return f.notConnected(ctx, err)
	}
	if d.HandOver {
		return ivr.Dialled{End: ivr.DialHandedOver}, nil
	}
	end, err = f.talk(ctx, d)
	return ivr.Dialled{End: end, Duration: time.Since(f.answered)}, err
}

// ring plays to the caller until the other side answers, which is "", or does not.
func (f *leg) ring(ctx context.Context, d ivr.Dial) (ivr.DialEnd, error) {
	deadline := time.Now().Add(d.Connect + stopTime) // Asterisk's own clock comes first
	tone := &ringing{leg: f, clips: d.Ringing}
	if err := tone.again(ctx); err != nil {
		return "", err
	}
	defer tone.stop(ctx)
	for {
		n, err := f.next(ctx, tone.wake(deadline))
		if err != nil {
			return "", err
		}
		switch {
		case n.kind == farAnswered && n.id == f.id:
			f.answered = time.Now()
			return "", nil
		case n.kind == farEnded && n.id == f.id:
			return f.unanswered(n, d), nil
		case n.kind == expired && !n.at.Before(deadline):
			return ivr.DialNoAnswer, nil
		case n.kind == linkUp:
			if end, err := f.lookAgain(ctx, ivr.DialNoAnswer); end != "" || err != nil {
				return end, err
			}
		}
		if err := tone.hear(ctx, n); err != nil {
			return "", err
		}
	}
}

// A ringing is what the caller hears while the other side does not answer: clips over and over, or silence.
type ringing struct {
	*leg
	clips  []prompts.Clip
	player *player
}

// again plays the clips once.
func (r *ringing) again(ctx context.Context) (err error) {
	if r.player, err = newPlayer(r.Line, r.clips); err != nil {
		return err
	}
	if len(r.clips) == 0 {
		r.sendSilence(ctx)
	}
	return r.player.start(ctx)
}

// wake is when something is to be done even if nothing happens, at the latest at the deadline.
func (r *ringing) wake(deadline time.Time) time.Time {
	if at := r.player.wake(); !at.IsZero() && at.Before(deadline) {
		return at
	}
	return deadline
}

// hear takes note of what Asterisk tells about the clips.
func (r *ringing) hear(ctx context.Context, n note) error {
	if err := r.player.hear(ctx, n); err != nil {
		return err
	}
	if r.player.pausing() {
		r.sendSilence(ctx)
	}
	if r.player.done() && len(r.clips) > 0 {
		return r.again(ctx)
	}
	return nil
}

func (r *ringing) stop(ctx context.Context) { r.player.stop(ctx, time.Now()) }

// talk waits for the end of the connection.
func (f *leg) talk(ctx context.Context, d ivr.Dial) (ivr.DialEnd, error) {
	var deadline time.Time
	if d.Max > 0 {
		deadline = time.Now().Add(d.Max)
	}
	for {
		n, err := f.next(ctx, deadline)
		if err != nil {
			return "", err
		}
		switch {
		case n.kind == expired:
			return ivr.DialMax, nil
		case n.kind == farEnded && n.id == f.id:
			return ivr.DialFar, nil
		case n.kind == keyPressed && f.listened(n, d.Listen):
			return ivr.DialKey, nil
		case n.kind == linkUp:
			if end, err := f.lookAgain(ctx, ivr.DialFar); end != "" || err != nil {
				return end, err
			}
		}
	}
}

// listened gives a key of the caller to who listens, and tells whether that one has heard enough.
func (f *leg) listened(n note, listen func(key byte) bool) bool {
	f.keys = nil
	f.keep(n)
	return listen != nil && len(f.keys) == 1 && listen(f.keys[0])
}

// attend stays with a caller who was given away until one side hangs up, and then lets go of the other one.
func (a *App) attend(l *Line) {
	_, err := l.given.talk(l.ctx, ivr.Dial{})
	l.given.end(context.Background())
	if err != nil && !errors.Is(err, ivr.ErrHangup) {
		a.log.Warn("a call that was handed over ended", "call", l.id, "err", err)
	}
}
