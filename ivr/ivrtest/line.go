package ivrtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"hark/internal/wav"
	"hark/ivr"
	"hark/prompts"
)

// rate is the sample rate of what is recorded, in Hz.
const rate = 8000

// A Line is a scripted telephone call. Its ivr.Line methods are for the dialogue; the others, which are for the script
// or the test, may be called from any goroutine.
type Line struct {
	Name   string       // ID
	From   string       // caller id
	To     string       // number dialled
	Taken  bool         // it was answered by another process before
	Left   ivr.Recorded // what Unfinished returns
	Dir    string       // where recordings are written
	Hanger func()       // what the caller's hang-up does: ends the call's context with cause ivr.ErrHangup
	// Fail, when not nil, is asked at the beginning of each "answer", "gather", "record" and "hangup".
	Fail func(op string) error
	// Other tells what becomes of a Dial; nil has no way out.
	Other func(endpoint string) Far

	found int // where in the transcript Hear looks on; the script's goroutine's own

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every change
	began     time.Time
	keys      string
	heard     []Heard
	talkUntil time.Time
	spoken    []int16 // what the caller is saying; nothing is silence
	recording bool
	answered  bool
	over      bool // Hark hung up
}

// Heard is one thing that the caller heard, or that happened on the line.
type Heard struct {
	At    time.Duration // since the line was made
	End   time.Duration // when it was over, or broken off; 0 while it goes on. What the caller says has one too
	Text  string        // words; "(sound FILE)" for a recording, "(NAME)" for an earcon
	ID    string        // of the prompt, or ""
	Out   bool          // it was played to its end
	Event bool          // it was not heard: "pressed 1", "hung up"
}

// NewLine makes a line whose time begins now.
func NewLine(name, from, dir string) *Line {
	return &Line{Name: name, From: from, Dir: dir, changed: make(chan struct{}), began: time.Now()}
}

// ID names the call.
func (l *Line) ID() string { return l.Name }

// Caller is the caller id.
func (l *Line) Caller() string { return l.From }

// Adopted tells that another process answered the call.
func (l *Line) Adopted() bool { return l.Taken }

// Unfinished is the recording that the other process left.
func (l *Line) Unfinished(context.Context) (ivr.Recorded, error) { return l.Left, nil }

// Called is the number that was dialled.
func (l *Line) Called() string { return l.To }

// change does something under the lock and wakes whoever waits.
func (l *Line) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// look reads something under the lock; the channel closes at the next change.
func (l *Line) look(f func()) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	return l.changed
}

// note adds to the transcript and returns the index. The caller holds the lock.
func (l *Line) note(h Heard) int {
	h.At = time.Since(l.began)
	l.heard = append(l.heard, h)
	return len(l.heard) - 1
}

// Press presses keys in one breath.
func (l *Line) Press(keys string) {
	l.change(func() {
		l.keys += keys
		l.note(Heard{Text: "pressed " + keys, Event: true})
	})
}

// Hang hangs up as the caller does.
func (l *Line) Hang() {
	l.change(func() { l.note(Heard{Text: "hung up", Event: true}) })
	l.Hanger()
}

// Recording tells whether a recording is being made, and channels the next change.
func (l *Line) Recording() (on bool, changed <-chan struct{}) {
	changed = l.look(func() { on = l.recording })
	return on, changed
}

// Talk makes the caller speak for so long from now on. samples are what is said, at 8 kHz; without any it is a murmur.
func (l *Line) Talk(d time.Duration, samples []int16) {
	if samples == nil {
		samples = murmur(d)
	}
	l.change(func() {
		l.talkUntil = time.Now().Add(d)
		l.spoken = append(l.spoken, samples...)
		l.note(Heard{Text: fmt.Sprintf("spoke for %s", d), Event: true, End: time.Since(l.began) + d})
	})
}

// murmur is something that is loud enough to be a voice.
func murmur(d time.Duration) []int16 {
	samples := make([]int16, d*rate/time.Second)
	for i := range samples {
		samples[i] = int16(i % 80 * 50)
	}
	return samples
}

// Transcript returns what was heard and done so far, and a channel that closes at the next change.
func (l *Line) Transcript() ([]Heard, <-chan struct{}) {
	var list []Heard
	changed := l.look(func() { list = slices.Clone(l.heard) })
	return list, changed
}

// String is the transcript as text.
func (l *Line) String() string {
	list, _ := l.Transcript()
	var b strings.Builder
	for _, h := range list {
		text := fmt.Sprintf("%q", h.Text)
		if h.Event {
			text = "                    " + h.Text
		}
		fmt.Fprintf(&b, "%9.2fs  %s\n", h.At.Seconds(), text)
	}
	return b.String()
}

