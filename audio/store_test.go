package audio

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockwork is a clock that a test moves.
type clockwork struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clockwork) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clockwork) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// bench is a store with its parts at hand.
type bench struct {
	*Store
	cfg   Config
	dir   string
	clock *clockwork
}

// newStore opens a store in a temporary directory. change may be nil.
func newStore(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	top := t.TempDir()
	clock := &clockwork{now: time.Now()}
	cfg := Config{
		Dir: filepath.Join(top, "audio"), Keys: filepath.Join(top, "audio.keys"), URL: "http://im.test/a/",
		Cache: filepath.Join(top, "cache"), GCEvery: -1, Now: clock.Now, Floor: 1,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if change != nil {
		change(&cfg)
	}
	b := &bench{cfg: cfg, dir: cfg.Dir, clock: clock}
	b.open(t)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) open(t testing.TB) {
	t.Helper()
	s, err := Open(context.Background(), b.cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Store = s
}

// reopen closes the store and opens it again, as a restart does.
func (b *bench) reopen(t testing.TB) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(t)
}

// put keeps a tone of 440 Hz.
func (b *bench) put(t testing.TB, d time.Duration, m Meta) Recording {
	t.Helper()
	if m.Owner == "" {
		m.Owner = "4711001"
	}
	rec, err := b.Put(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, d))), m)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// files lists the objects on disk.
func (b *bench) files(t testing.TB) (names []string) {
	t.Helper()
	for info, err := range b.backend.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Key)
	}
	return names
}

func TestPut(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, 3*time.Second, Meta{From: "Ana", Title: "Greetings"})
	if !strings.HasPrefix(rec.URL, "http://im.test/a/") || len(rec.URL) != len("http://im.test/a/")+tokenText {
		t.Errorf("the link is %s", rec.URL)
	}
	if rec.Duration != 3*time.Second || rec.Type != "audio/mpeg" || len(rec.Waveform) != 100 || rec.Part || rec.Draft {
		t.Errorf("the recording is %+v", rec)
	}
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	o, err := s.openForm(t.Context(), rec, MP3, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.Info().Size != rec.Size {
		t.Errorf("the MP3 has %d bytes, announced were %d", o.Info().Size, rec.Size)
	}
	shown, err := s.Show(t.Context(), rec.ID)
	if err != nil || shown.Title != "Greetings" || shown.URL != "" || !bytes.Equal(shown.Waveform, rec.Waveform) {
		t.Errorf("Show: %+v, %v", shown, err)
	}
	token := strings.TrimPrefix(rec.URL, "http://im.test/a/")
	for _, name := range s.files(t) {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil || strings.Contains(name, token) || bytes.Contains(data, []byte(token)) {
			t.Errorf("%s gives the link away, or cannot be read: %v", name, err)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	long := encodeWAV(tone(440, 8000, 8*time.Second))
	for _, c := range []struct {
		name string
		in   []byte
		meta Meta
		conf func(*Config)
		want error
	}{
		{"nothing", nil, Meta{}, nil, ErrFormat},
		{"no samples", encodeWAV(pcm{8000, nil}), Meta{}, nil, ErrEmpty},
		{"longer than asked for", long, Meta{MaxDuration: 5 * time.Second}, nil, ErrTooLong},
		{"longer than the store's limit", long, Meta{MaxDuration: time.Hour}, func(c *Config) { c.MaxDuration = 5 * time.Second }, ErrTooLong},
		{"under the floor", long, Meta{}, func(c *Config) { c.Floor = 1 << 60 }, ErrNoSpace},
		{"over the quota of bytes", long, Meta{}, func(c *Config) { c.MaxBytes = 1000 }, ErrQuota},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, c.conf)
			if _, err := s.Put(t.Context(), bytes.NewReader(c.in), c.meta); !errors.Is(err, c.want) {
				t.Errorf("Put: %v, want %v", err, c.want)
			}
			if names := s.files(t); len(names) != 0 {
				t.Errorf("it left %v", names)
			}
		})
	}
}

func TestOverrunIsForgiven(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, 6*time.Second, Meta{MaxDuration: 5 * time.Second})
	if rec.Duration != 6*time.Second {
		t.Errorf("%v were kept", rec.Duration)
	}
}

