package audio

import (
	"context"
	"errors"
	"path"
	"time"
)

// Local gives the recording behind a link of ours as a file that Asterisk can play at once: WAV, 8 kHz, 16 bit, mono,
// under an absolute path without symbolic links. The file belongs to the store; it stays at least as long as a call
// lasts, and callers must not change it. Errors: ErrNotOurs for any other URL, ErrGone.
func (s *Store) Local(ctx context.Context, link string) (wavPath string, duration time.Duration, err error) {
	token, ok := s.token(link)
	if !ok {
		return "", 0, ErrNotOurs
	}
	rec, err := s.resolve(ctx, token)
	if err != nil {
		return "", 0, err
	}
	return s.localFile(ctx, rec)
}

// localFile is the recording itself where that will do, and a copy of it otherwise.
func (s *Store) localFile(ctx context.Context, rec Recording) (string, time.Duration, error) {
	if b, ok := s.backend.(Pather); ok && rec.Rate == minRate {
		file, err := b.Path(rec.key() + ".wav")
		return file, rec.Duration, err
	}
	name := path.Base(rec.key()) + ".wav"
	if o, err := s.cache.Open(ctx, name); err == nil {
		_ = o.Close()
	} else if !errors.Is(err, ErrNotFound) {
		return "", 0, err
	} else if err := s.copyLocal(ctx, rec, name); err != nil {
		return "", 0, err
	}
	file, err := s.cache.Path(name)
	return file, rec.Duration, err
}

func (s *Store) copyLocal(ctx context.Context, rec Recording, name string) error {
	p, err := s.master(ctx, rec)
	if err != nil {
		return err
	}
	unlock := s.lock(rec.key())
	defer unlock()
	if _, err := load(ctx, s.backend, rec.key()); err != nil {
		return err // deleted meanwhile: no copy may outlive it
	}
	return s.cache.Put(ctx, name, encodeWAV(resample(p, minRate)))
}

// master reads the recording's sound.
func (s *Store) master(ctx context.Context, rec Recording) (pcm, error) {
	b, _, err := readObject(ctx, s.backend, rec.key()+".wav", int64(maxDecoded)*2)
	if err != nil {
		return pcm{}, err
	}
	p, _, err := decodeWAV(b)
	return p, err
}