// Answer takes the call.
func (l *Line) Answer(ctx context.Context) error {
	if err := l.fails(ctx, "answer"); err != nil {
		return err
	}
	l.change(func() { l.answered = true })
	return nil
}

// Answered tells whether Hark took the call.
func (l *Line) Answered() (yes bool) {
	l.look(func() { yes = l.answered })
	return yes
}

// Hangup ends the call as Hark does.
func (l *Line) Hangup(ctx context.Context) error {
	if err := l.fails(ctx, "hangup"); err != nil {
		return err
	}
	l.change(func() {
		l.over = true
		l.note(Heard{Text: "Hark hung up", Event: true})
	})
	return nil
}

// Over tells whether Hark hung up.
func (l *Line) Over() (yes bool) {
	l.look(func() { yes = l.over })
	return yes
}

// Flush drops the keys that were not taken.
func (l *Line) Flush() { l.change(func() { l.keys = "" }) }

// fails returns why an operation cannot begin.
func (l *Line) fails(ctx context.Context, op string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.Fail != nil {
		return l.Fail(op)
	}
	return nil
}

// Gather plays and collects.
func (l *Line) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	if err := l.fails(ctx, "gather"); err != nil {
		return ivr.Input{Why: ivr.LineFail}, err
	}
	t := &turn{Line: l, Gather: g}
	if err := t.play(ctx, g.Play, g.Max == 0 || g.NoBargeIn); err != nil {
		return t.input(ivr.Stopped), err
	}
	if g.Max == 0 {
		return t.input(ivr.Played), nil
	}
	return t.collect(ctx)
}

// A turn is one Gather at work.
type turn struct {
	*Line
	ivr.Gather
	keys string
	end  string
	clip int
	at   time.Duration
}

func (t *turn) input(why ivr.Why) ivr.Input {
	return ivr.Input{Keys: t.keys, End: t.end, Why: why, Clip: t.clip, At: t.at}
}

// play plays clips one after the other, until a key comes unless deaf.
func (t *turn) play(ctx context.Context, clips []prompts.Clip, deaf bool) error {
	for i, clip := range clips {
		t.clip, t.at = i, clip.Offset
		if !deaf && t.pressed() {
			return nil
		}
		whole, err := t.sound(ctx, clip, deaf)
		if err != nil || !whole {
			return err
		}
	}
	t.clip, t.at = len(clips), 0
	return nil
}

// sound plays one clip and its pause; whole is false when a key ended it.
func (t *turn) sound(ctx context.Context, clip prompts.Clip, deaf bool) (whole bool, err error) {
	began, index := time.Now(), 0
	t.change(func() { index = t.note(Heard{Text: Text(clip), ID: clip.ID}) })
	length := clip.Duration - clip.Offset
	whole, err = t.until(ctx, began.Add(length), deaf)
	t.at = clip.Offset + min(time.Since(began), length)
	t.change(func() { t.heard[index].Out, t.heard[index].End = err == nil && whole, time.Since(t.began) })
	if err != nil || !whole {
		return whole, err
	}
	return t.until(ctx, began.Add(length+clip.Pause), deaf)
}

