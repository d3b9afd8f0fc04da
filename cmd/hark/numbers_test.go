package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hark/dialplan"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/prompts"
)

// TestEachNumberHasItsOwnWords: two companies share one Hark, and a third number has the common words.
func TestEachNumberHasItsOwnWords(t *testing.T) {
	common, own := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(common, "en.toml"): "[prompts]\n\"welcome\" = \"Example.\"\n\"login.number\" = \"Your number.\"\n",
		filepath.Join(own, "en.toml"):    "[prompts]\n\"welcome\" = \"Northern Mills.\"\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	voice := func(dirs ...string) *ivrtest.Voice {
		book, err := prompts.LoadBook(nil, dirs...)
		if err != nil {
			t.Fatal(err)
		}
		return &ivrtest.Voice{Book: book}
	}
	d := dialogues{
		plan: dialplan.Plan{Routes: []dialplan.Route{
			{Number: "7000", Language: "en"}, {Number: "7100", Language: "en", Prompts: own}, {Number: "7200", Language: "de", Prompts: own},
		}},
		messenger: &ivr.Server{Voice: voice(common)},
		voices:    map[string]ivr.Voice{own: voice(common, own)},
		calls:     &callList{}, perCaller: &perCaller{},
	}
	for called, want := range map[string][]string{
		"7000": {"Example.", "Your number."},
		"7100": {"Northern Mills.", "Your number."},
		"7200": {"Hark.", "Geben Sie Ihre Benutzernummer ein"},
	} {
		hears(t, d, called, want)
	}
}

// hears calls a number and compares what is heard there first.
func hears(t *testing.T, d dialogues, called string, want []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	inner, hangUp := context.WithCancelCause(ctx)
	line := ivrtest.NewLine(called, "", t.TempDir())
	line.To, line.Hanger = called, func() { hangUp(ivr.ErrHangup) }
	over := make(chan error, 1)
	go func() { over <- d.answer(inner, line) }()
	for _, text := range want {
		if err := line.Hear(ctx, text, false); err != nil {
			t.Errorf("%s: %v", called, err)
		}
	}
	line.Hang()
	if err := <-over; err != nil && !errors.Is(err, ivr.ErrHangup) {
		t.Errorf("%s: %v", called, err)
	}
}
