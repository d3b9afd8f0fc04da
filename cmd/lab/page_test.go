package main

import (
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hark/audio"
	"hark/internal/wav"
)

// TestReadPage reads the page that the audio server makes.
func TestReadPage(t *testing.T) {
	dir := t.TempDir()
	store, err := audio.Open(t.Context(), audio.Config{
		Dir: filepath.Join(dir, "audio"), Keys: filepath.Join(dir, "keys"), Cache: filepath.Join(dir, "cache"),
		URL: "http://localhost/a/", GCEvery: -1, Floor: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	samples := make([]int16, 16000)
	for i := range samples {
		samples[i] = int16(2000 - i/8%2*4000) // a square wave
	}
	file := filepath.Join(dir, "in.wav")
	if err := wav.Write(file, wav.Sound{Rate: 8000, Samples: samples}); err != nil {
		t.Fatal(err)
	}
	rec, err := store.PutFile(t.Context(), file, audio.Meta{Owner: "4711001", From: "Ana"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", strings.TrimPrefix(rec.URL, "http://localhost"), nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	audio.NewHandler(store, audio.HandlerConfig{Answer: "030 4711"}).ServeHTTP(w, r)
	shown, err := readPage(w.Body.Bytes())
	if err != nil || shown.sources != 3 {
		t.Errorf("%d sources, %v", shown.sources, err)
	}
	for _, want := range []string{"Voice message", "From Ana · ", strings.Repeat("█", 50), "▶ ", "[ Call 030 4711 to answer ]", "Save as │ Opus", "▸ Open on a phone", "This link works until "} {
		if !slices.ContainsFunc(shown.lines, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("no line begins with %q in\n%s", want, strings.Join(shown.lines, "\n"))
		}
	}
}
