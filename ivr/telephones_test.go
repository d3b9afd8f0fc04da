package ivr_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"hark/ivr/ivrtest"
)

// telephones is how many calls are made at once: most of a call is waiting.
const telephones = 14

// TestCallsByTelephone plays the conversations that testdata/telephone.txt names by real calls through Asterisk, each
// over ARI and over FastAGI, several at a time. What the caller is to hear is compared with the prompts' own sound. When
// all calls are over, no goroutine, channel or file may be left.
func TestCallsByTelephone(t *testing.T) {
	chosen := chosenCalls(t)
	if len(chosen) < 25 {
		t.Errorf("only %d conversations are chosen", len(chosen))
	}
	board, voice := newSwitchboard(t), newSpeaker(t)
	prepare := func(i int, way string) (play func() error) {
		steps := conversation(t, "testdata/calls/"+chosen[i]+".txt")
		stage := newBooth(t, board, strconv.Itoa(ways[way]+i), voice)
		return func() error {
			if err := ivrtest.Play(t.Context(), steps, stage); err != nil {
				return fmt.Errorf("%s over %s: %w", chosen[i], way, err)
			}
			return nil
		}
	}
	var calls errgroup.Group
	var mu sync.Mutex
	var again []func() func() error
	calls.SetLimit(telephones)
	for i := range chosen {
		for way := range ways {
			play := prepare(i, way)
			calls.Go(func() error {
				if err := play(); err != nil {
					t.Log(err)
					mu.Lock()
					again = append(again, func() func() error { return prepare(i, way) })
					mu.Unlock()
				}
				return nil // the others go on
			})
		}
	}
	_ = calls.Wait()
	if len(again) > telephones {
		t.Errorf("%d calls failed", len(again))
	}
	// A caller who is called from a machine that is too busy presses too late, and over FastAGI may lose a key (see
	// ivr/fastagi): what failed beside others is to go well alone.
	for _, prepare := range again {
		if err := prepare()(); err != nil {
			t.Error(err)
		}
	}
	board.nothingLeft(t)
}

// chosenCalls are the conversations that are also played by telephone.
func chosenCalls(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/telephone.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" && name != "#" {
			names = append(names, name)
		}
	}
	return names
}
