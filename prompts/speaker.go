package prompts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"hark/internal/wav"
)

// The folders of the cache.
const (
	staticDir = "static" // prompts without placeholders: kept for ever
	textDir   = "text"   // everything else: bounded in size and age
	earconDir = "earcon"
)

// pipeline is the version of the sound's treatment; a change of it renders everything anew.
const pipeline = "1"

// SpeakerOptions tells NewSpeaker what it needs.
type SpeakerOptions struct {
	Book  *Book
	Synth Synthesiser
	// Dir is the folder of rendered speech. Whoever plays it (the switch) must be able to read it; it holds the speech
	// of users' messages, so nobody else should. Two speakers may share it.
	Dir string
	// MaxBytes bounds the speech of free text and of prompts with placeholders; 0 is 64 MiB. The longest unused goes first.
	MaxBytes int64
	// MaxAge is how long such speech is kept after its last use; 0 is 24 h.
	MaxAge time.Duration
	// Workers is how many synthesisers run at once; 0 is as many as there are processors.
	Workers int
	// Log gets failures. Never the texts. nil discards.
	Log *slog.Logger
}

// A Speaker turns prompts and text into clips. Any goroutine may use it.
type Speaker struct {
	opt     SpeakerOptions
	flight  singleflight.Group
	workers chan struct{}
	text    *shelf
	recent  recent

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards closed, and Add against Wait
	closed bool
	jobs   sync.WaitGroup
}

// ErrClosed is what a closed Speaker returns.
var ErrClosed = errors.New("prompts: the speaker is closed")

