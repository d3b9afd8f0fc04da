package audio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 20, "how often TestKilled kills; the promise (F16) is about 500")

// victimDir names, in the environment of a copy of this test program, the directory in which it keeps recordings until
// it is killed.
const victimDir = "HARK_AUDIO_VICTIM"

func victimConfig(top string) Config {
	return Config{
		Dir: filepath.Join(top, "audio"), Keys: filepath.Join(top, "audio.keys"), URL: "http://im.test/a/",
		Cache: filepath.Join(top, "cache"), GCEvery: -1, MaxCount: 1 << 30, MaxBytes: 1 << 40, Floor: 1,
	}
}

// victim puts recordings and prints each link that it got.
func victim(top string) {
	s, err := Open(context.Background(), victimConfig(top))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	sound := encodeWAV(tone(440, 8000, time.Second))
	for {
		rec, err := s.Put(context.Background(), bytes.NewReader(sound), Meta{Owner: "4711001"})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(rec.URL)
	}
}

// TestKilled kills a process between file, description and link, again and again: every link that got out works, and
// what else is left is gone within an hour.
func TestKilled(t *testing.T) {
	top := t.TempDir()
	var links []string
	for i := range *kills {
		links = append(links, killOne(t, top, i%2)...)
	}
	if len(links) == 0 {
		t.Fatal("no link got out")
	}
	clock := &clockwork{now: time.Now()}
	cfg := victimConfig(top)
	cfg.Now = clock.Now
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := NewHandler(s, HandlerConfig{})
	for _, link := range links {
		r := ask(h, "GET", strings.TrimPrefix(link, "http://im.test")+".wav")
		if p, _, err := decodeWAV(body(t, r)); r.StatusCode != 200 || err != nil || p.duration() != time.Second {
			t.Errorf("a dead link: %s, %v", r.Status, err)
		}
	}
	all, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range all {
		awaitForms(t, s, rec)
	}
	clock.set(time.Now().Add(orphanAge + time.Minute))
	swept, err := s.GC(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, faults, err := s.Verify(t.Context())
	if err != nil || len(faults) > 0 || n < len(links) {
		t.Errorf("Verify: %d of %d, %v, %v", n, len(links), faults, err)
	}
	noOrphans(t, s)
	t.Logf("%d kills, %d links, %d recordings, %d orphans swept", *kills, len(links), n, swept.Orphans)
}

// awaitForms waits for the forms that a kill prevented, without asking for them: the new start makes them.
func awaitForms(t *testing.T, s *Store, rec Recording) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, f := range forms {
		for {
			o, err := s.backend.Open(ctx, rec.key()+"."+string(f))
			if err == nil {
				_ = o.Close()
				break
			}
			if !errors.Is(err, ErrNotFound) {
				t.Fatalf("the %s of %s: %v", f, rec.ID, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// killOne starts a process and kills it at a random moment after so many links.
func killOne(t *testing.T, top string, after int) (links []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+top)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the process did not start: %q", lines.Text())
	}
	for len(links) < after && lines.Scan() {
		links = append(links, lines.Text())
	}
	timer := time.AfterFunc(time.Duration(rand.IntN(80_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
		links = append(links, lines.Text())
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return links
}

// noOrphans checks that every object belongs to a description.
func noOrphans(t *testing.T, s *Store) {
	t.Helper()
	all := map[string]bool{}
	for info, err := range s.backend.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all[info.Key] = true
	}
	for key := range all {
		if !all[belongsTo(key)+".json"] || strings.Contains(key, partMark) {
			t.Errorf("an orphan: %s", key)
		}
	}
}
