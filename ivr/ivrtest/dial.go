package ivrtest

import (
	"context"
	"time"

	"hark/ivr"
)

// A Far is what becomes of a Dial: who answers talks for Talk, unless the caller presses a key that the dialogue listens
// for. With an End other than "" nobody answers.
type Far struct {
	End  ivr.DialEnd
	Talk time.Duration
}

// lookFor is how often a connection looks for keys.
const lookFor = 100 * time.Millisecond

// Dial implements ivr.Dialler by the line's Other.
func (l *Line) Dial(ctx context.Context, d ivr.Dial) (ivr.Dialled, error) {
	l.change(func() { l.note(Heard{Text: "dialled " + d.Endpoint, Event: true}) })
	if l.Other == nil {
		return ivr.Dialled{End: ivr.DialNoRoute}, nil
	}
	far := l.Other(d.Endpoint)
	if far.End != "" {
		return ivr.Dialled{End: far.End}, l.pass(ctx, 5*time.Second)
	}
	began := time.Now()
	l.change(func() { l.note(Heard{Text: "connected", Event: true}) })
	for time.Since(began) < far.Talk {
		if l.listened(d.Listen) {
			return ivr.Dialled{End: ivr.DialKey, Duration: time.Since(began)}, nil
		}
		if err := l.pass(ctx, lookFor); err != nil {
			return ivr.Dialled{}, err
		}
	}
	return ivr.Dialled{End: ivr.DialFar, Duration: far.Talk}, nil
}

// listened gives the keys that were pressed to who listens, and tells whether that one has heard enough.
func (l *Line) listened(listen func(key byte) bool) (enough bool) {
	var keys string
	l.change(func() { keys, l.keys = l.keys, "" })
	for i := range len(keys) {
		enough = enough || listen != nil && listen(keys[i])
	}
	return enough
}

// pass lets time pass, unless the call ends.
func (l *Line) pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
