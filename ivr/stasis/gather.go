package stasis

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"hark/ivr"
)

const (
	// defaultBetween is Gather.Between's default.
	defaultBetween = 3 * time.Second
	// quietAfter is how long the line may lie without a packet behind a key, before silence is sent. Address translators
	// and providers hang up after tens of seconds; a number that is keyed without a stop needs no command.
	quietAfter = 2 * time.Second
	// frameTime is one packet of sound. Behind sound, silence is sent for whatever is longer, so that packets flow on.
	frameTime = 20 * time.Millisecond
	// downTime is how long after a command that had no answer the news of a lost connection may take.
	downTime = 500 * time.Millisecond
)

// errAgain ends a turn whose keys and sounds have become doubtful, since events were lost.
var errAgain = errors.New("stasis: events were lost")

// Gather is one turn of the dialogue; see ivr.Gather. When the connection to Asterisk was lost in between, half-keyed
// digits are dropped and the clips are played again from the first.
func (l *Line) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	for {
		in, err := l.turn(ctx, g)
		if errors.Is(err, ivr.ErrLine) && l.awaitDown(ctx) {
			err = l.awaitUp(ctx)
		}
		if !errors.Is(err, errAgain) {
			return in, err
		}
		l.keys = nil
	}
}

// awaitDown tells whether an error of the line came from a connection that was lost. Keys that come are kept.
func (l *Line) awaitDown(ctx context.Context) bool {
	deadline := time.Now()
	if !l.app.link.up.Load() {
		deadline = deadline.Add(downTime)
	}
	for {
		n, err := l.next(ctx, deadline)
		if err != nil || n.kind == expired {
			return false
		}
		if n.kind == linkDown {
			return true
		}
		l.keep(n)
	}
}

// awaitUp waits until events come again: errAgain then, or the end of the call.
func (l *Line) awaitUp(ctx context.Context) error {
	for {
		n, err := l.next(ctx, time.Time{})
		switch {
		case err != nil:
			return err
		case n.kind == linkUp:
			return errAgain
		}
	}
}

// keep puts a key into the buffer. Other notes mean nothing outside of a turn, but that events were lost, which makes the
// keys doubtful.
func (l *Line) keep(n note) {
	switch n.kind {
	case keyPressed:
		l.keys = append(l.keys, n.key)
	case linkDown, linkUp:
		l.keys = nil
	}
}

// A turn is one Gather in progress.
type turn struct {
	*Line
	ivr.Gather
	player   *player
	taken    strings.Builder
	deadline time.Time // for the next key; zero while none is due
	trailing bool      // Max keys are there, only a key of Ends is waited for
	spared   bool      // the spare key was passed over
	silentAt time.Time // when to begin sending silence; zero while there is sound
}

// turn plays and collects once.
func (l *Line) turn(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	p, err := newPlayer(l, g.Play)
	if err != nil {
		return ivr.Input{Why: ivr.LineFail}, err
	}
	t := &turn{Line: l, Gather: g, player: p}
	in, err := t.run(ctx)
	if err != nil {
		in = t.input(ivr.Stopped, time.Now())
		if errors.Is(err, ivr.ErrLine) {
			in.Why = ivr.LineFail
		}
		if !errors.Is(err, ivr.ErrHangup) {
			p.stop(ctx, time.Now())
		}
	}
	return in, err
}

func (t *turn) run(ctx context.Context) (ivr.Input, error) {
	for {
		n, ok := t.pop() // keys from before this turn
		if !ok {
			break
		}
		if n.kind == linkDown {
			return ivr.Input{}, t.awaitUp(ctx)
		}
		t.keep(n)
	}
	if err := t.failure(ctx, nil); err != nil {
		return ivr.Input{}, err
	}
	if in, full := t.takeKeys(ctx, time.Now()); full {
		return in, nil
	}
	if t.taken.Len() == 0 {
		if err := t.player.start(ctx); err != nil {
			return ivr.Input{}, err
		}
	}
	t.wait(time.Now())
	return t.collect(ctx)
}

// collect waits until the input is whole.
func (t *turn) collect(ctx context.Context) (ivr.Input, error) {
	defer t.queue.letLie(0, "")
	for {
		if in, over := t.over(time.Now()); over {
			return in, nil
		}
		t.queue.letLie(t.undecided(), t.Ends)
		n, err := t.next(ctx, t.wake())
		if err != nil {
			return ivr.Input{}, err
		}
		switch n.kind {
		case linkDown:
			return ivr.Input{}, t.awaitUp(ctx)
		case linkUp:
			return ivr.Input{}, errAgain
		}
		if err := t.player.hear(ctx, n); err != nil {
			return ivr.Input{}, err
		}
		t.keep(n)
		if in, full := t.takeKeys(ctx, n.at); full {
			return in, nil
		}
		t.wait(n.at)
		t.soothe(ctx, n.at)
		if t.player.pausing() {
			t.sendSilence(ctx)
		}
	}
}

