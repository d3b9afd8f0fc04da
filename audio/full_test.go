package audio

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"hark/internal/testbed"
)

// smallDisk is a folder with room for 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	testbed.SmallDisk(t, dir, "64k")
	return dir
}

// TestDiskFull: what does not fit is refused with ErrNoSpace and leaves nothing; what fits works; a draft may use the
// reserve under the floor.
func TestDiskFull(t *testing.T) {
	disk := smallDisk(t)
	s := newStore(t, func(c *Config) { c.Dir = filepath.Join(disk, "audio") })
	_, err := s.Put(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, 10*time.Second))), Meta{Owner: "4711001"})
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("160 kB on 64 KiB: %v", err)
	}
	if names := s.files(t); len(names) != 0 {
		t.Errorf("it left %v", names)
	}
	rec := s.put(t, time.Second, Meta{})
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	h := NewHandler(s.Store, HandlerConfig{})
	if r := ask(h, "GET", rec.URL[len("http://im.test"):]); r.StatusCode != 200 {
		t.Errorf("what fits: %s", r.Status)
	}

	s.cfg.Floor = 60 << 10
	s.reopen(t)
	if err := s.CanRecord(t.Context(), "4711001"); !errors.Is(err, ErrNoSpace) {
		t.Errorf("under the floor: %v", err)
	}
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, time.Second))), Meta{Owner: "4711001", Part: true})
	if err != nil || !draft.Part {
		t.Errorf("a draft under the floor: %+v, %v", draft, err)
	}
}

// TestFormDoesNotFit: the recording stays good when there is no room for its other forms.
func TestFormDoesNotFit(t *testing.T) {
	disk := smallDisk(t)
	s := newStore(t, func(c *Config) { c.Dir = filepath.Join(disk, "audio") })
	rec := s.put(t, 3*time.Second, Meta{}) // 48 kB
	if err := s.Wait(t.Context(), rec); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("Wait: %v", err)
	}
	h := NewHandler(s.Store, HandlerConfig{})
	path := rec.URL[len("http://im.test"):]
	if r := ask(h, "GET", path+".wav"); r.StatusCode != 200 {
		t.Errorf("the WAV: %s", r.Status)
	}
	if r := ask(h, "GET", path); r.StatusCode != 200 || r.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("the bare link: %s %v", r.Status, r.Header)
	}
	if r := ask(h, "GET", path+".mp3"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("the MP3: %s", r.Status)
	}
}
