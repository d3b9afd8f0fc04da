package ivrtest

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/prompts"
)

// How long words take.
const (
	perWord   = 350 * time.Millisecond
	perEarcon = 150 * time.Millisecond
)

// A Voice speaks without sound: its clips have words and a duration, but no file.
type Voice struct {
	Book *prompts.Book
	// Fail, when not nil, is asked before anything is rendered.
	Fail func(id string) error
}

// Text is the text of a prompt.
func (v *Voice) Text(lang, id string, args prompts.Args) (string, error) {
	return v.Book.Text(lang, id, args)
}

// Say returns the words of a prompt.
func (v *Voice) Say(ctx context.Context, lang, id string, args prompts.Args) (prompts.Clip, error) {
	if err := v.fails(ctx, id); err != nil {
		return prompts.Clip{}, err
	}
	text, err := v.Book.Text(lang, id, args)
	return prompts.Clip{Text: text, ID: id, Duration: lasts(text)}, err
}

// SayText returns the words as they are.
func (v *Voice) SayText(ctx context.Context, _, text string) (prompts.Clip, error) {
	if err := v.fails(ctx, ""); err != nil {
		return prompts.Clip{}, err
	}
	return prompts.Clip{Text: text, Duration: lasts(text)}, nil
}

// Pace returns the clip at another speed, in percent; its words do not change.
func (v *Voice) Pace(_ context.Context, clip prompts.Clip, percent int) (prompts.Clip, error) {
	clip.Duration = clip.Duration * 100 / time.Duration(percent)
	return clip, nil
}

// Earcon returns a clip whose text is the name in brackets.
func (v *Voice) Earcon(name string) (prompts.Clip, error) {
	switch name {
	case "hark", "message", "voice", "tone", "tick":
		return prompts.Clip{Text: "(" + name + ")", Duration: perEarcon}, nil
	}
	return prompts.Clip{}, errors.New("ivrtest: no earcon " + name)
}

func (v *Voice) fails(ctx context.Context, id string) error {
	if v.Fail != nil {
		return errors.Join(ctx.Err(), v.Fail(id))
	}
	return ctx.Err()
}

// lasts is how long a text takes to say.
func lasts(text string) time.Duration {
	return time.Duration(max(1, len(strings.Fields(text)))) * perWord
}
