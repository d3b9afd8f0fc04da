package sipphone

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// play has the called side speak the texts, one after the other, with rests between them.
func play(t *testing.T, c *Call, texts ...string) {
	t.Helper()
	for _, text := range texts {
		file, err := speaker(text)
		if err != nil {
			t.Error(err)
			return
		}
		if err := c.Speak(t.Context(), file); err != nil && !errors.Is(err, ErrHungUp) {
			t.Error(err)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	caller, called := connect(t, Options{}, Options{})
	tone := writeClip(t, Tone(850, 200*time.Millisecond))
	served := make(chan struct{})
	go func() {
		defer close(served)
		play(t, called, "Enter your PIN.")
		eventually(t, "the keys", func() bool { return called.Keys() == "4711#" })
		if err := called.Speak(t.Context(), tone); err != nil {
			t.Error(err)
		}
		eventually(t, "the tone", func() bool {
			_, score := FindClip(called.Heard(), Tone(440, 300*time.Millisecond))
			return score > MatchScore
		})
		play(t, called, "Goodbye.")
		if err := called.Hangup(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	var out strings.Builder
	script := `
		# a login
		timeout 9s
		hear Enter your PIN.
		press 4711#
		hear-file ` + tone + `
		wait 50ms
		tone 440 400ms
		hear-all Goodbye.
		expect-hangup`
	if err := Run(t.Context(), caller, strings.NewReader(script), speaker, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	<-served
	for _, want := range []string{`heard "Enter your PIN."`, "press (5 keys)", "tone 440 400ms", `heard "Goodbye."`, "the other side hung up"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "4711") {
		t.Errorf("keys are shown:\n%s", &out)
	}
}

func TestScriptFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		want         string
	}{
		{"wrong text", "timeout 3s\nhear You have one new message.\nhear Ben is online.", `line 2: hear You have one new message.: sipphone: not heard: within 3s; heard instead: "Ben is online."`},
		{"unknown step", "\nhaer x", "line 2: haer: there is no such step"},
		{"nothing to hear", "hear", "line 1: hear: something must follow"},
		{"too much", "hangup now", "line 1: hangup: nothing may follow"},
		{"not a key", "press 12x9", "line 1: press (4 keys): sipphone: there is a sign that is no key"},
		{"not a time", "wait long", "line 1: wait long: time: invalid duration"},
		{"not a tone", "tone 9000 1s", `line 1: tone 9000 1s: "9000" is not a frequency`},
		{"no file", "speak /none.wav", "no such file"},
		{"no file to hear", "hear-file /none.wav", "no such file"},
		{"nobody hangs up", "timeout 50ms\nexpect-hangup", "line 2: expect-hangup: no hang-up within 50ms"},
		{"after the end", "hangup\npress 1", "line 2: press (1 keys): sipphone: the call is over"},
	}
	for _, tt := range tests {
		caller, called := connect(t, Options{}, Options{})
		if tt.name == "wrong text" {
			go play(t, called, "Ben is online.")
		}
		var out strings.Builder
		err := Run(t.Context(), caller, strings.NewReader(tt.script), speaker, &out)
		if _, ok := errors.AsType[*StepError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

func TestHearingEndsWithTheCall(t *testing.T) {
	caller, called := connect(t, Options{}, Options{})
	clip := writeClip(t, Tone(440, time.Second))
	go func() { _ = called.Hangup(context.Background()) }()
	if _, _, err := caller.WaitHear(t.Context(), clip); !errors.Is(err, ErrNotHeard) || !errors.Is(err, ErrHungUp) {
		t.Error(err)
	}
}