func TestQuota(t *testing.T) {
	s := newStore(t, func(c *Config) { c.MaxCount = 3 })
	var first Recording
	for i := range 3 {
		if err := s.CanRecord(t.Context(), "4711001"); err != nil {
			t.Fatalf("before recording %d: %v", i, err)
		}
		rec := s.put(t, time.Second, Meta{})
		if i == 0 {
			first = rec
		}
	}
	if err := s.CanRecord(t.Context(), "4711001"); !errors.Is(err, ErrQuota) {
		t.Errorf("before the fourth: %v", err)
	}
	if err := s.CanRecord(t.Context(), "4711002"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if err := s.Revoke(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.CanRecord(t.Context(), "4711001"); err != nil {
		t.Errorf("after one was revoked: %v", err)
	}
}

func TestCrashedHeaderIsRepaired(t *testing.T) {
	b := encodeWAV(tone(440, 8000, 2*time.Second))
	clear(b[4:8])
	clear(b[40:44])
	s := newStore(t, nil)
	rec, err := s.Put(t.Context(), bytes.NewReader(b), Meta{Owner: "4711001"})
	if err != nil {
		t.Fatal(err)
	}
	if rec.Duration != 2*time.Second || !rec.Part {
		t.Errorf("%v, part %v; want 2s, true", rec.Duration, rec.Part)
	}
	mp3 := body(t, ask(NewHandler(s.Store, HandlerConfig{}), "GET", strings.TrimPrefix(rec.URL, "http://im.test")+".mp3"))
	if int64(len(mp3)) != rec.Size || !bytes.Contains(mp3[:200], []byte("Voice message (cut short)")) {
		t.Errorf("the MP3 of %d bytes (announced %d) passes for a whole recording", len(mp3), rec.Size)
	}
}

func TestLocal(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, 2*time.Second, Meta{})
	for _, link := range []string{rec.URL, rec.URL + ".mp3", rec.URL + ".wav?download=1"} {
		path, d, err := s.Local(t.Context(), link)
		if err != nil || d != 2*time.Second || !filepath.IsAbs(path) {
			t.Fatalf("Local(%s) = %q, %v, %v", link, path, d, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if p, _, err := decodeWAV(data); err != nil || p.rate != 8000 || p.duration() != d {
			t.Errorf("the file has %v at %d Hz, %v", p.duration(), p.rate, err)
		}
	}
	for _, link := range []string{"", "http://im.test/a/", "http://im.test/b/" + rec.URL[17:], "http://other.test/a/" + rec.URL[17:],
		"ftp://im.test/a/" + rec.URL[17:], "http://im.test/a/../a/" + rec.URL[17:], rec.URL + ".exe", rec.URL + "/x", "http://x@im.test/a/" + rec.URL[17:],
		"http://im.test/a/" + strings.Repeat("A", tokenText), "%"} {
		if path, _, err := s.Local(t.Context(), link); !errors.Is(err, ErrNotOurs) {
			t.Errorf("Local(%s) = %q, %v", link, path, err)
		}
	}
	if err := s.Revoke(t.Context(), rec.URL); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Local(t.Context(), rec.URL); !errors.Is(err, ErrGone) {
		t.Errorf("after Revoke: %v", err)
	}
}

// TestLocalOfWideband: what is not 8 kHz is copied for Asterisk, and the copy goes when the recording does.
func TestLocalOfWideband(t *testing.T) {
	s := newStore(t, nil)
	rec, err := s.Put(t.Context(), bytes.NewReader(encodeWAV(tone(440, 16000, time.Second))), Meta{Owner: "4711001"})
	if err != nil {
		t.Fatal(err)
	}
	var path string
	for range 2 {
		if path, _, err = s.Local(t.Context(), rec.URL); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if p, _, err := decodeWAV(data); err != nil || p.rate != 8000 || p.duration() != time.Second {
		t.Errorf("the copy has %v at %d Hz, %v", p.duration(), p.rate, err)
	}
	if err := s.Revoke(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy outlives the recording: %v", err)
	}
}

func TestPutFile(t *testing.T) {
	s := newStore(t, nil)
	file := filepath.Join(t.TempDir(), "in.wav")
	if err := os.WriteFile(file, encodeWAV(tone(440, 8000, time.Second)), 0o600); err != nil {
		t.Fatal(err)
	}
	if rec, err := s.PutFile(t.Context(), file, Meta{Owner: "4711001"}); err != nil || rec.Duration != time.Second {
		t.Errorf("%+v, %v", rec, err)
	}
	if _, err := s.PutFile(t.Context(), file+".none", Meta{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if s.Path() != "/a/" {
		t.Errorf("Path: %s", s.Path())
	}
}

func TestDrafts(t *testing.T) {
	s := newStore(t, nil)
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, 3*time.Second))), Meta{Owner: "4711001", Part: true})
	if err != nil {
		t.Fatal(err)
	}
	if draft.URL != "" || !draft.Draft || !draft.Part {
		t.Errorf("the draft is %+v", draft)
	}
	if path, d, err := s.DraftFile(t.Context(), draft.ID); err != nil || d != 3*time.Second || path == "" {
		t.Errorf("DraftFile: %q, %v, %v", path, d, err)
	}
	rec, err := s.SendDraft(t.Context(), draft.ID, Meta{Title: "At last"})
	if err != nil {
		t.Fatal(err)
	}
	if rec.URL == "" || rec.Draft || !rec.Part || rec.Owner != "4711001" {
		t.Errorf("the recording is %+v", rec)
	}
	if _, _, err := s.DraftFile(t.Context(), draft.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("the draft after it was sent: %v", err)
	}
	if err := s.DropDraft(t.Context(), rec.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("DropDraft of a recording: %v", err)
	}
	if all, err := s.List(t.Context(), "4711001"); err != nil || len(all) != 1 || all[0].ID != rec.ID {
		t.Errorf("List: %v, %v", all, err)
	}
}

func TestDropDraft(t *testing.T) {
	s := newStore(t, nil)
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, 3*time.Second))), Meta{Owner: "4711001"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DropDraft(t.Context(), draft.ID); err != nil {
		t.Fatal(err)
	}
	if names := s.files(t); len(names) != 0 {
		t.Errorf("it left %v", names)
	}
}

