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

const (
	hangUps   = 50              // in each state, at least
	latestEnd = 4 * time.Second // after the state was entered
)

// TestHangUpEverywhere plays every conversation again and again, and hangs up in each state that it visits: on
// entering it, in its first prompt, and after a while. Nothing may be left behind, the session must be there, and the
// next call must work.
func TestHangUpEverywhere(t *testing.T) {
	visits := visitsOf(t)
	calls, fewest := 0, hangUps
	for _, state := range ivr.States() {
		here := 0
		times := max(3, (hangUps+len(visits[state])-1)/max(1, len(visits[state])))
		for _, v := range visits[state] {
			for i := range times {
				here++
				delay := latestEnd * time.Duration(i) / time.Duration(times-1)
				name := fmt.Sprintf("%s in %s after %s", v.file, state, delay)
				synctest.Test(t, func(t *testing.T) { hangUpIn(t, name, v.steps, state, delay) })
			}
		}
		if here == 0 {
			t.Errorf("no conversation visits %s", state)
		}
		calls, fewest = calls+here, min(fewest, here)
	}
	t.Logf("hung up %d times in %d states, at least %d times in each", calls, len(visits), fewest)
}

// A tour is a conversation that visits a state.
type tour struct {
	file  string
	steps []ivrtest.Step
}

// visitsOf lists the conversations that visit each state.
func visitsOf(t *testing.T) map[string][]tour {
	files, err := filepath.Glob("testdata/calls/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	visits := map[string][]tour{}
	for _, file := range files {
		steps := conversation(t, file)
		for _, state := range visited(t, steps) {
			visits[state] = append(visits[state], tour{filepath.Base(file), steps})
		}
	}
	return visits
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
