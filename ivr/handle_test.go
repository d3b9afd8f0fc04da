package ivr_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/ivr/ivrtest"
)

// onCall makes a call in which keys are pressed at once, and returns the line and what Handle returned.
func onCall(t *testing.T, w *world, keys string) (*ivrtest.Line, error) {
	line, err := w.Dial(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	line.Press(keys)
	return line, <-w.gone
}

// TestHashBehindTheNumber keys the hash that the first prompt asks for 160 ms after the last digit, as callers do: the
// next prompt must be heard in one piece.
func TestHashBehindTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		line, err := w.Dial(t.Context(), "5551234")
		if err != nil {
			t.Fatal(err)
		}
		line.Press(theUser)
		time.Sleep(160 * time.Millisecond)
		line.Press("#")
		time.Sleep(3 * time.Second)
		list, _ := line.Transcript()
		var pin []ivrtest.Heard
		for _, h := range list {
			if h.ID == "login.pin" {
				pin = append(pin, h)
			}
		}
		if len(pin) != 1 || !pin[0].Out {
			t.Errorf("the prompt for the PIN was heard in %d pieces\n%s", len(pin), line)
		}
		line.Hang()
		if err := w.Gone(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNoVoiceIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.voice.Fail = func(string) error { return errors.New("no synthesiser") }
		line, err := onCall(t, w, "")
		if err == nil || line.Answered() || line.Over() {
			t.Errorf("answered %t, hung up %t: %v", line.Answered(), line.Over(), err)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.voice.Fail = func(id string) error {
			if id == "home.none" {
				panic("a fault of ours")
			}
			return nil
		}
		line, err := onCall(t, w, theUser+thePIN)
		if err == nil || !strings.Contains(err.Error(), "home") || strings.Contains(err.Error(), thePIN) {
			t.Errorf("Handle returned %v", err)
		}
		if list, _ := line.Transcript(); !contains(list, "something went wrong on our side") || !line.Over() {
			t.Errorf("no apology\n%s", line)
		}
		if err := w.clean(); err != nil {
			t.Error(err)
		}
	})
}

func TestLineThatAlwaysFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		line := ivrtest.NewLine("broken", "", w.dir)
		asked := 0
		line.Fail = func(op string) error {
			if asked++; op == "answer" {
				return nil
			}
			return ivr.ErrLine
		}
		if err := w.server.Handle(t.Context(), line); !errors.Is(err, ivr.ErrLine) {
			t.Errorf("Handle returned %v", err)
		}
		if asked > 10 {
			t.Errorf("the line was asked %d times", asked)
		}
	})
}

func TestEndedContextIsReturned(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errShutdown)
	w := newWorld(t)
	if err := w.server.Handle(ctx, ivrtest.NewLine("late", "", w.dir)); !errors.Is(err, errShutdown) {
		t.Errorf("Handle returned %v", err)
	}
}

// lengths are PINs of this many digits.
type lengths int

func (l lengths) PINDigits(context.Context) (int, error) { return int(l), nil }

// TestPINOfUnknownLength ends with its hash, or with a pause.
func TestPINOfUnknownLength(t *testing.T) {
	for _, keys := range []string{"12345678#", "12345678"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.auth.pin, w.server.PINs = "12345678", lengths(-1)
			steps := []ivrtest.Step{
				{Verb: "call"}, {Verb: "press", Arg: theUser + "#"}, {Verb: "press", Arg: keys}, {Verb: "hear", Arg: "no new messages"},
			}
			if err := ivrtest.Play(t.Context(), steps, w); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLongPIN needs no hash when all are as long.
func TestLongPIN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.auth.pin, w.server.PINs = "12345678", lengths(8)
		steps := []ivrtest.Step{
			{Verb: "call"}, {Verb: "press", Arg: theUser + "#123456781"}, {Verb: "hear", Arg: "ben, just now"}, // 1 hears the messages
		}
		if err := w.Do(t.Context(), "message from Ben: Are you there?"); err != nil {
			t.Fatal(err)
		}
		if err := ivrtest.Play(t.Context(), steps, w); err != nil {
			t.Error(err)
		}
	})
}

// TestSecretsAreNotLogged makes a call with every kind of secret, at the most talkative level.
func TestSecretsAreNotLogged(t *testing.T) {
	var log strings.Builder
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.server.Log = loud(&log)
		for _, line := range []string{"message from Ben: swordfish", "auth slow 3s", "code bound to 5551234"} {
			if err := w.Do(t.Context(), line); err != nil {
				t.Fatal(err)
			}
		}
		steps := []ivrtest.Step{
			{Verb: "call"}, {Verb: "press", Arg: theUser + "135791"}, {Verb: "hear", Arg: "I cannot check"}, {Verb: "hang up"},
			{Verb: "call"}, {Verb: "press", Arg: "*" + theCode + thePIN}, {Verb: "hear", Arg: "one new"}, {Verb: "press", Arg: "1"},
			{Verb: "hear", Arg: "swordfish"}, {Verb: "", Arg: "presence cut"}, {Verb: "wait", Arg: "5s"},
			{Verb: "", Arg: "send refused LIMIT"}, {Verb: "press", Arg: "1"}, {Verb: "say", Arg: "3s"},
			{Verb: "press", Arg: "#1"}, {Verb: "hear", Arg: "Not sent"},
		}
		if err := ivrtest.Play(t.Context(), steps, w); err != nil {
			t.Error(err)
		}
	})
	for _, secret := range []string{thePIN, "135791", theCode, theToken, "swordfish", "ticket of"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "call-2") {
		t.Error("nothing was logged at all")
	}
}

func TestNeverWaitsLongForAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.auth.set(nil, time.Hour)
		began := time.Now()
		line, err := onCall(t, w, theUser+thePIN)
		if err != nil || time.Since(began) > 2*time.Minute {
			t.Errorf("the call took %s: %v\n%s", time.Since(began), err, line)
		}
	})
}
