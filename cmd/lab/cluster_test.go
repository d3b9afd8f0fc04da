package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hark/db/dbtest"
	"hark/sessions"
)

// TestCluster is the short form of the cluster demo: real processes, a node drained, one killed and one stalled, while
// users are written to, and a database whose primary dies.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("three nodes take half a minute: leave out -short")
	}
	program := filepath.Join(t.TempDir(), "hark")
	if out, err := exec.Command("go", "build", "-o", program, "hark/cmd/hark").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l := &lab{program: program, out: os.Stdout}
	plan := shortCluster
	plan.call = false                                          // a telephone call needs a machine that keeps time; "make cluster-demo" has one
	plan.within, plan.refused = 30*time.Second, 20*time.Second // other tests want the processor, too
	err := l.showCluster(t.Context(), plan)
	if errors.Is(err, dbtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestCompareLogs(t *testing.T) {
	sent := []string{"a-1", "b-1", "a-2"}
	cases := []struct {
		name string
		got  []string
		want verdict
	}{
		{"all", []string{"b-1", "a-1", "a-2"}, verdict{}},
		{"lost", []string{"a-1", "a-2"}, verdict{lost: 1}},
		{"twice", []string{"a-1", "b-1", "b-1", "a-2"}, verdict{twice: 1}},
		{"out of order", []string{"a-2", "b-1", "a-1"}, verdict{disordered: 1}},
		{"never sent", []string{"a-1", "b-1", "a-2", "c-9"}, verdict{disordered: 1}},
	}
	for _, c := range cases {
		if got := compareLogs(sent, c.got); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestOwnerWatch(t *testing.T) {
	w := &ownerWatch{owner: map[claimed]string{}, epochs: map[string]sessions.Epoch{}}
	see := func(node string, epoch sessions.Epoch) {
		w.look([]sessions.Record{{User: "1", Node: node, Epoch: epoch}})
	}
	see("a", 1)
	see("b", 2)
	see("", 2) // released
	if len(w.errs) != 0 {
		t.Errorf("%v", w.errs)
	}
	see("c", 2)
	see("a", 1)
	if len(w.errs) != 2 {
		t.Errorf("%v", w.errs)
	}
}
