package ivr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hark/prompts"
)

// errNotice is the cause with which a turn ends early because a message came.
var errNotice = errors.New("ivr: a message came")

// errMoved is the cause with which a turn is interrupted because there is another connection to the session.
var errMoved = errors.New("ivr: the session is on another connection")

// spareWindow is how long after a number of known length a hash belongs to it, where hash means something else too.
const spareWindow = time.Second

// spareHash remembers that a number was complete without its hash: whoever presses it all the same does not mean the
// next prompt.
type spareHash struct {
	due   bool
	until time.Time
}

// offer lets the line pass over such a hash. Where a number is awaited a hash alone means little, so there it may come
// late.
func (s *spareHash) offer(g *Gather) {
	g.Spare = 0
	if !s.due {
		return
	}
	if g.Spare, g.SpareUntil = '#', s.until; g.Max > 1 {
		g.SpareUntil = time.Now().Add(time.Hour)
	}
}

// take tells whether the input begins with such a hash, which the line could not pass over.
func (s *spareHash) take(g *Gather, in Input) bool {
	due := s.due && !in.Spared
	s.due = false
	return due && strings.HasPrefix(in.Keys+in.End, "#") && time.Now().Before(g.SpareUntil)
}

// turn plays clips and waits for one key; "" is none in time. In menus it ends early with errNotice when a message
// comes; the reader finds new messages by itself.
func (c *Call) turn(ctx context.Context, play []prompts.Clip, first time.Duration) (string, Input, error) {
	for done := 0; ; {
		inner, stop := ctx, func() {}
		if c.loaded && c.node.kind == menu && !c.node.quiet {
			inner, stop = c.session.news.interrupt(ctx)
		}
		in, err := c.gather(inner, Gather{Play: play[done:], Max: 1, First: first})
		stop()
		in.Clip += done
		cause := context.Cause(inner)
		switch {
		case err == nil || ctx.Err() != nil:
			return in.Keys, in, err
		case errors.Is(cause, errNotice):
			return "", in, errNotice
		case !errors.Is(cause, errMoved) || !c.takeOver():
			return in.Keys, in, err
		}
		done = min(in.Clip, len(play))
		play = slices.Concat(play[:done], rest(play, done, in.At))
	}
}

// number plays clips and takes the digits of a field. End is "#" or "*" when that ended it.
func (c *Call) number(ctx context.Context, play []prompts.Clip, d digits) (Input, error) {
	g := Gather{Play: play, Max: d.max(c.set), Ends: "#*", First: c.set.FieldFirst}
	if d.hash {
		g.Trail = c.set.Trail
	}
	in, err := c.gather(ctx, g)
	if in.Why == Full {
		c.spare = spareHash{due: true, until: time.Now().Add(spareWindow)}
	}
	return in, err
}

// gather is the line's Gather, but for a spare hash. Where the line cannot pass over it, the same turn goes on where it was
// interrupted.
func (c *Call) gather(ctx context.Context, g Gather) (Input, error) {
	or(&g.Between, c.set.Between)
	for {
		c.spare.offer(&g)
		in, err := c.line.Gather(ctx, g)
		if err != nil || in.Keys+in.End == "" {
			c.spare.due = c.spare.due && !in.Spared
			return in, err
		}
		if !c.spare.take(&g, in) {
			c.keyed = true
			return in, nil
		}
		g.Play = rest(g.Play, in.Clip, in.At)
	}
}

// rest is what remains to be played after stopping in clip i at a time.
func rest(play []prompts.Clip, i int, at time.Duration) []prompts.Clip {
	if i >= len(play) {
		return nil
	}
	left := slices.Clone(play[i:])
	if at > left[0].Offset {
		left[0].Offset = at
	}
	return left
}
