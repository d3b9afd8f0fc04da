package ivr

import (
	"cmp"
	"context"
	"time"

	"hark/prompts"
)

// A phrase is one thing to say: a prompt with what fills it, free text, an earcon, or a ready clip.
type phrase struct {
	id     string
	lang   string // "" is the call's
	args   prompts.Args
	text   string
	earcon string
	clip   *prompts.Clip
	pause  time.Duration // silence after it
}

// say makes a phrase of a prompt; pairs are names and values of its placeholders.
func say(id string, pairs ...any) phrase {
	args := prompts.Args{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return phrase{id: id, args: args}
}

// earcon makes a phrase of a short sound.
func earcon(name string) phrase { return phrase{earcon: name} }

// spoken makes a phrase of free text.
func spoken(text string) phrase { return phrase{text: text} }

// tell has something said before the next prompt, in one piece with it, so that a key interrupts both.
func (c *Call) tell(p ...phrase) { c.asides = append(c.asides, p...) }

// aside takes what was told.
func (c *Call) aside() []phrase {
	p := c.asides
	c.asides = nil
	return p
}

// clips renders phrases. What cannot be rendered is left out and logged: the call goes on.
func (c *Call) clips(ctx context.Context, list ...phrase) []prompts.Clip {
	out := make([]prompts.Clip, 0, len(list))
	for _, p := range list {
		clip, err := c.clip(ctx, p)
		if err != nil {
			c.log.Warn("cannot be spoken", "prompt", p.id, "earcon", p.earcon, "err", err)
			continue
		}
		clip.Pause += p.pause
		out = append(out, clip)
	}
	return out
}

// clip renders one phrase.
func (c *Call) clip(ctx context.Context, p phrase) (prompts.Clip, error) {
	switch {
	case p.clip != nil:
		return *p.clip, nil
	case p.earcon != "":
		return c.srv.Voice.Earcon(p.earcon)
	case p.id != "":
		return c.srv.Voice.Say(ctx, cmp.Or(p.lang, c.lang), p.id, p.args)
	}
	return c.srv.Voice.SayText(ctx, cmp.Or(p.lang, c.lang), p.text)
}

// words returns the text of a prompt, for use inside another one; "" when there is none.
func (c *Call) words(id string, pairs ...any) string {
	return c.wordingOf(c.lang)(id, pairs...)
}

// play says phrases to their end, whatever is pressed.
func (c *Call) play(ctx context.Context, list ...phrase) error {
	clips := c.clips(ctx, append(c.aside(), list...)...)
	_, err := c.line.Gather(ctx, Gather{Play: clips, NoBargeIn: true})
	return err
}
