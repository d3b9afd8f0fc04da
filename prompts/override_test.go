package prompts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/internal/wav"
)

// folder writes files into a new folder; a file's folders are made.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOverride(t *testing.T) {
	sound := wav.Encode(wav.Sound{Rate: Rate, Samples: make([]int16, Rate)})
	dir := folder(t, map[string][]byte{
		"en.toml":             []byte("[prompts]\n\"reader.from\" = \"From {name}.\""),
		"en/login.number.wav": sound,
	})
	b, err := LoadBook(os.DirFS("testdata/small"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Text("en", "reader.from", Args{"name": "Ben"}); err != nil || got != "From Ben." {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := b.Text("en", "end.code", Args{"code": 1}); err != nil || got != "Session one." {
		t.Errorf("the rest changed: %q, %v", got, err)
	}
	s := newSpeaker(t, b, &fakeSynth{})
	clip, err := s.Say(t.Context(), "en", "login.number", nil)
	if err != nil || clip.File != filepath.Join(dir, "en/login.number.wav") || clip.Duration != time.Second {
		t.Errorf("%+v, %v", clip, err)
	}
	if clip.Text != "Enter your user number, then hash." || clip.ID != "login.number" {
		t.Errorf("words %q of %q", clip.Text, clip.ID)
	}
}

func TestOverrideRefuses(t *testing.T) {
	good := wav.Sound{Rate: Rate, Samples: make([]int16, 80)}
	stereo := wav.Encode(good)
	stereo[22] = 2
	tests := []struct {
		name, file string
		data       []byte
		want       string // in the error
	}{
		{"unknown id", "en.toml", []byte("[prompts]\n\"x\" = \"y\""), `there is no prompt "x"`},
		{"unknown placeholder", "en.toml", []byte("[prompts]\n\"end.code\" = \"{kode}\""), "{kode} is not known there; use code"},
		{"unknown sound", "en/x.wav", wav.Encode(good), `en/x.wav: there is no prompt "x"`},
		{"sound with placeholders", "en/end.code.wav", wav.Encode(good), "this prompt has placeholders"},
		{"sound with forms", "en/home.new.wav", wav.Encode(good), "plural forms"},
		{"not a sound", "en/login.number.wav", []byte("ID3"), "not a PCM 16 bit WAV file"},
		{"rate", "en/login.number.wav", wav.Encode(wav.Sound{Rate: 44100}), "it has 44100 Hz"},
		{"stereo", "en/login.number.wav", stereo, "2 channels"},
	}
	for _, tt := range tests {
		_, err := LoadBook(os.DirFS("testdata/small"), folder(t, map[string][]byte{tt.file: tt.data}))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
	if _, err := LoadBook(nil, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that does not exist was accepted")
	}
	if _, err := LoadBook(nil, os.Args[0]); err == nil {
		t.Error("a file was accepted as the folder")
	}
}
