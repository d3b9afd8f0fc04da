// Package console is a telephone in the terminal: keys come from a reader, prompts go out as text with their time, and
// if wanted as sound through a player program. No switch is needed.
package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"hark/ivr"
	"hark/prompts"
)

// Options says how the telephone behaves.
type Options struct {
	// In gives the keys: 0–9, *, #, A–D; everything else is left out, but h and the end of In, which hang up. When it is
	// an *os.File that can be waited for with a deadline (a terminal opened by Open, a pipe), Run stops reading it;
	// otherwise a Read that is under way ends with the next key.
	In  io.Reader
	Out io.Writer
	// Caller and Called are the numbers of the call.
	Caller, Called string
	// Player is a program and its arguments that plays the WAV file named as its last argument, as {"aplay", "-q"};
	// without one there is only text.
	Player []string
	// Speech is a WAV file that is what the caller says into recordings; without one a recording is silence that counts
	// as speech.
	Speech string
	// Dir is where recordings are written; "" is the system's folder for temporary files.
	Dir string
	// Speed is how much faster than real time prompts pass when there is no player; 0 is 1.
	Speed float64
}

// A Line is one call from the terminal.
type Line struct {
	Options
	began time.Time
	keys  *keys
	out   sync.Mutex
}

// Run makes one call, unless Options.Speech cannot be read: it hands the line to handle, as ivr.Server.Handle is, and returns what handle returns once the
// call is over and nothing reads In any more.
func Run(ctx context.Context, o Options, handle func(context.Context, ivr.Line) error) error {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	l := &Line{Options: o, began: time.Now(), keys: newKeys()}
	if _, err := l.speech(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := l.listen(cancel)
	defer stop()
	return handle(ctx, l)
}

// ID names the call.
func (l *Line) ID() string { return "console" }

// Caller is the caller id.
func (l *Line) Caller() string { return l.Options.Caller }

// Called is the number dialled.
func (l *Line) Called() string { return l.Options.Called }

// Answer takes the call.
func (l *Line) Answer(ctx context.Context) error {
	l.print("(answered)")
	return context.Cause(ctx)
}

// Hangup ends the call.
func (l *Line) Hangup(ctx context.Context) error {
	l.print("(Hark hung up)")
	return context.Cause(ctx)
}

// Flush drops the keys that were not taken.
func (l *Line) Flush() { l.keys.flush() }

// print writes one line with the time since the call began.
func (l *Line) print(text string) {
	l.out.Lock()
	defer l.out.Unlock()
	since := time.Since(l.began)
	fmt.Fprintf(l.Out, "%2d:%04.1f  %s\n", int(since.Minutes()), since.Seconds()-60*float64(int(since.Minutes())), text)
}

// Gather plays and collects.
func (l *Line) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	if ctx.Err() != nil {
		return ivr.Input{Why: ivr.Stopped}, context.Cause(ctx)
	}
	in, err := l.playAll(ctx, g.Play, g.Max == 0 || g.NoBargeIn)
	if err != nil {
		in.Why = ivr.Stopped
		return in, err
	}
	if g.Max == 0 {
		in.Why = ivr.Played
		return in, nil
	}
	return l.collect(ctx, g, in)
}

// collect takes keys until the input is whole.
func (l *Line) collect(ctx context.Context, g ivr.Gather, in ivr.Input) (ivr.Input, error) {
	wait := g.First
	for {
		key, err := l.keys.next(ctx, wait)
		switch {
		case err != nil:
			in.Why = ivr.Stopped
			return in, err
		case key == "":
			in.Why = ivr.Timeout
			return in, nil
		case strings.Contains(g.Ends, key):
			in.End, in.Why = key, ivr.EndKey
			return in, nil
		}
		first := in.Keys == ""
		in.Keys += key
		switch {
		case first && strings.Contains(g.Single, key):
			in.Why = ivr.Full
			return in, nil
		case len(in.Keys) >= g.Max:
			return l.trail(ctx, g, in)
		}
		if wait = g.Between; wait == 0 {
			wait = 3 * time.Second
		}
	}
}

