package vxml

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/prompts"
)

// A wordVoice speaks without sound.
type wordVoice struct{}

func spokenClip(text string) prompts.Clip {
	return prompts.Clip{Text: text, Duration: time.Duration(1+strings.Count(text, " ")) * 300 * time.Millisecond}
}

func (wordVoice) Say(_ context.Context, lang, id string, _ prompts.Args) (prompts.Clip, error) {
	if id == "none" {
		return prompts.Clip{}, errors.New("no such prompt")
	}
	return spokenClip("prompt " + id + " in " + lang), nil
}

func (wordVoice) Speaks(lang string) bool { return lang == "en" || lang == "de" || lang == "fr" }

func (wordVoice) SayText(_ context.Context, lang, text string) (prompts.Clip, error) {
	if lang != "en" && !strings.HasPrefix(lang, "en-") {
		text = lang + ": " + text
	}
	return spokenClip(text), nil
}

func (wordVoice) Earcon(name string) (prompts.Clip, error) { return spokenClip("(" + name + ")"), nil }
