package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is a server that counts, and a clock that a test moves.
type site struct {
	*httptest.Server
	client *Client
	hits   int
	now    time.Time
}

func newSite(t *testing.T, h func(s *site, w http.ResponseWriter, r *http.Request)) *site {
	s := &site{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits++
		w.Header().Set("Date", s.now.Format(http.TimeFormat))
		h(s, w, r)
	}))
	c, err := New(Options{Allow: []string{s.URL + "/app/"}, Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	s.client = c
	t.Cleanup(func() { c.Close(); s.Close() })
	return s
}

func (s *site) get(t *testing.T, r Request) (string, error) {
	t.Helper()
	if r.URL == "" {
		r.URL = s.URL + "/app/x"
	}
	out, err := s.client.Do(context.Background(), r)
	if err != nil {
		return "", err
	}
	return string(out.Body), nil
}

func span(d time.Duration) *time.Duration { return &d }

// TestCache plays RFC 9111's rules: what is answered from the cache, after how long.
func TestCache(t *testing.T) {
	for _, c := range []struct {
		name   string
		header string // "K: v|K: v"
		wait   time.Duration
		second Request
		hits   int
	}{
		{"fresh", "Cache-Control: max-age=60", 59 * time.Second, Request{}, 1},
		{"no longer fresh", "Cache-Control: max-age=60", 61 * time.Second, Request{}, 2},
		{"age told by a proxy", "Cache-Control: max-age=60|Age: 50", 11 * time.Second, Request{}, 2},
		{"shared age first", "Cache-Control: max-age=5, s-maxage=60", 30 * time.Second, Request{}, 1},
		{"expires", "Expires: Mon, 23 Nov 2026 09:01:00 GMT", 30 * time.Second, Request{}, 1},
		{"expired", "Expires: Mon, 23 Nov 2026 09:01:00 GMT", 61 * time.Second, Request{}, 2},
		{"bad expires", "Expires: 0", time.Second, Request{}, 2},
		{"guessed", "Last-Modified: Mon, 23 Nov 2026 08:00:00 GMT", 5 * time.Minute, Request{}, 1},
		{"guessed, over", "Last-Modified: Mon, 23 Nov 2026 08:00:00 GMT", 7 * time.Minute, Request{}, 2},
		{"nothing said", "X: y", 0, Request{}, 2},
		{"no-store", "Cache-Control: no-store, max-age=60", 0, Request{}, 2},
		{"private", "Cache-Control: private, max-age=60", 0, Request{}, 2},
		{"no-cache", "Cache-Control: no-cache, max-age=60", 0, Request{}, 2},
		{"pragma", "Pragma: no-cache|Expires: Mon, 23 Nov 2026 09:01:00 GMT", 0, Request{}, 2},
		{"vary on everything", "Cache-Control: max-age=60|Vary: *", 0, Request{}, 2},
		{"vary on cookies", "Cache-Control: max-age=60|Vary: Accept, Cookie", 0, Request{}, 2},
		{"vary on what is always alike", "Cache-Control: max-age=60|Vary: Accept-Encoding", 0, Request{}, 1},
		{"maxage of the document", "Cache-Control: max-age=60", 20 * time.Second, Request{MaxAge: span(10 * time.Second)}, 2},
		{"maxage 0", "Cache-Control: max-age=60", time.Second, Request{MaxAge: span(0)}, 2},
		{"stale is allowed", "Cache-Control: max-age=60", 70 * time.Second, Request{MaxStale: span(20 * time.Second)}, 1},
		{"too stale", "Cache-Control: max-age=60", 90 * time.Second, Request{MaxStale: span(20 * time.Second)}, 2},
		{"stale is never allowed", "Cache-Control: max-age=60, must-revalidate", 70 * time.Second, Request{MaxStale: span(time.Hour)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(_ *site, w http.ResponseWriter, _ *http.Request) {
				for h := range strings.SplitSeq(c.header, "|") {
					k, v, _ := strings.Cut(h, ": ")
					w.Header().Set(k, v)
				}
				fmt.Fprint(w, "body")
			})
			if _, err := s.get(t, Request{}); err != nil {
				t.Fatal(err)
			}
			s.now = s.now.Add(c.wait)
			if body, err := s.get(t, c.second); err != nil || body != "body" || s.hits != c.hits {
				t.Errorf("%q, %v after %d requests, want %d", body, err, s.hits, c.hits)
			}
		})
	}
}

func TestRevalidation(t *testing.T) {
	s := newSite(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Cache-Control", "max-age=10")
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "body ", s.hits)
	})
	for i, want := range []int{1, 2, 2} {
		if body, err := s.get(t, Request{}); err != nil || body != "body 1" || s.hits != want {
			t.Errorf("%d: %q, %v, %d requests", i, body, err, s.hits)
		}
		if i == 0 {
			s.now = s.now.Add(11 * time.Second)
		}
	}
}

func TestPostDropsTheEntry(t *testing.T) {
	s := newSite(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=100")
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, string(b), s.hits)
	})
	for _, c := range []struct {
		r    Request
		want string
	}{{Request{}, "GET1"}, {Request{}, "GET1"}, {Request{Method: "POST", Body: []byte("a=b"), Type: "x/y"}, "POSTa=b2"}, {Request{}, "GET3"}} {
		if got, err := s.get(t, c.r); err != nil || got != c.want {
			t.Errorf("%q, %v, want %q", got, err, c.want)
		}
	}
}