// trail waits for a key of Ends behind an input that is full.
func (l *Line) trail(ctx context.Context, g ivr.Gather, in ivr.Input) (ivr.Input, error) {
	in.Why = ivr.Full
	if g.Trail <= 0 {
		return in, nil
	}
	if _, err := l.keys.wait(ctx, g.Trail); err != nil {
		in.Why = ivr.Stopped
		return in, err
	}
	if in.End = l.keys.takeOf(g.Ends); in.End != "" {
		in.Why = ivr.EndKey
	}
	return in, nil
}

// playAll plays clips until a key comes, unless deaf.
func (l *Line) playAll(ctx context.Context, clips []prompts.Clip, deaf bool) (ivr.Input, error) {
	for i, clip := range clips {
		if pressed, _ := l.keys.look(); pressed && !deaf {
			return ivr.Input{Clip: i, At: clip.Offset}, nil
		}
		at, whole, err := l.play(ctx, clip, deaf)
		if err != nil || !whole {
			return ivr.Input{Clip: i, At: at}, err
		}
	}
	return ivr.Input{Clip: len(clips)}, nil
}

// play plays one clip and its pause. whole is false when a key ended it; at is where in the clip that was.
func (l *Line) play(ctx context.Context, clip prompts.Clip, deaf bool) (at time.Duration, whole bool, err error) {
	l.print(words(clip))
	began := time.Now()
	if len(l.Player) > 0 && clip.File != "" {
		whole, err = l.sound(ctx, clip, deaf)
	} else {
		whole, err = l.pass(ctx, l.scale(clip.Duration-clip.Offset), deaf)
	}
	at = clip.Offset + min(l.unscale(time.Since(began)), clip.Duration-clip.Offset)
	if err != nil || !whole {
		return at, whole, err
	}
	whole, err = l.pass(ctx, l.scale(clip.Pause), deaf)
	return clip.Duration, whole, err
}

// scale is how long a sound takes on this line.
func (l *Line) scale(d time.Duration) time.Duration { return time.Duration(float64(d) / l.pace()) }

// unscale is how much of a sound passed.
func (l *Line) unscale(d time.Duration) time.Duration { return time.Duration(float64(d) * l.pace()) }

func (l *Line) pace() float64 {
	if len(l.Player) > 0 {
		return 1
	}
	return l.Speed
}

// pass lets time go by until a key comes, unless deaf.
func (l *Line) pass(ctx context.Context, d time.Duration, deaf bool) (whole bool, err error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		pressed, changed := l.keys.look()
		if pressed && !deaf {
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

// words is what a clip is called in the terminal.
func words(clip prompts.Clip) string {
	switch {
	case clip.Text != "":
		return clip.Text
	case clip.Offset > 0:
		return fmt.Sprintf("(a recording of %s, from %s)", clip.Duration.Round(time.Second), clip.Offset.Round(time.Second))
	}
	return fmt.Sprintf("(a recording of %s)", clip.Duration.Round(time.Second))
}

// listen reads keys until the returned function is called; that waits as long as In allows.
func (l *Line) listen(hangup context.CancelCauseFunc) (stop func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.read()
		hangup(ivr.ErrHangup)
	}()
	return func() {
		f, ok := l.In.(interface{ SetReadDeadline(time.Time) error })
		if ok && f.SetReadDeadline(time.Now()) == nil {
			<-ended
			_ = f.SetReadDeadline(time.Time{})
			return
		}
		if c, ok := l.In.(io.Closer); ok && l.In != io.Reader(os.Stdin) && c.Close() == nil {
			<-ended
		}
	}
}

// read takes keys until the caller hangs up.
func (l *Line) read() {
	buf := make([]byte, 64)
	for {
		n, err := l.In.Read(buf)
		for _, b := range buf[:n] {
			if b == 'h' {
				return
			}
			l.keys.press(b)
		}
		if err != nil {
			return
		}
	}
}
