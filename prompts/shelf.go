package prompts

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	defaultMaxBytes = 64 << 20
	defaultMaxAge   = 24 * time.Hour
	// playing is how long a file stays after its last use at least: the switch may be about to open it.
	playing = 5 * time.Minute
	// sweepEvery is how often the age is looked at, at most.
	sweepEvery = 10 * time.Minute
)

// shelf is a folder of files that is bounded in size and age. A file's modification time is when it was last used.
type shelf struct {
	dir      string
	maxBytes int64
	maxAge   time.Duration

	mu    sync.Mutex
	bytes int64     // what is in the folder, as far as known
	swept time.Time // when the folder was last looked through; zero before the first time
}

func newShelf(dir string, maxBytes int64, maxAge time.Duration) *shelf {
	if maxBytes <= 0 {
		maxBytes = defaultMaxBytes
	}
	if maxAge <= 0 {
		maxAge = defaultMaxAge
	}
	return &shelf{dir: dir, maxBytes: maxBytes, maxAge: maxAge}
}

// used notes that a file is played now. A file that is gone meanwhile is rendered again by the next call.
func (s *shelf) used(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now)
}

// added counts a new file and tidies up when it is time to.
func (s *shelf) added(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += info.Size()
	if s.bytes <= s.maxBytes && time.Since(s.swept) < sweepEvery {
		return nil
	}
	return s.sweep()
}

// sweep looks through the folder: what is too old goes, then the longest unused until a tenth of the room is free.
func (s *shelf) sweep() error {
	files, err := s.list()
	if err != nil {
		return err
	}
	s.swept, s.bytes = time.Now(), 0
	for _, f := range files {
		s.bytes += f.Size()
	}
	goal := s.maxBytes
	if s.bytes > s.maxBytes {
		goal -= s.maxBytes / 10
	}
	var failed []error
	for _, f := range files {
		unused := s.swept.Sub(f.ModTime())
		if unused < playing || s.bytes <= goal && unused < s.maxAge {
			break
		}
		if err := os.Remove(filepath.Join(s.dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
			continue
		}
		s.bytes -= f.Size()
	}
	return errors.Join(failed...)
}

// list returns the files of speech, the longest unused first.
func (s *shelf) list() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasSuffix(e.Name(), ".wav") {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return files, nil
}
