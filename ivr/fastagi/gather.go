package fastagi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
)

const (
	// defaultBetween is Gather.Between's default.
	defaultBetween = 3 * time.Second
	// unknownLength bounds the playing of a clip of which no length is known.
	unknownLength = 10 * time.Minute
)

// A turn is one Gather in progress.
type turn struct {
	*Line
	ivr.Gather
	taken  strings.Builder
	clip   int           // which is playing, or len(Play)
	at     time.Duration // how far into it
	played bool          // to the end
}

// Gather is one turn of the dialogue; see ivr.Gather.
func (l *Line) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	defer l.attend()()
	t := &turn{Line: l, Gather: g}
	in, err := t.run(ctx)
	if err != nil {
		return t.input(whyOf(err)), err
	}
	return in, nil
}

// whyOf is what an error means for a turn.
func whyOf(err error) ivr.Why {
	if errors.Is(err, ivr.ErrLine) {
		return ivr.LineFail
	}
	return ivr.Stopped
}

func (t *turn) run(ctx context.Context) (ivr.Input, error) {
	if err := t.failure(ctx, nil); err != nil {
		return ivr.Input{}, err
	}
	if in, whole := t.takeKeys(); whole {
		return in, nil
	}
	if t.taken.Len() == 0 {
		if err := t.play(ctx); err != nil {
			return ivr.Input{}, err
		}
	}
	if t.Max == 0 {
		return t.input(ivr.Played), nil
	}
	return t.collect(ctx)
}

// collect waits until the input is whole.
func (t *turn) collect(ctx context.Context) (ivr.Input, error) {
	for {
		if in, whole := t.takeKeys(); whole {
			return in, nil
		}
		wait := t.First
		if t.taken.Len() > 0 {
			wait = cmp.Or(t.Between, defaultBetween)
		}
		key, ok, err := t.waitKey(ctx, wait)
		if err != nil {
			return ivr.Input{}, err
		}
		if !ok {
			return t.input(ivr.Timeout), nil
		}
		t.keep(key)
	}
}

// barges tells whether a key that was kept ends the playing.
func (t *turn) barges() bool { return t.Max > 0 && !t.NoBargeIn }

// play plays all clips, or up to the key that ends it.
func (t *turn) play(ctx context.Context) error {
	for t.clip < len(t.Play) {
		c := t.Play[t.clip]
		stopped, err := t.playClip(ctx, c)
		if err != nil || stopped {
			return err
		}
		t.clip, t.at = t.clip+1, 0
	}
	t.played = true
	return nil
}

// playClip plays one clip and its pause; true when a key ended it.
func (t *turn) playClip(ctx context.Context, c prompts.Clip) (bool, error) {
	t.at = c.Offset
	for c.File != "" {
		key, pressed, err := t.stream(ctx, c, allKeys, &t.at)
		if err != nil {
			return false, err
		}
		if !pressed {
			break
		}
		if t.keep(key); t.barges() {
			return true, nil
		}
	}
	return t.pause(ctx, c.Pause, t.barges)
}

// stream plays a clip from *at until one of the keys is pressed, and sets *at to how far that came.
func (l *Line) stream(ctx context.Context, c prompts.Clip, keys string, at *time.Duration) (byte, bool, error) {
	path, err := l.server.media.Sound(c.File)
	if err != nil {
		return 0, false, err
	}
	command, err := streamFile(path, keys, *at)
	if err != nil {
		return 0, false, err
	}
	length := cmp.Or(c.Duration, unknownLength)
	began := time.Now()
	r, err := l.wire.doUntil(ctx, command, max(0, length-*at))
	switch {
	case err == nil && r.endpos > 0:
		*at = lengthOf(r.endpos)
	case errors.Is(err, errInterrupted), r.hangup:
		*at = min(*at+time.Since(began), length)
	}
	if err := l.outcome(ctx, r, err); err != nil {
		if errors.Is(err, ivr.ErrLine) {
			err = fmt.Errorf("%w (the file is %q)", err, c.File)
		}
		return 0, false, err
	}
	key, pressed := r.key()
	return key, pressed, nil
}

// takeKeys takes keys out of the buffer, and tells whether the input is whole with them. When no key is awaited, and
// while NoBargeIn plays, they stay.
func (t *turn) takeKeys() (ivr.Input, bool) {
	if t.Max == 0 || t.NoBargeIn && !t.played {
		return ivr.Input{}, false
	}
	for {
		key, ok := t.nextKey()
		if !ok {
			return ivr.Input{}, false
		}
		if in, whole := t.take(key); whole {
			return in, true
		}
	}
}

// take counts one key.
func (t *turn) take(key byte) (ivr.Input, bool) {
	single := t.taken.Len() == 0 && strings.IndexByte(t.Single, key) >= 0
	if strings.IndexByte(t.Ends, key) >= 0 && !single {
		in := t.input(ivr.EndKey)
		in.End = string(key)
		return in, true
	}
	t.taken.WriteByte(key)
	if t.taken.Len() >= t.Max || single {
		return t.input(ivr.Full), true
	}
	return ivr.Input{}, false
}

func (t *turn) input(why ivr.Why) ivr.Input {
	return ivr.Input{Keys: t.taken.String(), Why: why, Clip: t.clip, At: t.at}
}
