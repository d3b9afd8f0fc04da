package audio

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoOrphanOlderThanAnHour: whenever in three hours a crash leaves something behind, a running store has it removed an
// hour later.
func TestNoOrphanOlderThanAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, func(c *Config) { c.GCEvery, c.Now = 0, time.Now })
		left := map[string]time.Time{}
		for i := range 36 {
			key := time.Now().UTC().Format(dayLayout) + "/" + strings.Repeat("a", nameLen-2) + fmt.Sprintf("%c%c", 'a'+i/6, 'a'+i%6) + ".wav"
			if err := s.backend.Put(t.Context(), key, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(filepath.Join(s.dir, key), time.Now(), time.Now()); err != nil { // the bubble's clock
				t.Fatal(err)
			}
			left[key] = time.Now()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			for _, name := range s.files(t) {
				if age := time.Since(left[name]); age > time.Hour {
					t.Fatalf("%s was left %v ago", name, age)
				}
			}
		}
		if n := len(s.files(t)); n < 3 || n > 12 {
			t.Errorf("%d of the youngest are left: they could be of a Put in progress", n)
		}
	})
}

func TestGC(t *testing.T) {
	s := newStore(t, nil)
	short := s.put(t, time.Second, Meta{Expires: time.Hour})
	long := s.put(t, time.Second, Meta{})
	for _, rec := range []Recording{short, long} {
		if err := s.Wait(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	orphans := []string{"2026-01-01/" + strings.Repeat("a", nameLen) + ".wav", long.key() + ".wav" + partMark + "abc",
		ownerPrefix("x") + "2026-01-01-" + strings.Repeat("a", nameLen) + "_7", "something/else"}
	for _, key := range orphans {
		if err := s.backend.Put(t.Context(), key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if swept, err := s.GC(t.Context()); err != nil || swept != (Swept{}) {
		t.Errorf("at once: %+v, %v", swept, err)
	}
	s.clock.set(s.clock.Now().Add(61 * time.Minute))
	if swept, err := s.GC(t.Context()); err != nil || swept != (Swept{Expired: 1, Orphans: len(orphans)}) {
		t.Errorf("after an hour: %+v, %v", swept, err)
	}
	if names := s.files(t); len(names) != 5 {
		t.Errorf("there are %v", names)
	}
	s.clock.set(s.clock.Now().Add(30 * 24 * time.Hour))
	if swept, err := s.GC(t.Context()); err != nil || swept != (Swept{Expired: 1}) {
		t.Errorf("after the retention: %+v, %v", swept, err)
	}
	if names := s.files(t); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
}

// TestCacheIsSwept: copies for Asterisk are kept for an hour, and made again when they are needed.
func TestCacheIsSwept(t *testing.T) {
	s := newStore(t, nil)
	rec, err := s.Put(t.Context(), bytes.NewReader(encodeWAV(tone(440, 16000, time.Second))), Meta{Owner: "4711001"})
	if err != nil {
		t.Fatal(err)
	}
	path, _, err := s.Local(t.Context(), rec.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		there bool
	}{{0, true}, {cacheAge + time.Minute, false}} {
		s.clock.set(s.clock.Now().Add(c.after))
		if _, err := s.GC(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != c.there {
			t.Errorf("after %v: %v", c.after, err)
		}
	}
	if _, _, err := s.Local(t.Context(), rec.URL); err != nil {
		t.Errorf("made again: %v", err)
	}
}

// TestBackground: what expires goes without anybody asking for it.
func TestBackground(t *testing.T) {
	s := newStore(t, func(c *Config) { c.GCEvery = 5 * time.Millisecond })
	s.put(t, time.Second, Meta{Expires: time.Hour})
	s.clock.set(s.clock.Now().Add(2 * time.Hour))
	for deadline := time.Now().Add(20 * time.Second); len(s.files(t)) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("20 s later there are still %v", s.files(t))
		}
	}
}