// undecided is how many keys more decide nothing by themselves: those in the middle of a number. They are looked at together
// with the one that decides, or when time is up, since to wake a call costs more than to look at a key.
func (t *turn) undecided() int {
	if t.taken.Len() == 0 || t.trailing || !t.player.done() {
		return 0
	}
	return t.Max - t.taken.Len() - 1
}

// over tells what ended the turn without a key.
func (t *turn) over(now time.Time) (ivr.Input, bool) {
	switch {
	case !t.player.done():
	case t.Max == 0:
		return t.input(ivr.Played, now), true
	case t.trailing && !now.Before(t.deadline):
		return t.input(ivr.Full, now), true
	case !t.deadline.IsZero() && !now.Before(t.deadline):
		return t.input(ivr.Timeout, now), true
	}
	return ivr.Input{}, false
}

// wait starts the clock for the first key when all was played.
func (t *turn) wait(now time.Time) {
	if t.Max == 0 || !t.player.done() || !t.deadline.IsZero() {
		return
	}
	t.deadline = now.Add(t.First)
	switch t.silentAt = now; {
	case t.First <= frameTime:
		t.silentAt = t.deadline.Add(quietAfter)
	case len(t.Play) == 0 && now.Sub(t.keyed) < quietAfter: // in the middle of keys, which may each be a turn
		t.silentAt = t.keyed.Add(quietAfter)
	}
}

// wake is when something is to be done even if nothing happens.
func (t *turn) wake() time.Time {
	if at := t.player.wake(); !at.IsZero() {
		return at
	}
	if !t.silentAt.IsZero() && t.silentAt.Before(t.deadline) {
		return t.silentAt
	}
	return t.deadline
}

// soothe has silence sent when the line was without a packet for a while.
func (t *turn) soothe(ctx context.Context, now time.Time) {
	if t.silentAt.IsZero() || now.Before(t.silentAt) {
		return
	}
	t.silentAt = time.Time{}
	t.sendSilence(ctx)
}

// sendSilence lets packets flow until the next sound. It is a courtesy: that it fails is logged at most.
func (l *Line) sendSilence(ctx context.Context) {
	if l.quiet {
		return
	}
	l.quiet = true
	if err := l.app.rest.silence(ctx, l.id); err != nil && ctx.Err() == nil && !gone(err) {
		l.app.log.Debug("cannot send silence", "call", l.id, "err", err)
	}
}

// takeKeys takes keys out of the buffer, and tells whether the input is whole with them. The first one taken ends the
// playing. While NoBargeIn plays, and when no key is awaited, they stay.
func (t *turn) takeKeys(ctx context.Context, now time.Time) (ivr.Input, bool) {
	for len(t.keys) > 0 && t.Max > 0 && (!t.NoBargeIn || t.player.done()) {
		key := t.keys[0]
		if t.spares(key, now) {
			t.keys = t.keys[1:]
			continue
		}
		if !t.player.done() {
			t.player.stop(ctx, now)
		}
		if t.trailing && strings.IndexByte(t.Ends, key) < 0 {
			return t.input(ivr.Full, now), true
		}
		t.keys, t.keyed = t.keys[1:], now
		if in, full := t.take(key, now); full {
			return in, true
		}
		t.deadline = now.Add(cmp.Or(t.Between, defaultBetween))
		if t.trailing {
			t.deadline = now.Add(t.Trail)
		}
		t.silentAt = now.Add(quietAfter)
	}
	return ivr.Input{}, false
}

// spares tells whether a key is passed over, once.
func (t *turn) spares(key byte, now time.Time) bool {
	yes := key == t.Spare && key != 0 && !t.spared && t.taken.Len() == 0 && now.Before(t.SpareUntil)
	t.spared = t.spared || yes
	return yes
}

// take counts one key.
func (t *turn) take(key byte, now time.Time) (ivr.Input, bool) {
	first := t.taken.Len() == 0
	if strings.IndexByte(t.Ends, key) >= 0 && !(first && strings.IndexByte(t.Single, key) >= 0) {
		in := t.input(ivr.EndKey, now)
		in.End = string(key)
		return in, true
	}
	t.taken.WriteByte(key)
	if first && strings.IndexByte(t.Single, key) >= 0 {
		return t.input(ivr.Full, now), true
	}
	t.trailing = t.taken.Len() >= t.Max
	return t.input(ivr.Full, now), t.trailing && t.Trail <= 0
}

func (t *turn) input(why ivr.Why, now time.Time) ivr.Input {
	clip, at := t.player.place(now)
	return ivr.Input{Keys: t.taken.String(), Why: why, Clip: clip, At: at, Spared: t.spared}
}
