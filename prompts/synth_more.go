package prompts

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// voiceForm is the name of a festival voice, which becomes part of an expression that festival evaluates.
var voiceForm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// newFestival prepares festival's text2wave, which speaks English unless a voice is named for another language.
func newFestival(_ context.Context, voices map[string]string) (*program, error) {
	path, err := installed("text2wave", "festival")
	if err != nil {
		return nil, err
	}
	for lang, voice := range voices {
		if !voiceForm.MatchString(voice) {
			return nil, fmt.Errorf("prompts: %q is no name of a festival voice for %q, like kal_diphone", voice, lang)
		}
	}
	return &program{
		name: "festival",
		voice: func(lang string) (string, error) {
			if voice := voices[lang]; voice != "" || lang == "en" {
				return voice, nil
			}
			return "", fmt.Errorf("prompts: festival has no voice named for %q; for other languages choose espeak-ng", lang)
		},
		argv: func(_, voice, _ string, f files) []string {
			argv := []string{path, "-o", f.out}
			if voice != "" {
				argv = append(argv, "-eval", "(voice_"+voice+")")
			}
			return append(argv, f.text)
		},
		adjust: plainASCII,
	}, nil
}

// picoVoices are pico's, by language.
var picoVoices = map[string]string{"en": "en-US", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}

// newPico prepares SVOX pico, where there is one: Debian has it in non-free only (libttspico-utils). Its voices are
// named like their languages. It takes the text as an argument, which every user of the machine can see.
func newPico(_ context.Context, voices map[string]string) (*program, error) {
	path, err := installed("pico2wave", "libttspico-utils from Debian's non-free")
	if err != nil {
		return nil, err
	}
	return &program{
		name: "pico",
		voice: func(lang string) (string, error) {
			if voice := voiceOr(voices, lang, picoVoices[lang]); voice != "" {
				return voice, nil
			}
			return "", fmt.Errorf("prompts: pico does not speak %q", lang)
		},
		argv: func(_, voice, text string, f files) []string {
			return []string{path, "--lang=" + voice, "--wave=" + f.out, "--", text}
		},
		// An angle bracket would begin a command of pico's.
		adjust: strings.NewReplacer("<", " ", ">", " ").Replace,
	}, nil
}
