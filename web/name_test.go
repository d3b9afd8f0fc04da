package web

import (
	"testing"

	"hark/presence/wire"
)

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		name, part string
		want       bool
	}{
		{"Carla Ruiz", "", true},
		{"Carla Ruiz", "rla r", true},
		{"Carla Ruiz", "226", false},
		{"Carla Ruiz", "227", true},
		{"Carla Ruiz", "7849", true},
		{"Carla Ruiz", "849", false}, // within a word
		{"Émile Zöller", "36", true},
		{"Émile Zöller", "96", true},
		{"Наташа", "628", false},
		{"Room 7", "7", true},
	} {
		if got := named(wire.Contact{Name: c.name}, c.part); got != c.want {
			t.Errorf("%q in %q: %v", c.part, c.name, got)
		}
	}
}
