package vxml

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hark/prompts"
	"hark/vxml/fetch"
	"hark/vxml/sound"
)

// maxSound bounds a sound that is fetched, in bytes.
const maxSound = 10 << 20

// sounds keeps fetched sounds as the files that a line can play.
type sounds struct {
	dir  string
	ours bool // the folder, too, is ours to remove

	mu   sync.Mutex
	kept map[string]*keptSound
}

type keptSound struct {
	clip prompts.Clip
	used time.Time
}

// The bounds of what is kept: files beyond maxSounds go when nobody asked for them for soundLife, which is longer than any
// of them plays.
const (
	maxSounds = 500
	soundLife = time.Hour
)

func newSounds(dir string) (*sounds, error) {
	s := &sounds{dir: dir, kept: map[string]*keptSound{}}
	var err error
	if dir == "" {
		s.ours = true
		s.dir, err = os.MkdirTemp("", "hark-vxml-")
	} else {
		err = os.MkdirAll(dir, 0o750)
	}
	if err == nil {
		s.dir, err = filepath.Abs(s.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("vxml: folder for sounds: %w", err)
	}
	return s, nil
}

// close removes the files.
func (s *sounds) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ours {
		return os.RemoveAll(s.dir)
	}
	var all error
	for _, k := range s.kept {
		all = errors.Join(all, os.Remove(k.clip.File))
	}
	s.kept = map[string]*keptSound{}
	return all
}

// clip makes a file of what was fetched, or finds the one that there is.
func (s *sounds) clip(r *fetch.Response) (*prompts.Clip, error) {
	sum := sha256.Sum256(append([]byte(r.Type+"\n"), r.Body...))
	key := hex.EncodeToString(sum[:16])
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[key]
	if k == nil {
		pcm, err := sound.Decode(r.Body, r.Type)
		if err != nil {
			return nil, err
		}
		k = &keptSound{clip: prompts.Clip{File: filepath.Join(s.dir, "vxml-"+key+".wav"), Duration: sound.Duration(pcm)}}
		if err := os.WriteFile(k.clip.File, sound.WAV(pcm), 0o640); err != nil {
			return nil, fmt.Errorf("vxml: %w", err)
		}
		s.sweep()
		s.kept[key] = k
	}
	k.used = time.Now()
	clip := k.clip
	return &clip, nil
}

// sweep removes files that were not used for long, when there are many. The caller holds the lock.
func (s *sounds) sweep() {
	if len(s.kept) < maxSounds {
		return
	}
	for key, k := range s.kept {
		if time.Since(k.used) > soundLife {
			_ = os.Remove(k.clip.File)
			delete(s.kept, key)
		}
	}
}