// until waits for a moment; it returns false when a key came before.
func (t *turn) until(ctx context.Context, moment time.Time, deaf bool) (bool, error) {
	timer := time.NewTimer(time.Until(moment))
	defer timer.Stop()
	for {
		var some bool
		changed := t.look(func() { some = t.Line.keys != "" })
		if some && !deaf {
			return false, nil
		}
		select {
		case <-timer.C:
			return true, nil
		case <-changed:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// pressed tells whether a key waits.
func (t *turn) pressed() (some bool) {
	t.look(func() { some = t.Line.keys != "" })
	return some
}

// collect takes keys until the input is whole.
func (t *turn) collect(ctx context.Context) (ivr.Input, error) {
	wait := t.First
	between := t.Between
	if between == 0 {
		between = 3 * time.Second
	}
	for {
		if len(t.keys) >= t.Max {
			return t.trail(ctx)
		}
		if none, err := t.until(ctx, time.Now().Add(wait), false); err != nil {
			return t.input(ivr.Stopped), err
		} else if none {
			return t.input(ivr.Timeout), nil
		}
		if why, whole := t.take(); whole {
			return t.input(why), nil
		}
		wait = between
	}
}

// take takes one key.
func (t *turn) take() (ivr.Why, bool) {
	var key string
	t.change(func() { key, t.Line.keys = t.Line.keys[:1], t.Line.keys[1:] })
	if strings.Contains(t.Ends, key) {
		t.end = key
		return ivr.EndKey, true
	}
	first := t.keys == ""
	t.keys += key
	return ivr.Full, first && strings.Contains(t.Single, key)
}

// trail waits for a key of Ends behind an input that is full.
func (t *turn) trail(ctx context.Context) (ivr.Input, error) {
	if t.Trail <= 0 {
		return t.input(ivr.Full), nil
	}
	if _, err := t.until(ctx, time.Now().Add(t.Trail), false); err != nil {
		return t.input(ivr.Stopped), err
	}
	t.change(func() {
		if l := t.Line; l.keys != "" && strings.Contains(t.Ends, l.keys[:1]) {
			t.end, l.keys = l.keys[:1], l.keys[1:]
		}
	})
	if t.end != "" {
		return t.input(ivr.EndKey), nil
	}
	return t.input(ivr.Full), nil
}

// Record plays the prompt and the tone, and records what Talk says.
func (l *Line) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	if err := l.fails(ctx, "record"); err != nil {
		return ivr.Recorded{Why: ivr.LineFail}, err
	}
	t := &turn{Line: l}
	if err := t.play(ctx, r.Prompt, false); err != nil {
		return ivr.Recorded{Why: ivr.HungUp}, err
	}
	l.Flush()
	if _, err := t.sound(ctx, r.Tone, true); err != nil {
		return ivr.Recorded{Why: ivr.HungUp}, err
	}
	began := time.Now()
	l.change(func() { l.recording, l.spoken, l.talkUntil = true, nil, time.Time{} })
	why, key, err := l.untilRecorded(ctx, r, began)
	l.change(func() {
		_, after, _ := strings.Cut(l.keys, cmp.Or(key, l.keys))
		l.recording, l.keys = false, after
	})
	out := ivr.Recorded{Duration: time.Since(began), Key: key, Why: why}
	var werr error
	if out.Duration > 0 {
		out.File, werr = l.write(out.Duration)
	}
	if err == nil {
		err = werr
	}
	return out, err
}

// untilRecorded waits for what ends a recording.
func (l *Line) untilRecorded(ctx context.Context, r ivr.Record, began time.Time) (ivr.Why, string, error) {
	ticks := r.Tick.Text != "" && r.Warn < r.Max
	for {
		var keys string
		var quiet time.Time
		changed := l.look(func() { keys, quiet = l.keys, l.talkUntil })
		for _, key := range keys {
			if strings.ContainsRune(r.Ends, key) {
				return ivr.EndKey, string(key), nil
			}
		}
		why, at := endOf(r, began, quiet)
		if tick := began.Add(r.Max - r.Warn); ticks && tick.Before(at) {
			why, at = "", tick
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case <-timer.C:
			if why != "" {
				return why, "", nil
			}
			ticks = false
			l.change(func() { l.note(Heard{Text: Text(r.Tick), ID: r.Tick.ID, Out: true, End: time.Since(l.began)}) })
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return ivr.HungUp, "", context.Cause(ctx)
		}
		if err := l.fails(ctx, "recording"); err != nil {
			return ivr.LineFail, "", err
		}
	}
}

// endOf is when, and why, a recording ends if the caller says nothing after the moment quiet and presses no key.
func endOf(r ivr.Record, began, quiet time.Time) (ivr.Why, time.Time) {
	if quiet.Before(began) {
		quiet = began
	}
	if end := quiet.Add(r.Silence); r.Silence > 0 && end.Before(began.Add(r.Max)) {
		return ivr.Silence, end
	}
	return ivr.Limit, began.Add(r.Max)
}

// write makes the file of a recording: what was said, cut or filled with silence.
func (l *Line) write(d time.Duration) (string, error) {
	out := wav.Sound{Rate: rate, Samples: make([]int16, d*rate/time.Second)}
	l.look(func() { copy(out.Samples, l.spoken) })
	f, err := os.CreateTemp(l.Dir, "recording-*.wav")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ivr.ErrLine, err)
	}
	_, err = f.Write(wav.Encode(out))
	return f.Name(), errors.Join(err, f.Close())
}

// Text is what a transcript calls a clip.
func Text(c prompts.Clip) string {
	if c.Text != "" || c.File == "" {
		return c.Text
	}
	name := "sound " + filepath.Base(c.File)
	if c.Offset > 0 {
		name += " from " + c.Offset.Round(100*time.Millisecond).String()
	}
	return "(" + name + ")"
}
