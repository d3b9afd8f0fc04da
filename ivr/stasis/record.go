package stasis

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
)

const (
	// defaultMax is the longest recording when Record.Max is 0.
	defaultMax = 3 * time.Minute
	// overrun is how much longer than its limit a recording may take before it is stopped from here.
	overrun = 3 * time.Second
	// endTime is how long after a key or a hang-up the news of the recording's end may take.
	endTime = 2 * time.Second
)

// Record plays the prompt and the tone, and records; see ivr.Record. The tone and the recording are given to Asterisk
// together, so that nothing of the first word is lost between them. When the connection is lost meanwhile the recording
// goes on at Asterisk; keys pressed in the gap are lost, unless it was the # (or *) that Asterisk itself watches.
func (l *Line) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	if r.Max <= 0 {
		r.Max = defaultMax
	}
	if err := l.invite(ctx, r.Prompt); err != nil {
		return ivr.Recorded{Why: whyOf(err)}, err
	}
	t := &take{Line: l, Record: r, name: l.app.ids.recording(l.id)}
	if err := t.begin(ctx); err != nil {
		return ivr.Recorded{Why: whyOf(err)}, err
	}
	got, err := t.watch(ctx)
	got.Key = t.key
	t.endTick(ctx)
	l.quiet = false
	return t.fetch(ctx, got, err)
}

// invite plays the prompt before a recording. A key interrupts it, and is dropped with all others.
func (l *Line) invite(ctx context.Context, prompt []prompts.Clip) error {
	if len(prompt) > 0 {
		if _, err := l.Gather(ctx, ivr.Gather{Play: prompt, Max: 1}); err != nil {
			return err
		}
	}
	l.Flush()
	return l.failure(ctx, nil)
}

// whyOf says why a recording did not come about.
func whyOf(err error) ivr.Why {
	switch {
	case errors.Is(err, ivr.ErrHangup):
		return ivr.HungUp
	case errors.Is(err, ivr.ErrLine):
		return ivr.LineFail
	}
	return ivr.Stopped
}

// A take is one recording in progress.
type take struct {
	*Line
	ivr.Record
	name    string
	tone    string    // id of the tone's playback, while it is not heard to have ended
	began   time.Time // zero before Asterisk has begun
	whisper string    // id of the channel that plays the tick, "" before
	key     string    // the key that ended it
}

// ownKey is the key that Asterisk itself is asked to end the recording at. It can watch one of # and * (or any key);
// others are watched here.
func (t *take) ownKey() string {
	switch {
	case strings.Contains(t.Ends, "#"):
		return "#"
	case strings.Contains(t.Ends, "*"):
		return "*"
	}
	return "none"
}

// begin sends the tone and the recording.
func (t *take) begin(ctx context.Context) error {
	if t.Tone.File != "" {
		uri, err := soundURI(t.app.media, t.Tone.File)
		if err != nil {
			return err
		}
		t.tone, t.quiet = t.nextPlayback(), false
		if err := t.failure(ctx, t.app.rest.play(ctx, t.id, t.tone, []string{uri}, t.Tone.Offset)); err != nil {
			return err
		}
	}
	t.sendSilence(ctx) // goes on under the recording
	err := t.app.rest.record(ctx, t.id, t.name, recordOptions{limit: t.Max, silence: t.Silence, endKey: t.ownKey()})
	return t.failure(ctx, err)
}

// watch waits until the recording has ended, and says why. The error is why the call, or ctx, ended meanwhile.
func (t *take) watch(ctx context.Context) (ivr.Recorded, error) {
	limit := time.Now().Add(t.Tone.Duration + t.Max + overrun)
	for {
		n, err := t.next(ctx, t.wake(limit))
		if err != nil {
			return ivr.Recorded{Why: whyOf(err)}, t.finish(ctx, err)
		}
		switch n.kind {
		case left:
			return ivr.Recorded{Why: ivr.HungUp}, ivr.ErrHangup
		case expired:
			if !n.at.Before(limit) {
				return ivr.Recorded{Why: ivr.Limit}, t.finish(ctx, nil)
			}
			t.tick(ctx)
		case keyPressed:
			if t.ends(n.key) {
				return ivr.Recorded{Why: ivr.EndKey}, t.finish(ctx, nil)
			}
		case linkUp:
			if runs, err := t.app.rest.recordingRuns(ctx, t.name); err == nil && !runs {
				return ivr.Recorded{Why: t.endedBy(n.at)}, nil
			}
		}
		if ended, failed := t.hear(n); failed {
			return ivr.Recorded{Why: ivr.LineFail}, ivr.ErrLine
		} else if ended {
			return ivr.Recorded{Why: t.endedBy(n.at)}, nil
		}
	}
}

// hear takes note of what Asterisk tells about the recording and its tone.
func (t *take) hear(n note) (ended, failed bool) {
	switch {
	case n.id == "":
	case n.id == t.tone && n.failed && t.ctx.Err() == nil:
		t.app.log.Warn("the tone before a recording cannot be played", "call", t.id, "file", t.Tone.File)
	case n.id != t.name:
	case n.kind == recordStarted:
		t.began = n.at
	case n.kind == recordEnded:
		return true, false
	case n.kind == recordFailed:
		t.app.log.Error("Asterisk cannot record", "call", t.id, "recording", t.name)
		return true, true
	}
	return false, false
}

// ends tells whether a key ends the recording, and remembers it. One that is pressed into the tone does not.
func (t *take) ends(key byte) bool {
	if t.began.IsZero() || strings.IndexByte(t.Ends, key) < 0 {
		return false
	}
	t.key = string(key)
	return true
}

// endedBy guesses why Asterisk ended the recording when no key is known: it does not say. Without a limit on silence, and
// before the longest time, it can only have been a key in a gap of the connection, or a full disk, which fetch notices.
func (t *take) endedBy(at time.Time) ivr.Why {
	switch {
	case !t.began.IsZero() && at.Sub(t.began) >= t.Max-100*time.Millisecond:
		return ivr.Limit
	case t.Silence > 0:
		return ivr.Silence
	}
	return ivr.EndKey
}

// finish stops the recording, unless Asterisk ends it by itself, and waits until its file is whole. Keys pressed from
// now on belong to what comes next and are kept. It returns cause, or why the call ended meanwhile.
func (t *take) finish(ctx context.Context, cause error) error {
	if t.key != t.ownKey() && !errors.Is(cause, ivr.ErrHangup) {
		tidyCtx, cancel := tidy(ctx)
		defer cancel()
		if err := t.app.rest.stopRecord(tidyCtx, t.name); err != nil && !gone(err) {
			t.app.log.Warn("cannot stop a recording", "call", t.id, "err", err)
		}
	}
	late := time.NewTimer(endTime)
	defer late.Stop()
	for {
		n, ok := t.pop()
		if !ok {
			select {
			case <-t.queue.ready:
				continue
			case <-late.C:
				return t.afterwards(ctx, cause)
			}
		}
		t.keep(n)
		if ended, _ := t.hear(n); ended || n.kind == left {
			return t.afterwards(ctx, cause)
		}
	}
}

// afterwards is cause, or what has become of the call since.
func (t *take) afterwards(ctx context.Context, cause error) error {
	if cause != nil {
		return cause
	}
	return t.failure(ctx, nil)
}
