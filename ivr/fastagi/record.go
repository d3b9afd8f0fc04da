package fastagi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hark/ivr"
)

const (
	// defaultMax is the longest recording when Record.Max is 0.
	defaultMax = 3 * time.Minute
	// nearlyMax is how much before its limit a recording counts as having reached it.
	nearlyMax = 200 * time.Millisecond
)

// Record plays the prompt and the tone, and records; see ivr.Record and the package's text.
func (l *Line) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	if r.Max <= 0 {
		r.Max = defaultMax
	}
	if err := l.invite(ctx, r); err != nil {
		return ivr.Recorded{Why: noRecording(err)}, err
	}
	defer l.attend()()
	if err := l.sound(ctx, r); err != nil {
		return ivr.Recorded{Why: noRecording(err)}, err
	}
	t := &take{Line: l, Record: r, path: filepath.Join(l.server.Recordings, "hark-"+rand.Text())}
	return t.run(ctx)
}

// invite plays the prompt before a recording. A key interrupts it, and is dropped with all others.
func (l *Line) invite(ctx context.Context, r ivr.Record) error {
	if len(r.Prompt) > 0 {
		if _, err := l.Gather(ctx, ivr.Gather{Play: r.Prompt, Max: 1}); err != nil {
			return err
		}
	}
	return l.failure(ctx, nil)
}

// sound plays the tone, which no key interrupts, and drops the keys from before it. A tone that is missing is logged;
// the recording goes on without it.
func (l *Line) sound(ctx context.Context, r ivr.Record) error {
	l.Flush()
	if r.Tone.File == "" {
		return nil
	}
	at := r.Tone.Offset
	_, _, err := l.stream(ctx, r.Tone, "", &at)
	if errors.Is(err, ivr.ErrLine) {
		l.server.log.Warn("the tone before a recording cannot be played", "call", l.id, "err", err)
		return nil
	}
	return err
}

// noRecording says why a recording did not come about.
func noRecording(err error) ivr.Why {
	if errors.Is(err, ivr.ErrHangup) {
		return ivr.HungUp
	}
	return whyOf(err)
}

// A take is one recording.
type take struct {
	*Line
	ivr.Record
	path string // on this machine, without .wav
}

// run records, and returns what there is with the reason of its end.
func (t *take) run(ctx context.Context) (ivr.Recorded, error) {
	command, err := recordFile(t.server.media.There(t.path), t.Record)
	if err != nil {
		return ivr.Recorded{Why: ivr.LineFail}, err
	}
	began := time.Now()
	r, err := t.command(ctx, command)
	got := t.ended(r, time.Since(began))
	err = t.settle(ctx, r, err)
	if err != nil {
		got.Why = noRecording(err)
	}
	return t.fetch(got, err)
}

// command runs RECORD FILE. Asterisk does not let it be interrupted; so when ctx ends the reply is not waited for, and the
// connection is broken.
func (t *take) command(ctx context.Context, command string) (reply, error) {
	stop := func() bool { return true }
	t.wire.lines.written = func() {
		stop = context.AfterFunc(ctx, func() { _ = t.wire.lines.SetReadDeadline(time.Unix(1, 0)) })
	}
	r, err := t.wire.do(command, t.Max)
	stop()
	return r, err
}

// ended says why Asterisk ended a recording that took so long. It has one word for silence and for the limit.
func (t *take) ended(r reply, took time.Duration) ivr.Recorded {
	key, pressed := r.key()
	switch {
	case r.note == "dtmf" && pressed:
		return ivr.Recorded{Why: ivr.EndKey, Key: string(key)}
	case t.Silence == 0 || took >= t.Max-nearlyMax:
		return ivr.Recorded{Why: ivr.Limit}
	}
	return ivr.Recorded{Why: ivr.Silence}
}

// settle waits until the file is whole: Asterisk replies first, and closes it before it looks at the next command. It
// returns why the call, or ctx, ended meanwhile, or that nothing was recorded.
func (t *take) settle(ctx context.Context, r reply, err error) error {
	if err != nil {
		t.lost(err)
		return t.failure(ctx, nil)
	}
	if r.hangup {
		t.end(ivr.ErrHangup)
		return ivr.ErrHangup
	}
	next, err := t.wire.do("NOOP", 0)
	switch {
	case err == nil && !r.failed():
		return t.outcome(ctx, next, nil)
	case err == nil && r.note == "writefile":
		return fmt.Errorf("%w: Asterisk cannot write to %s", ivr.ErrLine, t.server.media.There(filepath.Dir(t.path)))
	case err == nil && r.note != "hangup" && !next.hangup && t.alive():
		return fmt.Errorf("%w: Asterisk cannot record: %q", ivr.ErrLine, r.note)
	}
	t.end(ivr.ErrHangup)
	return t.failure(ctx, nil)
}

// fetch takes the file that Asterisk wrote: a copy of it, with a right header, is the caller's. cause, why the call ended,
// is returned together with what there is.
func (t *take) fetch(got ivr.Recorded, cause error) (ivr.Recorded, error) {
	written := t.path + ".wav"
	var silence time.Duration
	if got.Why == ivr.Silence {
		silence = max(0, time.Duration(roundUp(t.Silence, time.Second)-1)*time.Second)
	}
	file, length, cut, err := copyRecording(written, t.server.TempDir, silence)
	if gone := os.Remove(written); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		t.server.log.Warn("cannot remove a recording of Asterisk's", "call", t.id, "err", gone)
	}
	switch {
	case err == nil:
		got.File, got.Duration = file, length
		if cut && cause == nil {
			t.server.log.Error("a recording was cut off: is the disk of Asterisk's recordings full?", "call", t.id)
			got.Why = ivr.LineFail
		}
	case errors.Is(err, os.ErrNotExist) && cause != nil: // it ended before it began
	default:
		t.server.log.Error("a recording is lost", "call", t.id, "file", filepath.Base(written), "err", err)
		if cause == nil {
			got.Why, cause = ivr.LineFail, fmt.Errorf("%w: %w", ivr.ErrLine, err)
		}
	}
	return got, cause
}
