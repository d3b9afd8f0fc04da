// Package audiotest is the suite that every audio.Backend passes.
package audiotest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/audio"
)

// Run runs the suite. open makes an empty backend for each case; the suite closes it.
func Run(t *testing.T, open func(*testing.T) audio.Backend) {
	for name, test := range map[string]func(*testing.T, audio.Backend){
		"PutOpen": putOpen, "Missing": missing, "Keys": keys, "List": list, "Delete": remove, "Replace": replace,
		"Seek": seek, "Cancelled": cancelled, "Together": together,
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			defer closed(t, b)
			test(t, b)
		})
	}
	t.Run("Store", func(t *testing.T) { store(t, open(t)) })
}

func closed(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, b audio.Backend, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// content reads a whole object.
func content(b audio.Backend, ctx context.Context, key string) ([]byte, audio.Info, error) {
	o, err := b.Open(ctx, key)
	if err != nil {
		return nil, audio.Info{}, err
	}
	defer o.Close()
	data, err := io.ReadAll(o)
	return data, o.Info(), err
}

func random(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	return data
}

func putOpen(t *testing.T, b audio.Backend) {
	for i, n := range []int{0, 1, 1000, 1 << 20} {
		key, want := fmt.Sprintf("a/b/object-%d_x.wav", i), random(n)
		put(t, b, key, want)
		got, info, err := content(b, t.Context(), key)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d came back, %v", n, len(got), err)
		}
		if info.Key != key || info.Size != int64(n) || time.Since(info.Modified).Abs() > time.Minute {
			t.Errorf("%d bytes: %+v", n, info)
		}
	}
}

func missing(t *testing.T, b audio.Backend) {
	put(t, b, "a/b", nil)
	for _, key := range []string{"a", "a/c", "a/b/c", "b", "2026-11-23/none.json"} {
		if o, err := b.Open(t.Context(), key); !errors.Is(err, audio.ErrNotFound) {
			t.Errorf("Open(%q): %v", key, err)
			if err == nil {
				_ = o.Close()
			}
		}
	}
}

// keys: what is not a key can be neither put nor opened, and above all reaches nothing outside.
func keys(t *testing.T, b audio.Backend) {
	for _, key := range []string{"", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", "a/..", ".a", "a/.b", "A", "a b", "a\x00b", "a\\b",
		"ä", "a/b/c/d", strings.Repeat("a", 201), "*", "a?b"} {
		if err := b.Put(t.Context(), key, []byte("x")); err == nil {
			t.Errorf("Put(%q) went well", key)
		}
		if o, err := b.Open(t.Context(), key); !errors.Is(err, audio.ErrNotFound) {
			t.Errorf("Open(%q): %v", key, err)
			if err == nil {
				_ = o.Close()
			}
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q): %v", key, err)
		}
	}
	if got := names(t, b, ""); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
}

func names(t *testing.T, b audio.Backend, prefix string) (all []string) {
	t.Helper()
	for info, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	slices.Sort(all)
	return all
}

func list(t *testing.T, b audio.Backend) {
	all := []string{"2026-11-23/aaa.json", "2026-11-23/aaa.wav", "2026-11-24/aab.json", "owners/x/1", "owners/xy/2", "top"}
	for _, key := range all {
		put(t, b, key, []byte(key))
	}
	for prefix, want := range map[string][]string{
		"": all, "2026-11-23/": all[:2], "2026-11-2": all[:3], "2026-11-23/aaa.": all[:2], "2026-11-23/aaa.w": all[1:2],
		"owners/": all[3:5], "owners/x/": all[3:4], "owners/x": all[3:5], "to": all[5:], "nothing/": nil, "top/": nil,
	} {
		if got := names(t, b, prefix); !slices.Equal(got, want) {
			t.Errorf("List(%q) = %q, want %q", prefix, got, want)
		}
	}
	n := 0
	for info, err := range b.List(t.Context(), "") {
		if err != nil || info.Size != int64(len(info.Key)) || info.Modified.IsZero() {
			t.Errorf("%+v, %v", info, err)
		}
		if n++; n == 2 {
			break // leaving early must not leave anything behind
		}
	}
}

func remove(t *testing.T, b audio.Backend) {
	put(t, b, "a/one", nil)
	put(t, b, "a/two", []byte("x"))
	put(t, b, "b/three", []byte("x"))
	if err := b.Delete(t.Context(), "a/one", "a/none", "a/two", "none/none"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, b, ""); !slices.Equal(got, []string{"b/three"}) {
		t.Errorf("there are %q", got)
	}
	if err := b.Delete(t.Context()); err != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
	put(t, b, "a/one", []byte("again"))
	if got, _, err := content(b, t.Context(), "a/one"); err != nil || string(got) != "again" {
		t.Errorf("put again: %q, %v", got, err)
	}
}

func replace(t *testing.T, b audio.Backend) {
	put(t, b, "a/b", []byte("first, and longer"))
	put(t, b, "a/b", []byte("second"))
	if got, info, err := content(b, t.Context(), "a/b"); err != nil || string(got) != "second" || info.Size != 6 {
		t.Errorf("%q, %+v, %v", got, info, err)
	}
	if got := names(t, b, ""); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("there are %q", got)
	}
}

