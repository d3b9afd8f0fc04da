package stasis

import (
	"context"
	"time"
)

// wake is when watch has something to do even if nothing happens: the tick, and then the limit.
func (t *take) wake(limit time.Time) time.Time {
	if t.Tick.File == "" || t.whisper != "" || t.began.IsZero() || t.Warn >= t.Max {
		return limit
	}
	return t.began.Add(t.Max - t.Warn)
}

// tick warns the caller that the recording ends soon. Asterisk plays nothing in a channel that it records, so the sound is
// whispered into it by another one, which is let go of at the end of the recording. What the caller hears is not recorded.
func (t *take) tick(ctx context.Context) {
	t.whisper = t.app.ids.far()
	uri, err := soundURI(t.app.media, t.Tick.File)
	if err == nil {
		err = t.app.rest.whisper(ctx, t.app.Name, t.id, t.whisper)
	}
	if err == nil {
		err = entered(ctx, func() error { return t.app.rest.play(ctx, t.whisper, playbackName(t.whisper, 0), []string{uri}, 0) })
	}
	if err != nil && ctx.Err() == nil && t.ctx.Err() == nil {
		t.app.log.Warn("the tick before the end of a recording cannot be played", "call", t.id, "err", err)
	}
}

// endTick lets go of the channel that whispered.
func (t *take) endTick(ctx context.Context) {
	if t.whisper == "" {
		return
	}
	ctx, cancel := tidy(ctx)
	defer cancel()
	if err := t.app.rest.hangup(ctx, t.whisper); err != nil && !gone(err) {
		t.app.log.Warn("cannot let go of a channel that whispered", "call", t.id, "err", err)
	}
}
