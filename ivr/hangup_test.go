package ivr_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/ivr/ivrtest"
)

// TestHangUpEverywhere plays every conversation again and again, and hangs up in each state that it visits: on
// entering it, in its first prompt, and after a while. Nothing may be left behind, the session must be there, and the
// next call must work.
func TestHangUpEverywhere(t *testing.T) {
	files, err := filepath.Glob("testdata/calls/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	met, calls := map[string]bool{}, 0
	for _, file := range files {
		steps := conversation(t, file)
		for _, state := range visited(t, steps) {
			met[state] = true
			for _, delay := range []time.Duration{0, 300 * time.Millisecond, 4 * time.Second} {
				calls++
				name := fmt.Sprintf("%s in %s after %s", filepath.Base(file), state, delay)
				synctest.Test(t, func(t *testing.T) { hangUpIn(t, name, steps, state, delay) })
			}
		}
	}
	t.Logf("hung up %d times in %d states", calls, len(met))
	for _, state := range ivr.States() {
		if !met[state] {
			t.Errorf("no conversation visits %s", state)
		}
	}
}

// visited plays a conversation and lists the states of all its calls.
func visited(t *testing.T, steps []ivrtest.Step) (states []string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.server.SetTrace(func(_ ivr.Line, state string) {
			if !slices.Contains(states, state) {
				states = append(states, state)
			}
		})
		if err := ivrtest.Play(t.Context(), steps, w); err != nil {
			t.Error(err)
		}
	})
	return states
}

// hangUpIn plays a conversation until a state is entered, hangs up, and calls again.
func hangUpIn(t *testing.T, name string, steps []ivrtest.Step, state string, delay time.Duration) {
	w := newWorld(t)
	hung := false
	w.server.SetTrace(func(line ivr.Line, at string) {
		if at == state && !hung {
			hung = true
			time.AfterFunc(delay, line.(*ivrtest.Line).Hang)
		}
	})
	_ = ivrtest.Play(t.Context(), steps, w) // it fails where the call ended too early, which is meant
	if err := w.clean(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	w.mend()
	w.server.SetTrace(func(ivr.Line, string) {})
	if err := callAgain(t.Context(), w); err != nil {
		t.Errorf("%s: the next call: %v", name, err)
	}
}

// mend ends all arranged faults.
func (w *world) mend() {
	w.auth.set(nil, 0)
	w.post.fault.set(nil, 0)
	w.shelf.set(nil, 0)
	w.voice.Fail, w.auth.lang = nil, ""
	w.post.refuse, w.post.refuseFetch, w.post.panics, w.broke = "", "", false, ""
}

// callAgain logs in as usual and looks that the caller gets to the main menu, past unsent recordings.
func callAgain(ctx context.Context, w *world) error {
	steps := []ivrtest.Step{{Verb: "call"}, {Verb: "press", Arg: theUser + w.auth.pin + "*****"}, {Verb: "hear", Arg: "new message"}}
	return ivrtest.Play(ctx, steps, w)
}
