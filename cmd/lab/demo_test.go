package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// lines hands what the lab prints to the test's log.
type lines struct{ t *testing.T }

func (l lines) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

// buildHark compiles the program under test.
func buildHark(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hark")
	if out, err := exec.Command("go", "build", "-o", program, "hark/cmd/hark").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestDemo plays the whole demo: the main job on real parts.
func TestDemo(t *testing.T) {
	if err := demo(t.Context(), &lab{program: buildHark(t), out: lines{t}}, nil); err != nil {
		t.Fatal(err)
	}
}
