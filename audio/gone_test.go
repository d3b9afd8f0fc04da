package audio

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// watched is a backend that writes down what it is asked.
type watched struct {
	Backend
	mu    sync.Mutex
	asked []string
}

func (w *watched) Open(ctx context.Context, key string) (Object, error) {
	w.note("open " + kind(key))
	return w.Backend.Open(ctx, key)
}

func (w *watched) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	w.note("list " + kind(prefix))
	return w.Backend.List(ctx, prefix)
}

func (w *watched) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, what)
}

// take returns what was written down, and forgets it.
func (w *watched) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	return asked
}

// kind is what an object is, whatever its name is.
func kind(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// forge is the token with another signature.
func forge(t *testing.T, token string) string {
	t.Helper()
	b, err := tokenCode.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	return tokenCode.EncodeToString(b)
}

// TestGoneIsOnlySaidToTheSigned: unknown, expired and revoked links cost the same, and only who has a link that we signed
// learns that there was something.
func TestGoneIsOnlySaidToTheSigned(t *testing.T) {
	disk := &watched{}
	s := newStore(t, func(c *Config) {
		folder, err := OpenFolder(c.Dir)
		if err != nil {
			t.Fatal(err)
		}
		disk.Backend = folder
		c.Backend = disk
	})
	h := NewHandler(s.Store, HandlerConfig{})
	expired, revoked := s.put(t, time.Second, Meta{Expires: time.Hour}), s.put(t, time.Second, Meta{})
	live := s.put(t, time.Second, Meta{})
	for _, rec := range []Recording{expired, revoked, live} {
		if err := s.Wait(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Revoke(t.Context(), revoked.URL); err != nil {
		t.Fatal(err)
	}
	s.clock.set(s.clock.Now().Add(2 * time.Hour))
	token := func(rec Recording) string { return strings.TrimPrefix(rec.URL, "http://im.test/a/") }
	never, _ := s.keys.mint(s.clock.Now())
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"unknown", forge(t, never), 404},
		{"signed, and never put", never, 410},
		{"expired", token(expired), 410},
		{"expired, forged", forge(t, token(expired)), 404},
		{"revoked", token(revoked), 410},
		{"revoked, forged", forge(t, token(revoked)), 404},
		{"live, forged", forge(t, token(live)), 404},
	} {
		for _, accept := range []string{"*/*", browser, "text/vnd.wap.wml"} {
			for _, form := range []string{"", ".mp3"} {
				s.known = known{} // as if nobody had asked for a while
				disk.take()
				r := ask(h, "GET", "/a/"+c.token+form, "Accept", accept)
				words := string(body(t, r))
				if r.StatusCode != c.status || strings.Contains(words, "is gone") != (c.status == 410) {
					t.Errorf("%s, %s: %s\n%s", c.name, accept, r.Status, words)
				}
				if asked := disk.take(); !slices.Equal(asked, []string{"open json"}) {
					t.Errorf("%s, %s: the disk was asked for %v", c.name, accept, asked)
				}
			}
		}
		h.misses = misses{now: s.cfg.Now}
	}
}
