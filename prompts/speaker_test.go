package prompts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/internal/wav"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSynth speaks a tone, 10 ms for each character. When gate is not nil, it waits there.
type fakeSynth struct {
	gate  chan struct{}
	err   error
	runs  atomic.Int32
	most  atomic.Int32
	alive atomic.Int32
}

func (f *fakeSynth) Key(lang string) (string, error) {
	if lang != "en" {
		return "", errors.New("no voice")
	}
	return "fake", nil
}

func (f *fakeSynth) Speak(ctx context.Context, _, text string) (wav.Sound, error) {
	f.runs.Add(1)
	alive := f.alive.Add(1)
	for most := f.most.Load(); alive > most && !f.most.CompareAndSwap(most, alive); most = f.most.Load() {
	}
	defer f.alive.Add(-1)
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return wav.Sound{}, ctx.Err()
		}
	}
	return sine(16000, 500, time.Duration(len(text))*10*time.Millisecond), f.err
}

func newSpeaker(t *testing.T, b *Book, synth Synthesiser) *Speaker {
	t.Helper()
	s, err := NewSpeaker(SpeakerOptions{Book: b, Synth: synth, Dir: t.TempDir(), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSayIsKept(t *testing.T) {
	synth := &fakeSynth{}
	s := newSpeaker(t, smallBook(t), synth)
	first, err := s.Say(t.Context(), "en", "home.new", Args{"count": 3})
	if err != nil || first.Text != "You have three new messages." || first.ID != "home.new" || first.Duration == 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := s.Say(t.Context(), "en", "home.new", Args{"count": 3})
	if err != nil || again != first || synth.runs.Load() != 1 {
		t.Errorf("%+v, %v after %d runs", again, err, synth.runs.Load())
	}
	other, err := s.Say(t.Context(), "en", "home.new", Args{"count": 4})
	if err != nil || other.File == first.File {
		t.Errorf("%+v, %v", other, err)
	}
	sound, err := wav.Read(first.File)
	if err != nil || sound.Duration() != first.Duration {
		t.Errorf("%v, %v", sound.Duration(), err)
	}
}

// What a power cut has left empty is made again, at each of the places where it is kept.
func TestEmptyFileIsMadeAgain(t *testing.T) {
	s := newSpeaker(t, smallBook(t), &fakeSynth{})
	for name, speak := range map[string]func() (Clip, error){
		"prompt":  func() (Clip, error) { return s.Say(t.Context(), "en", "home.new", Args{"count": 3}) },
		"message": func() (Clip, error) { return s.SayText(t.Context(), "en", "hello") },
		"earcon":  func() (Clip, error) { return s.Earcon("tone") },
	} {
		first, err := speak()
		if err != nil {
			t.Fatal(name, err)
		}
		if err := os.Truncate(first.File, 0); err != nil {
			t.Fatal(err)
		}
		again, err := speak()
		if err != nil || again != first {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
		if sound, err := wav.Read(again.File); err != nil || sound.Duration() != first.Duration {
			t.Errorf("%s: %v of sound, %v", name, sound.Duration(), err)
		}
	}
}

func TestSayFails(t *testing.T) {
	broken := errors.New("broken")
	s := newSpeaker(t, smallBook(t), &fakeSynth{err: broken})
	if _, err := s.Say(t.Context(), "en", "login.number", nil); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := s.Say(t.Context(), "en", "none", nil); err == nil {
		t.Error("an unknown prompt was said")
	}
	for _, text := range []string{"", " \n", "...", "\u200b"} {
		if _, err := s.SayText(t.Context(), "en", text); !errors.Is(err, ErrUnspeakable) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := s.SayText(t.Context(), "fr", "bonjour"); err == nil {
		t.Error("no voice, but no error")
	}
	if left, _ := filepath.Glob(filepath.Join(s.opt.Dir, "*/*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestManyAskAtOnce has forty callers for four texts: each is rendered once, at most two at a time.
func TestManyAskAtOnce(t *testing.T) {
	synth := &fakeSynth{gate: make(chan struct{})}
	s := newSpeaker(t, smallBook(t), synth)
	var callers sync.WaitGroup
	for i := range 40 {
		callers.Go(func() {
			if _, err := s.SayText(t.Context(), "en", fmt.Sprintf("text %d", i%4)); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		synth.gate <- struct{}{}
	}
	callers.Wait()
	if runs, most := synth.runs.Load(), synth.most.Load(); runs != 4 || most > 2 {
		t.Errorf("%d runs, %d at once", runs, most)
	}
}

// TestImpatientCaller leaves early: it gets its context's cause, and the others still get their sound.
func TestImpatientCaller(t *testing.T) {
	synth := &fakeSynth{gate: make(chan struct{})}
	s := newSpeaker(t, smallBook(t), synth)
	cause := errors.New("hung up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := s.SayText(ctx, "en", "hello"); !errors.Is(err, cause) {
		t.Error(err)
	}
	close(synth.gate)
	if _, err := s.SayText(t.Context(), "en", "hello"); err != nil || synth.runs.Load() != 1 {
		t.Errorf("%v after %d runs", err, synth.runs.Load())
	}
}

// TestRecentPrompt says a static prompt twice; once its file is gone it is rendered anew after a while.
func TestRecentPrompt(t *testing.T) {
	synth := &fakeSynth{}
	s := newSpeaker(t, smallBook(t), synth)
	id := s.opt.Book.static("en")[0]
	first, err := s.Say(t.Context(), "en", id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Say(t.Context(), "en", id, nil); again != first || err != nil {
		t.Errorf("%+v, %v; the first time %+v", again, err, first)
	}
	if err := os.Remove(first.File); err != nil {
		t.Fatal(err)
	}
	s.recent.until = time.Time{} // as if recentTime had passed
	if again, err := s.Say(t.Context(), "en", id, nil); again != first || err != nil || synth.runs.Load() != 2 {
		t.Errorf("after its file was removed: %+v, %v, %d runs", again, err, synth.runs.Load())
	}
}

func TestCloseStopsRendering(t *testing.T) {
	synth := &fakeSynth{gate: make(chan struct{})}
	s := newSpeaker(t, smallBook(t), synth)
	failed := make(chan error)
	go func() {
		_, err := s.SayText(context.Background(), "en", "hello")
		failed <- err
	}()
	for synth.alive.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.SayText(t.Context(), "en", "other"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestLongTextIsOneFile(t *testing.T) {
	synth := &fakeSynth{}
	s := newSpeaker(t, smallBook(t), synth)
	clip, err := s.SayText(t.Context(), "en", strings.Repeat("A sentence of some length. ", 40))
	if err != nil || synth.runs.Load() != 3 {
		t.Fatalf("%v after %d runs", err, synth.runs.Load())
	}
	if want := time.Duration(len(clip.Text))*10*time.Millisecond + 2*betweenPieces; (clip.Duration - want).Abs() > 300*time.Millisecond {
		t.Errorf("%v, want %v", clip.Duration, want)
	}
}

func TestPrerender(t *testing.T) {
	synth := &fakeSynth{}
	s := newSpeaker(t, smallBook(t), synth)
	var steps []string
	if err := s.Prerender(t.Context(), func(done, total int) { steps = append(steps, fmt.Sprint(done, "/", total)) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps, " "); got != "1/1" || synth.runs.Load() != 1 {
		t.Errorf("progress %q, %d runs", got, synth.runs.Load())
	}
	synth.err = errors.New("broken")
	if err := s.Prerender(t.Context(), nil); err != nil {
		t.Errorf("what is there is rendered again: %v", err)
	}
	broken := newSpeaker(t, smallBook(t), synth)
	if err := broken.Prerender(t.Context(), nil); !errors.Is(err, synth.err) {
		t.Error(err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	synth := &fakeSynth{}
	s, err := NewSpeaker(SpeakerOptions{Book: smallBook(t), Synth: synth, Dir: t.TempDir(), MaxBytes: 50_000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	static, err := s.Say(t.Context(), "en", "login.number", nil)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	var files []string
	for i := range 20 {
		clip, err := s.SayText(t.Context(), "en", fmt.Sprintf("a text to be forgotten %02d", i)) // 4 kB each
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, clip.File)
		unused := old.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(clip.File, unused, unused); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue
		}
		if _, err := s.SayText(t.Context(), "en", "a text to be forgotten 00"); err != nil { // used again and again
			t.Fatal(err)
		}
	}
	var kept []int
	var size int64
	for i, f := range files {
		if info, err := os.Stat(f); err == nil {
			kept, size = append(kept, i), size+info.Size()
		}
	}
	if size > 50_000 || len(kept) < 5 || kept[0] != 0 || kept[1] == 1 || kept[len(kept)-1] != 19 {
		t.Errorf("%d bytes, kept %v", size, kept)
	}
	if _, err := os.Stat(static.File); err != nil {
		t.Error(err)
	}
	if synth.runs.Load() != 21 {
		t.Errorf("%d runs", synth.runs.Load())
	}
}

func TestCacheForgetsWithAge(t *testing.T) {
	s := newSpeaker(t, smallBook(t), &fakeSynth{})
	clip, err := s.SayText(t.Context(), "en", "a secret")
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(clip.File, old, old); err != nil {
		t.Fatal(err)
	}
	if err := s.text.sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(clip.File); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}

func TestNewSpeakerRefuses(t *testing.T) {
	if _, err := NewSpeaker(SpeakerOptions{}); err == nil {
		t.Error("no book, but no error")
	}
	if _, err := NewSpeaker(SpeakerOptions{Book: smallBook(t), Synth: &fakeSynth{}, Dir: os.Args[0]}); err == nil {
		t.Error("a file as folder, but no error")
	}
}
