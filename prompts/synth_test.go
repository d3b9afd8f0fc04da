package prompts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script writes a program for the test to call.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "speak")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRealSynthesisers needs flite and espeak-ng (apt install flite espeak-ng).
func TestRealSynthesisers(t *testing.T) {
	for _, driver := range []string{"flite", "espeak-ng"} {
		synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: driver})
		if err != nil {
			t.Fatal(err)
		}
		s := newSpeaker(t, smallBook(t), synth)
		short, err := s.SayText(t.Context(), "en", "Hello.")
		if err != nil || short.Duration < 200*time.Millisecond || short.Duration > 1200*time.Millisecond {
			t.Errorf("%s: %v, %v", driver, short.Duration, err)
		}
		long, err := s.SayText(t.Context(), "en", "Zoë’s message: -v [[hello]] $(date) {out}, and that was all.")
		if err != nil || long.Duration < 2*short.Duration {
			t.Errorf("%s: %v, %v", driver, long.Duration, err)
		}
	}
}

func TestEspeakOtherLanguage(t *testing.T) {
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "espeak-ng"})
	if err != nil {
		t.Fatal(err)
	}
	if sound, err := synth.Speak(t.Context(), "de", "Guten Tag."); err != nil || sound.Duration() < 300*time.Millisecond {
		t.Errorf("%v, %v", sound.Duration(), err)
	}
	if _, err := synth.Speak(t.Context(), "qqq", "Hello."); err == nil || !strings.Contains(err.Error(), "voice does not exist") {
		t.Errorf("an unknown voice: %v", err)
	}
}

func TestFliteRefuses(t *testing.T) {
	synth, err := NewSynthesiser(t.Context(), SynthOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := synth.Speak(t.Context(), "en", "東京"); !errors.Is(err, ErrUnspeakable) {
		t.Errorf("a script that flite does not know: %v", err)
	}
	if _, err := synth.Key("de"); err == nil || !strings.Contains(err.Error(), "choose espeak-ng") {
		t.Errorf("German: %v", err)
	}
	_, err = NewSynthesiser(t.Context(), SynthOptions{Voices: map[string]string{"en": "slot"}})
	if err == nil || !strings.Contains(err.Error(), `no voice "slot"; it has`) {
		t.Errorf("an unknown voice: %v", err)
	}
}

func TestMissingProgramTellsWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, o := range []SynthOptions{{Driver: "flite"}, {Driver: "espeak-ng"}, {Driver: "command", Command: []string{"say", "{out}"}}} {
		_, err := NewSynthesiser(t.Context(), o)
		if !errors.Is(err, ErrNoSynthesiser) || !strings.Contains(err.Error(), "apt install flite") {
			t.Errorf("%s: %v", o.Driver, err)
		}
	}
	if _, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "hal"}); err == nil {
		t.Error("an unknown driver was accepted")
	}
	if _, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "command", Command: []string{"x"}}); err == nil {
		t.Error("a command without {out} was accepted")
	}
}

// TestCommand runs programs of the administrator's, which speak by copying a file; the text comes in each of the ways.
func TestCommand(t *testing.T) {
	sample := filepath.Join(t.TempDir(), "sample.wav")
	espeak, err := newEspeak(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := runProgram(t.Context(), espeak.argv("en", "en-us", "", files{text: os.DevNull, out: sample}), os.DevNull, "/", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"{textfile}"}, {"{text}"}} {
		said := filepath.Join(t.TempDir(), "said")
		program := script(t, `if [ -f "$4" ]; then cat "$4" >"`+said+`"; elif [ -n "$4" ]; then echo "$4" >"`+said+`"; else cat >"`+said+`"; fi
			echo "$2 $3" >>"`+said+`"; espeak-ng -w "$1" hello`)
		synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "command", Voices: map[string]string{"en": "anna"},
			Command: append([]string{program, "{out}", "{lang}", "v={voice}"}, args...)})
		if err != nil {
			t.Fatal(err)
		}
		if sound, err := synth.Speak(t.Context(), "en", "what; $(is) said"); err != nil || len(sound.Samples) == 0 {
			t.Errorf("%v: %d samples, %v", args, len(sound.Samples), err)
		}
		if got, err := os.ReadFile(said); err != nil || string(got) != "what; $(is) said\nen v=anna\n" {
			t.Errorf("%v: it got %q, %v", args, got, err)
		}
	}
}

func TestCommandFails(t *testing.T) {
	for body, want := range map[string]string{
		"echo no licence >&2; exit 3":                "no licence",
		"exit 0":                                     "wrote no speech",
		"echo text >$1":                              "not a PCM 16 bit WAV file",
		"head -c 70000000 /dev/zero >$1":             "is larger than",
		"yes complaint | head -c 100000 >&2; exit 1": "complaint",
	} {
		synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "command", Command: []string{script(t, body), "{out}"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = synth.Speak(t.Context(), "en", "hello")
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 2000 {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestCommandIsKilledWithItsChildren ends a program that sleeps in a child of its own.
func TestCommandIsKilledWithItsChildren(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	program := script(t, `sleep 60 & echo $! >"`+started+`"; wait`)
	synth, err := NewSynthesiser(t.Context(), SynthOptions{Driver: "command", Command: []string{program, "{out}"}})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for {
			if b, err := os.ReadFile(started); err == nil && strings.HasSuffix(string(b), "\n") {
				cancel(cause)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := synth.Speak(ctx, "en", "hello"); !errors.Is(err, cause) {
		t.Error(err)
	}
	pid, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for alive(strings.TrimSpace(string(pid))) {
		if time.Now().After(deadline) {
			t.Fatal("the child is still there")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// alive tells whether a process runs; one that waits to be reaped does not.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