// TestCookies proves that what a server says to one caller is not said to another.
func TestCookies(t *testing.T) {
	s := newSite(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=100")
		http.SetCookie(w, &http.Cookie{Name: "s", Value: fmt.Sprint(s.hits), Path: "/"})
		c, err := r.Cookie("s")
		if err != nil {
			w.Header().Set("Cache-Control", "no-store")
			return
		}
		fmt.Fprint(w, c.Value)
	})
	a, _ := cookiejar.New(nil)
	b, _ := cookiejar.New(nil)
	for i, c := range []struct {
		jar  http.CookieJar
		want string
	}{{a, ""}, {b, ""}, {a, "1"}, {b, "2"}, {a, "3"}} {
		if got, err := s.get(t, Request{Jar: c.jar}); err != nil || got != c.want {
			t.Errorf("%d: %q, %v, want %q", i, got, err, c.want)
		}
	}
}

// TestAllowed proves T18: nothing outside of the bases is asked for, not even by a redirect.
func TestAllowed(t *testing.T) {
	outside := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { outside++ }))
	defer other.Close()
	s := newSite(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/app/out":
			http.Redirect(w, r, other.URL+"/app/x", http.StatusFound)
		case "/app/up":
			http.Redirect(w, r, "/secret", http.StatusFound)
		case "/app/loop":
			http.Redirect(w, r, "/app/loop", http.StatusFound)
		case "/app/in":
			http.Redirect(w, r, "/app/x", http.StatusFound)
		}
	})
	host := strings.TrimPrefix(s.URL, "http://")
	for _, c := range []struct {
		url string
		err error
	}{
		{s.URL + "/app/in", nil}, {s.URL + "/app", nil},
		{s.URL + "/apple", ErrForbidden}, {s.URL + "/app/../secret", ErrForbidden}, {s.URL + "/app/%2e%2e/secret", ErrForbidden},
		{s.URL + "/", ErrForbidden}, {"http://user:pw@" + host + "/app/x", ErrForbidden}, {"https://" + host + "/app/x", ErrForbidden},
		{other.URL + "/app/x", ErrForbidden}, {"file:///etc/passwd", ErrForbidden}, {"ftp://" + host + "/app/x", ErrForbidden},
		{"http:app/x", ErrForbidden}, {"", ErrForbidden},
		{s.URL + "/app/out", ErrForbidden}, {s.URL + "/app/up", ErrForbidden}, {s.URL + "/app/loop", ErrRedirects},
	} {
		if _, err := s.client.Do(context.Background(), Request{URL: c.url}); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.url, err, c.err)
		}
	}
	if outside != 0 {
		t.Errorf("%d requests outside", outside)
	}
}

func TestLimits(t *testing.T) {
	hold := make(chan struct{})
	s := newSite(t, func(_ *site, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/app/big":
			fmt.Fprint(w, strings.Repeat("x", 300<<10))
		case "/app/slow":
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		default:
			http.NotFound(w, r)
		}
	})
	defer close(hold)
	if _, err := s.get(t, Request{URL: s.URL + "/app/big"}); !errors.Is(err, ErrTooLarge) {
		t.Error("big:", err)
	}
	if _, err := s.get(t, Request{URL: s.URL + "/app/slow", Timeout: 20 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("slow:", err)
	}
	var status *StatusError
	if _, err := s.get(t, Request{}); !errors.As(err, &status) || status.Code != 404 {
		t.Error("missing:", err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"app/a.vxml": "<a/>", "secret": "s"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "app", "link")); err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{Allow: []string{"file://" + dir + "/app/"}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Do(context.Background(), Request{URL: "file://" + dir + "/app/a.vxml?q#f"})
	if err != nil || string(out.Body) != "<a/>" {
		t.Fatal(out, err)
	}
	for _, name := range []string{"app/link", "app/../secret", "app/none", "app", "secret"} {
		if out, err := c.Do(context.Background(), Request{URL: "file://" + dir + "/" + name}); err == nil {
			t.Errorf("%s was read: %q", name, out.Body)
		}
	}
}

func TestBadBases(t *testing.T) {
	for _, b := range []string{"", "/x", "ftp://x/", "http:///x", "file://host/x", "http://u@h/", "http://h/?q", ":"} {
		if _, err := New(Options{Allow: []string{b}}); err == nil {
			t.Errorf("base %q was taken", b)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100)
	for i := range 50 {
		c.put(fmt.Sprint(i), &entry{out: &Response{Body: make([]byte, 20)}})
		c.get("0")
	}
	if c.size > 100 || len(c.slots) > 5 || c.get("0") == nil || c.get("1") != nil {
		t.Errorf("%d bytes in %d entries", c.size, len(c.slots))
	}
	c.put("large", &entry{out: &Response{Body: make([]byte, 60)}})
	if c.get("large") != nil {
		t.Error("one entry may not take most of the cache")
	}
}
