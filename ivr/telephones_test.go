package ivr_test

import (
	"os"
	"strconv"
	"strings"
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
	var calls errgroup.Group
	calls.SetLimit(telephones)
	for i, name := range chosen {
		steps := conversation(t, "testdata/calls/"+name+".txt")
		for way, first := range map[string]int{"ARI": overARI, "FastAGI": overAGI} {
			stage := newBooth(t, board, strconv.Itoa(first+i), voice)
			calls.Go(func() error {
				if err := ivrtest.Play(t.Context(), steps, stage); err != nil {
					t.Errorf("%s over %s: %v", name, way, err)
				}
				return nil // the others go on
			})
		}
	}
	_ = calls.Wait()
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
