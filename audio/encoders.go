package audio

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"
)

// encoders runs the encoding jobs: one goroutine for each, of which as many work at once as there are tokens.
type encoders struct {
	tokens chan struct{}

	mu   sync.Mutex
	jobs map[string]*job // by object key and form: those under way, and for a while those that failed
	wg   sync.WaitGroup
	// closed is set when no more jobs may start.
	closed bool
}

// A job makes one form of one recording.
type job struct {
	done   chan struct{} // closed at its end
	err    error         // valid after done
	failed time.Time     // zero while it is under way
}

const (
	// retryAfter is how long a form that could not be made is not tried again.
	retryAfter = time.Minute
	// longestJob is how long one form may take; three minutes of sound take two seconds.
	longestJob = 2 * time.Minute
)

func (e *encoders) init(workers int) {
	e.tokens = make(chan struct{}, workers)
	e.jobs = make(map[string]*job)
}

// wait lets no new job start and returns when all have ended.
func (e *encoders) wait() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.wg.Wait()
}

// forget drops the failures that no longer count.
func (e *encoders) forget(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, j := range e.jobs {
		if !j.failed.IsZero() && !now.Before(j.failed.Add(retryAfter)) {
			delete(e.jobs, name)
		}
	}
}

// startForm makes the form in the background, unless that is under way already or failed a moment ago. The job is
// returned for those who wait.
func (s *Store) startForm(rec Recording, f Form) *job {
	e := &s.encoders
	name := rec.key() + "." + string(f)
	e.mu.Lock()
	defer e.mu.Unlock()
	if j := e.jobs[name]; j != nil && (j.failed.IsZero() || s.cfg.Now().Before(j.failed.Add(retryAfter))) {
		return j
	}
	j := &job{done: make(chan struct{})}
	if e.closed {
		j.err = ErrClosed
		close(j.done)
		return j
	}
	e.jobs[name] = j
	e.wg.Go(func() { s.runJob(j, name, rec, f) })
	return j
}

func (s *Store) runJob(j *job, name string, rec Recording, f Form) {
	select {
	case s.encoders.tokens <- struct{}{}:
		ctx, cancel := context.WithTimeout(s.ctx, longestJob)
		j.err = s.makeForm(ctx, rec, f)
		cancel()
		<-s.encoders.tokens
	case <-s.ctx.Done():
		j.err = s.ctx.Err()
	}
	failed := j.err != nil && !errors.Is(j.err, ErrNotFound) && s.ctx.Err() == nil
	if failed {
		s.cfg.Log.Error("audio: a form could not be made", "id", rec.ID, "form", f, "err", j.err)
	}
	s.encoders.mu.Lock()
	defer s.encoders.mu.Unlock()
	if failed {
		j.failed = s.cfg.Now()
	} else {
		delete(s.encoders.jobs, name)
	}
	close(j.done)
}

// makeForm encodes, checks and stores one form, if it is not there and the recording still is.
func (s *Store) makeForm(ctx context.Context, rec Recording, f Form) error {
	name := rec.key() + "." + string(f)
	if o, err := s.backend.Open(ctx, name); err == nil {
		return o.Close()
	}
	p, err := s.master(ctx, rec)
	if err != nil {
		return err
	}
	b, err := f.encode(ctx, p, rec.tags())
	if err != nil {
		return err
	}
	unlock := s.lock(rec.key())
	defer unlock()
	if _, err := load(ctx, s.backend, rec.key()); err != nil {
		return err
	}
	return s.backend.Put(ctx, name, b)
}

// lock keeps the making and the deleting of one recording's files apart, within this process. Between processes a form
// can be written just after its recording was deleted; GC takes it away.
func (s *Store) lock(key string) (unlock func()) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	m := &s.locks[h.Sum32()%uint32(len(s.locks))]
	m.Lock()
	return m.Unlock
}

// openForm opens a form, making it first and waiting for it that long if it is not there.
func (s *Store) openForm(ctx context.Context, rec Recording, f Form, patience time.Duration) (Object, error) {
	name := rec.key() + "." + string(f)
	o, err := s.backend.Open(ctx, name)
	if !errors.Is(err, ErrNotFound) || f == WAV {
		return o, err
	}
	j := s.startForm(rec, f)
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case <-j.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-enough.C:
		return nil, fmt.Errorf("audio: the %s of %s is not ready yet", f, rec.ID)
	}
	if j.err != nil {
		return nil, fmt.Errorf("audio: no %s of %s: %w", f, rec.ID, j.err)
	}
	return s.backend.Open(ctx, name)
}

// Wait returns when all forms of the recording are there, or one of them cannot be made.
func (s *Store) Wait(ctx context.Context, rec Recording) error {
	for _, f := range forms {
		o, err := s.openForm(ctx, rec, f, time.Hour)
		if err != nil {
			return err
		}
		if err := o.Close(); err != nil {
			return err
		}
	}
	return nil
}

// resumeEncoding makes the forms that a crash prevented, of the last two days. Older ones are made when they are asked
// for.
func (s *Store) resumeEncoding(ctx context.Context) {
	today := s.cfg.Now().UTC()
	for _, day := range []time.Time{today.AddDate(0, 0, -1), today} {
		have := map[string]bool{}
		for info, err := range s.backend.List(ctx, day.Format(dayLayout)+"/") {
			if err != nil {
				s.cfg.Log.Error("audio: looking for interrupted encodings", "err", err)
				return
			}
			have[info.Key] = true
		}
		for name := range have {
			if key, ok := strings.CutSuffix(name, ".json"); ok && (!have[key+".mp3"] || !have[key+".ogg"]) {
				s.resumeOne(ctx, key)
			}
		}
	}
}

func (s *Store) resumeOne(ctx context.Context, key string) {
	rec, err := load(ctx, s.backend, key)
	if err != nil || rec.Draft || rec.expired(s.cfg.Now()) {
		return
	}
	for _, f := range forms {
		<-s.startForm(rec, f).done // one at a time: a burst of them would hold up new recordings
	}
}