func TestDeleteOwner(t *testing.T) {
	s := newStore(t, nil)
	mine := s.put(t, time.Second, Meta{MaxPlays: 3})
	other := s.put(t, time.Second, Meta{Owner: "4711002"})
	if _, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, time.Second))), Meta{Owner: "4711001"}); err != nil {
		t.Fatal(err)
	}
	for _, rec := range []Recording{mine, other} {
		if err := s.Wait(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.DeleteOwner(t.Context(), "4711001"); n != 2 || err != nil {
		t.Errorf("DeleteOwner: %d, %v", n, err)
	}
	if names := s.files(t); len(names) != 5 { // mark, description and three forms of the other's
		t.Errorf("there are %v", names)
	}
	if _, _, err := s.Local(t.Context(), other.URL); err != nil {
		t.Errorf("the other's recording: %v", err)
	}
}

func TestVerify(t *testing.T) {
	s := newStore(t, nil)
	good, bad := s.put(t, time.Second, Meta{}), s.put(t, time.Second, Meta{})
	for _, rec := range []Recording{good, bad} {
		if err := s.Wait(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if n, faults, err := s.Verify(t.Context()); n != 2 || len(faults) != 0 || err != nil {
		t.Errorf("Verify: %d, %v, %v", n, faults, err)
	}
	if err := os.Truncate(filepath.Join(s.dir, bad.key()+".ogg"), 1000); err != nil {
		t.Fatal(err)
	}
	if n, faults, err := s.Verify(t.Context()); n != 2 || len(faults) != 1 || faults[0].ID != bad.ID || err != nil {
		t.Errorf("Verify of damage: %d, %v, %v", n, faults, err)
	}
}

// TestRestartFinishesForms: what a crash prevented is made by the next start.
func TestRestartFinishesForms(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, time.Second, Meta{})
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if err := s.backend.Delete(t.Context(), rec.key()+".mp3", rec.key()+".ogg"); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	deadline := time.Now().Add(20 * time.Second)
	for len(s.files(t)) != 5 {
		if time.Now().After(deadline) {
			t.Fatalf("20 s after the restart there are only %v", s.files(t))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestCloseInTheMiddle: Close waits for the encoders and leaves no goroutine (TestMain looks).
func TestCloseInTheMiddle(t *testing.T) {
	s := newStore(t, func(c *Config) { c.Workers = 1 })
	for range 4 {
		s.put(t, 20*time.Second, Meta{})
	}
	s.reopen(t)
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"", "/a/", "http://im.test/a", "im.test/a/", "http://%/"} {
		if s, err := Open(t.Context(), Config{Dir: t.TempDir(), Keys: filepath.Join(t.TempDir(), "k"), URL: url}); err == nil {
			t.Errorf("the URL %q was accepted", url)
			s.Close()
		}
	}
}

// TestKeysAreKeptApart: a backup of the recordings must not hold what signs their links.
func TestKeysAreKeptApart(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Config{Dir: dir, Keys: filepath.Join(dir, "sub", "keys"), URL: "http://im.test/a/", Cache: t.TempDir()})
	if err == nil {
		t.Error("the key file was made among the recordings")
		s.Close()
	}
}

// TestDraftAtTheQuota: the last place is the draft's own.
func TestDraftAtTheQuota(t *testing.T) {
	s := newStore(t, func(c *Config) { c.MaxCount = 1 })
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, time.Second))), Meta{Owner: "4711001"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SendDraft(t.Context(), draft.ID, Meta{}); err != nil {
		t.Errorf("SendDraft: %v", err)
	}
}

// TestMP3SizeIsKnownBefore for many lengths, since messages announce it.
func TestMP3SizeIsKnownBefore(t *testing.T) {
	tag := tags{title: "x", date: "2026-11-23"}
	for _, rate := range []int{8000, 16000, 44100} {
		for n := 1; n < 3000; n += 37 {
			p := tone(440, rate, time.Second)
			p.samples = p.samples[:n]
			b, err := encodeMP3(t.Context(), p, tag)
			if err != nil {
				t.Fatal(err)
			}
			if want := mp3Size(n, rate, tag); int64(len(b)) != want {
				t.Fatalf("%d samples at %d Hz make %d bytes, announced %d", n, rate, len(b), want)
			}
		}
	}
}
