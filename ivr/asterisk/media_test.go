package asterisk

import (
	"errors"
	"testing"

	"hark/ivr"
)

// TestMediaMap takes the folder that fits best, and refuses what Asterisk would look for somewhere else.
func TestMediaMap(t *testing.T) {
	m := NewMediaMap(map[string]string{"/srv/hark": "/ast/", "/srv/hark/audio/": "/mnt/audio"})
	for file, want := range map[string]string{
		"/srv/hark/a.wav":            "/ast/a",
		"/srv/hark/audio/b/c d.wav":  "/mnt/audio/b/c d",
		"/srv/harkness/a.wav":        "/srv/harkness/a",
		"/srv/hark/../other/a.wav":   "/srv/other/a",
		"/srv/hark/audio/../x/y.wav": "/ast/x/y",
		"a.wav":                      "",
		"/srv/hark/a.mp3":            "",
		"http://example.org/a.wav":   "",
	} {
		got, err := m.Sound(file)
		if got != want || (want == "") != errors.Is(err, ivr.ErrLine) {
			t.Errorf("%s: %q, %v, want %q", file, got, err, want)
		}
	}
}