func seek(t *testing.T, b audio.Backend) {
	want := random(100_000)
	put(t, b, "a/b", want)
	o, err := b.Open(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if n, err := o.Seek(0, io.SeekEnd); n != int64(len(want)) || err != nil {
		t.Errorf("the end is at %d, %v", n, err)
	}
	for _, at := range []int{0, 99_999, 5, 50_000, 100_000} {
		if n, err := o.Seek(int64(at), io.SeekStart); n != int64(at) || err != nil {
			t.Fatalf("Seek(%d) = %d, %v", at, n, err)
		}
		got, err := io.ReadAll(io.LimitReader(o, 1000))
		if err != nil || !bytes.Equal(got, want[at:min(len(want), at+1000)]) {
			t.Errorf("at %d: %d bytes, %v", at, len(got), err)
		}
	}
}

func cancelled(t *testing.T, b audio.Backend) {
	put(t, b, "a/b", []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, "a/c", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if _, _, err := content(b, ctx, "a/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	for _, err := range b.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("List: %v", err)
		}
	}
	if got := names(t, b, ""); !slices.Equal(got, []string{"a/b"}) {
		t.Errorf("there are %q", got)
	}
}

// together: many at once in the same directory, which becomes empty and is filled again all the time.
func together(t *testing.T, b audio.Backend) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key, want := fmt.Sprintf("day/object-%d", i), random(5000)
			for range 10 {
				if err := b.Put(t.Context(), key, want); err != nil {
					t.Error(err)
					return
				}
				if got, _, err := content(b, t.Context(), key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
				if err := b.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := names(t, b, ""); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
}

// sound is a WAV file with a second of 440 Hz.
func sound() []byte {
	const rate = 8000
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), 36+2*rate)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, 2*rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, 2*rate)
	for i := range rate {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(i)/rate))))
	}
	return b
}

// store lives through a recording's whole life on the backend, with two stores on it as two nodes have.
func store(t *testing.T, b audio.Backend) {
	top := t.TempDir()
	now := time.Now()
	cfg := audio.Config{
		Backend: b, Keys: filepath.Join(top, "keys"), URL: "http://im.test/a/", Cache: filepath.Join(top, "cache"),
		GCEvery: -1, Floor: 1, Now: func() time.Time { return now },
	}
	one, err := audio.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, one)
	cfg.Backend, cfg.Cache = shared{b}, filepath.Join(top, "cache2")
	two, err := audio.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, two) // before the other, which closes the backend

	rec, err := one.Put(t.Context(), bytes.NewReader(sound()), audio.Meta{Owner: "4711001", Title: "Hello", MaxPlays: 5})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := audio.NewHandler(two, audio.HandlerConfig{})
	get := func(suffix, ranges string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(rec.URL, "http://im.test")+suffix, nil)
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		w := httptest.NewRecorder()
		elsewhere.ServeHTTP(w, r)
		return w
	}
	for _, suffix := range []string{"", ".wav", ".mp3", ".ogg"} {
		if w := get(suffix, ""); w.Code != 200 || w.Body.Len() < 1000 {
			t.Errorf("%q: %d, %d bytes", suffix, w.Code, w.Body.Len())
		}
		if w := get(suffix, "bytes=100-199"); w.Code != 206 || w.Body.Len() != 100 {
			t.Errorf("%q: %d, %d bytes of 100", suffix, w.Code, w.Body.Len())
		}
	}
	if path, d, err := two.Local(t.Context(), rec.URL); err != nil || d != time.Second || !filepath.IsAbs(path) {
		t.Errorf("Local: %q, %v, %v", path, d, err)
	}
	if n, faults, err := two.Verify(t.Context()); n != 1 || len(faults) != 0 || err != nil {
		t.Errorf("Verify: %d, %v, %v", n, faults, err)
	}
	if err := two.Wait(t.Context(), rec); err != nil {
		t.Error(err)
	}
	if err := one.Revoke(t.Context(), rec.URL); err != nil {
		t.Fatal(err)
	}
	for revoked := time.Now(); get("", "").Code != http.StatusGone; time.Sleep(10 * time.Millisecond) {
		if time.Since(revoked) > time.Second {
			t.Fatal("a second after Revoke another node still serves it")
		}
	}
	if got := names(t, b, ""); len(got) != 0 {
		t.Errorf("Revoke left %q", got)
	}
	draftsAndSweeps(t, one, b, &now)
}

func draftsAndSweeps(t *testing.T, s *audio.Store, b audio.Backend, now *time.Time) {
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(sound()), audio.Meta{Owner: "4711001", Part: true})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := s.SendDraft(t.Context(), draft.ID, audio.Meta{Title: "Later"})
	if err != nil || !sent.Part {
		t.Fatalf("SendDraft: %+v, %v", sent, err)
	}
	if err := s.Wait(t.Context(), sent); err != nil {
		t.Error(err)
	}
	put(t, b, "2026-01-01/orphan.wav", []byte("x"))
	*now = now.Add(2 * time.Hour)
	if swept, err := s.GC(t.Context()); err != nil || swept != (audio.Swept{Orphans: 1}) {
		t.Errorf("GC: %+v, %v", swept, err)
	}
	if n, err := s.DeleteOwner(t.Context(), "4711001"); n != 1 || err != nil {
		t.Errorf("DeleteOwner: %d, %v", n, err)
	}
	if got := names(t, b, ""); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
}

// shared is a backend that somebody else closes.
type shared struct{ audio.Backend }

func (shared) Close() error { return nil }
