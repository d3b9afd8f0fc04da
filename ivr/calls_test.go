package ivr_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"hark/ivr/ivrtest"
)

// TestCalls plays every conversation of testdata/calls.
func TestCalls(t *testing.T) {
	files, err := filepath.Glob("testdata/calls/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			steps := conversation(t, file)
			synctest.Test(t, func(t *testing.T) {
				if err := ivrtest.Play(t.Context(), steps, newWorld(t)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// conversation reads a file of steps.
func conversation(t *testing.T, file string) []ivrtest.Step {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	steps, err := ivrtest.Parse(f)
	if err != nil {
		t.Fatal(file, err)
	}
	return steps
}
