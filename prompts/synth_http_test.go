package prompts

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"hark/internal/wav"
)

func TestService(t *testing.T) {
	sound := wav.Sound{Rate: 16000, Samples: make([]int16, 1600)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || string(text) != "Grüße; $(date)" {
			t.Errorf("%s of %q, %v", r.Method, text, err)
		}
		if got := r.URL.Query(); got.Get("lang") != "de" || got.Get("voice") != "anna & co" {
			t.Errorf("asked for %v", got)
		}
		if _, err := w.Write(wav.Encode(sound)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "http", URL: server.URL + "/speak?lang={lang}&voice={voice}",
		Voices: map[string]string{"de": "anna & co"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := synth.Speak(t.Context(), "de", "Grüße; $(date)")
	if err != nil || got.Rate != sound.Rate || len(got.Samples) != len(sound.Samples) {
		t.Errorf("%d samples at %d Hz, %v", len(got.Samples), got.Rate, err)
	}
	german, _ := synth.Key("de")
	if english, err := synth.Key("en"); err != nil || english == german {
		t.Errorf("the same key %q for both languages, %v", english, err)
	}
}

func TestServiceFails(t *testing.T) {
	for want, handle := range map[string]http.HandlerFunc{
		"answers 503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"answers 302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no speech":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"more than":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxSpeech+2)) },
		"EOF":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		server := httptest.NewServer(handle)
		synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "http", URL: server.URL + "/?key=hidden"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := synth.Speak(t.Context(), "en", "hello"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", want, err)
		}
		server.Close()
	}
	for _, bad := range []string{"", "speak", "ftp://x/y", "http:///y"} {
		if _, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "http", URL: bad}); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

// TestServiceThatHangs: a call does not wait for it.
func TestServiceThatHangs(t *testing.T) {
	asked, free := make(chan bool), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(asked); <-free }))
	defer server.Close()
	defer close(free)
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "http", URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if client := synth.(*service).client; client.Timeout != renderTime {
		t.Errorf("it may take %v", client.Timeout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := synth.Speak(ctx, "en", "hello"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestFestival needs festival and a voice of it (apt install festival festvox-kallpc16k).
func TestFestival(t *testing.T) {
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "festival"})
	if err != nil {
		t.Fatal(err)
	}
	synth.(*program).limit = time.Minute // the machine may have much else to do
	if sound, err := synth.Speak(t.Context(), "en", "Zoë’s message: (quit) \"$(date)"); err != nil || sound.Duration() < time.Second {
		t.Errorf("%v, %v", sound.Duration(), err)
	}
	if _, err := synth.Key("de"); err == nil {
		t.Error("it speaks German without a voice for it")
	}
	if _, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "festival", Voices: map[string]string{"en": "x)(quit"}}); err == nil {
		t.Error("an expression is taken for a voice")
	}
}

// TestPico calls a program in pico's place, since Debian has the real one in non-free only.
func TestPico(t *testing.T) {
	program := script(t, `[ "$1 $3 $4" = "--lang=de-DE -- -v  b  Gruesse" ] || { echo "$@" >&2; exit 1; }; espeak-ng -w "${2#--wave=}" hello`)
	pico := program[:strings.LastIndexByte(program, '/')]
	if err := os.Symlink(program, pico+"/pico2wave"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", pico+":/usr/bin:/bin")
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "pico"})
	if err != nil {
		t.Fatal(err)
	}
	if sound, err := synth.Speak(t.Context(), "de", "-v <b> Gruesse"); err != nil || len(sound.Samples) == 0 {
		t.Errorf("%d samples, %v", len(sound.Samples), err)
	}
	if _, err := synth.Key("qqq"); err == nil {
		t.Error("it speaks an unknown language")
	}
}
