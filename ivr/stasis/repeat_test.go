package stasis

import (
	"testing"
	"time"
)

// TestRepeatedKeys feeds keys with Asterisk's times; one that no finger can have made so soon is the same key told twice.
func TestRepeatedKeys(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type press struct {
		key byte
		ms  int
	}
	cases := []struct {
		name    string
		presses []press
		want    string
	}{
		{"told twice", []press{{'4', 0}, {'4', 5}, {'5', 200}}, "45"},
		{"told three times", []press{{'4', 0}, {'4', 70}, {'4', 140}}, "4"},
		{"the same key again", []press{{'4', 0}, {'4', 80}}, "44"},
		{"another key at once", []press{{'4', 0}, {'5', 1}}, "45"},
		{"the first key", []press{{'0', 0}}, "0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := &Line{}
			for _, p := range c.presses {
				l.keep(note{kind: keyPressed, key: p.key, stamp: start.Add(time.Duration(p.ms) * time.Millisecond)})
			}
			if string(l.keys) != c.want {
				t.Errorf("got %q, want %q", l.keys, c.want)
			}
		})
	}
}