// NewSpeaker makes the cache's folders. It renders nothing; Prerender does.
func NewSpeaker(o SpeakerOptions) (*Speaker, error) {
	if o.Book == nil || o.Synth == nil {
		return nil, errors.New("prompts: a speaker needs a book and a synthesiser")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	for _, sub := range []string{staticDir, textDir, earconDir} {
		if err := os.MkdirAll(filepath.Join(o.Dir, sub), 0o750); err != nil {
			return nil, fmt.Errorf("prompts: the folder of speech: %w", err)
		}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Speaker{opt: o, workers: make(chan struct{}, o.Workers)}
	s.text = newShelf(filepath.Join(o.Dir, textDir), o.MaxBytes, o.MaxAge)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Close stops what is being rendered and waits for it. Clips stay.
func (s *Speaker) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.jobs.Wait()
	return nil
}

// Text returns the words of a prompt; see Book.Text.
func (s *Speaker) Text(lang, id string, args Args) (string, error) {
	return s.opt.Book.Text(lang, id, args)
}

// Say returns the sound of a prompt: the administrator's file if there is one, else synthesised speech. When ctx ends
// first, the rendering goes on for whoever asks next.
func (s *Speaker) Say(ctx context.Context, lang, id string, args Args) (Clip, error) {
	key := promptKey{lang, id}
	if clip, ok := s.recent.get(key); ok {
		return clip, nil
	}
	text, err := s.opt.Book.Text(lang, id, args)
	if err != nil {
		return Clip{}, err
	}
	_, p, err := s.opt.Book.find(lang, id)
	if err != nil {
		return Clip{}, err
	}
	clip, err := s.promptClip(ctx, lang, p, text)
	if err != nil {
		return Clip{}, fmt.Errorf("prompts: %s in %s: %w", id, lang, err)
	}
	clip.ID, clip.Text = id, text
	if p.static() {
		s.recent.put(key, clip)
	}
	return clip, nil
}

func (s *Speaker) promptClip(ctx context.Context, lang string, p prompt, text string) (Clip, error) {
	switch {
	case p.sound != "":
		return Clip{File: p.sound, Duration: p.length}, nil
	case p.static():
		return s.clip(ctx, staticDir, lang, text)
	}
	return s.clip(ctx, textDir, lang, text)
}

// SayText returns the sound of free text, such as a message or a name, as one file. It speaks at most MaxText
// characters; the clip's Text is what is spoken. An error wraps ErrUnspeakable when there is nothing to say.
func (s *Speaker) SayText(ctx context.Context, lang, text string) (Clip, error) {
	text = sanitise(text)
	clip, err := s.clip(ctx, textDir, lang, text)
	if err != nil {
		return Clip{}, fmt.Errorf("prompts: free text in %s: %w", lang, err)
	}
	clip.Text = text
	return clip, nil
}

// Speaks tells whether there is a voice for a language. Any goroutine may call it.
func (s *Speaker) Speaks(lang string) bool {
	_, err := s.opt.Synth.Key(lang)
	return err == nil
}

// Languages lists the languages that the speaker has texts and a voice for, sorted.
func (s *Speaker) Languages() []string {
	return slices.DeleteFunc(s.opt.Book.Languages(), func(lang string) bool { return !s.Speaks(lang) })
}

// Prerender renders what is not yet there of all prompts without placeholders, in every one of Languages. progress, if not
// nil, is called after each, from this goroutine.
func (s *Speaker) Prerender(ctx context.Context, progress func(done, total int)) error {
	type job struct{ lang, id string }
	var jobs []job
	for _, lang := range s.Languages() {
		for _, id := range s.opt.Book.static(lang) {
			jobs = append(jobs, job{lang, id})
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next, results := make(chan job), make(chan error)
	var workers sync.WaitGroup
	for range s.opt.Workers {
		workers.Go(func() {
			for j := range next {
				_, err := s.Say(ctx, j.lang, j.id, nil)
				results <- err
			}
		})
	}
	workers.Go(func() {
		defer close(next)
		for _, j := range jobs {
			next <- j
		}
	})
	var first error
	for done := range jobs {
		err := <-results
		if err != nil && first == nil {
			first = err
			cancel() // the rest fails at once
		}
		if progress != nil {
			progress(done+1, len(jobs))
		}
	}
	workers.Wait()
	return first
}

// clip returns the speech of text from the cache, or renders it.
func (s *Speaker) clip(ctx context.Context, sub, lang, text string) (Clip, error) {
	if !speakable(text) {
		return Clip{}, ErrUnspeakable
	}
	voice, err := s.opt.Synth.Key(lang)
	if err != nil {
		return Clip{}, err
	}
	path := filepath.Join(s.opt.Dir, sub, cacheName(pipeline, voice, lang, text))
	if clip, err := fileClip(path); err == nil {
		if sub == textDir {
			s.text.used(path)
		}
		return clip, nil
	}
	done := s.flight.DoChan(path, func() (any, error) { return nil, s.renderFile(path, sub, lang, text) })
	select {
	case r := <-done:
		if r.Err != nil {
			return Clip{}, r.Err
		}
		return fileClip(path)
	case <-ctx.Done():
		return Clip{}, context.Cause(ctx)
	}
}

// renderFile renders text into a file of the cache. It belongs to the speaker, not to whoever asked first.
func (s *Speaker) renderFile(path, sub, lang, text string) error {
	if !s.begin() {
		return ErrClosed
	}
	defer s.jobs.Done()
	if _, err := fileClip(path); err == nil {
		return nil // it came between the caller's look and now
	}
	sound, err := s.render(lang, text)
	if err != nil {
		return err
	}
	if err := wav.Write(path, sound); err != nil {
		return err
	}
	if sub == textDir {
		if err := s.text.added(path); err != nil {
			s.opt.Log.Warn("the cache of speech cannot be tidied", "err", err)
		}
	}
	return nil
}

// begin counts a job, unless the speaker is closed.
func (s *Speaker) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.jobs.Add(1)
	}
	return !s.closed
}

// render speaks a text piece by piece and joins the pieces.
func (s *Speaker) render(lang, text string) (wav.Sound, error) {
	select {
	case s.workers <- struct{}{}:
		defer func() { <-s.workers }()
	case <-s.ctx.Done():
		return wav.Sound{}, ErrClosed
	}
	out := wav.Sound{Rate: Rate}
	for _, piece := range pieces(text) {
		sound, err := s.opt.Synth.Speak(s.ctx, lang, piece)
		if errors.Is(err, ErrUnspeakable) {
			continue // a piece of signs only
		}
		if err != nil {
			return wav.Sound{}, err
		}
		if len(out.Samples) > 0 {
			out.Samples = append(out.Samples, make([]int16, count(betweenPieces))...)
		}
		out.Samples = append(out.Samples, polish(sound).Samples...)
	}
	if len(out.Samples) == 0 {
		return wav.Sound{}, ErrUnspeakable
	}
	return out, nil
}

// betweenPieces is the silence between two pieces of a long text, beside what polish leaves.
const betweenPieces = 250 * time.Millisecond

// cacheName is the file name for what it is made from; nobody can read the text off it.
func cacheName(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:20]) + ".wav"
}

// fileClip is a clip of a file as wav.Write wrote it. A file without sound is as good as none: a power cut can leave one
// that was just written so.
func fileClip(path string) (Clip, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Clip{}, err
	}
	duration := wav.FileDuration(info.Size(), Rate)
	if duration == 0 {
		return Clip{}, fmt.Errorf("prompts: there is no sound in %s", path)
	}
	return Clip{File: path, Duration: duration}, nil
}
