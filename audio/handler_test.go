package audio

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

// ask sends a request straight to the handler. Headers are name, value, name, value.
func ask(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) []byte {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// served is a store with one recording, its handler, and the path of its link.
func served(t testing.TB, d time.Duration, m Meta) (*bench, *Handler, Recording, string) {
	t.Helper()
	s := newStore(t, nil)
	rec := s.put(t, d, m)
	return s, NewHandler(s.Store, HandlerConfig{}), rec, strings.TrimPrefix(rec.URL, "http://im.test")
}

func TestForms(t *testing.T) {
	s, h, rec, path := served(t, 2*time.Second, Meta{})
	for _, f := range forms {
		r := ask(h, "GET", path+"."+string(f))
		b := body(t, r)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != f.Type() || r.Header.Get("Content-Length") != fmt.Sprint(len(b)) {
			t.Errorf("%s: %s %v", f, r.Status, r.Header)
		}
		p, err := f.decode(t.Context(), b)
		if err != nil || p.duration() != 2*time.Second {
			t.Errorf("%s: %v, %v", f, p.duration(), err)
		}
		if got := r.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "inline;") || !strings.HasSuffix(got, "."+string(f)+`"`) {
			t.Errorf("%s: Content-Disposition %s", f, got)
		}
		r = ask(h, "HEAD", path+"."+string(f)+"?download=1")
		if r.StatusCode != 200 || r.Header.Get("Content-Length") != fmt.Sprint(len(b)) || len(body(t, r)) != 0 {
			t.Errorf("HEAD %s: %s %v", f, r.Status, r.Header)
		}
		if got := r.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") {
			t.Errorf("%s: Content-Disposition %s", f, got)
		}
	}
	if err := s.Revoke(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
}

func TestBareLink(t *testing.T) {
	_, h, rec, path := served(t, time.Second, Meta{From: "Ana <b>", Title: "Hello & goodbye"})
	for _, accept := range []string{"", "*/*", "audio/*"} {
		r := ask(h, "GET", path, "Accept", accept)
		if b := body(t, r); r.Header.Get("Content-Type") != "audio/mpeg" || int64(len(b)) != rec.Size {
			t.Errorf("Accept %q: %v, %d bytes", accept, r.Header, len(b))
		}
		if !strings.Contains(r.Header.Get("Vary"), "Accept") {
			t.Error("no Vary: Accept")
		}
	}
	r := ask(h, "GET", path, "Accept", browser)
	page := string(body(t, r))
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || !strings.Contains(page, "Hello &amp; goodbye") ||
		!strings.Contains(page, "Ana &lt;b&gt;") || strings.Contains(page, "<script") {
		t.Errorf("the page: %v\n%s", r.Header, page)
	}
	token := strings.TrimPrefix(path, "/a/")
	for _, f := range forms {
		if !strings.Contains(page, fmt.Sprintf(`<source src="%s.%s"`, token, f)) {
			t.Errorf("the page does not offer %s", f)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	_, h, _, path := served(t, time.Second, Meta{})
	for _, p := range []string{path, path + ".mp3", "/a/nothing"} {
		r := ask(h, "GET", p, "Accept", browser)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
			"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-",
		} {
			if !strings.Contains(r.Header.Get(name), want) {
				t.Errorf("%s: %s is %q", p, name, r.Header.Get(name))
			}
		}
	}
	page := string(body(t, ask(h, "GET", path, "Accept", browser)))
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	if style != pageCSS {
		t.Error("the page's style sheet is not the one that the policy names")
	}
}

func TestMethods(t *testing.T) {
	_, h, _, path := served(t, time.Second, Meta{})
	if r := ask(h, "OPTIONS", path+".mp3", "Origin", "https://else.test"); r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: %s %v", r.Status, r.Header)
	}
	for _, m := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		if r := ask(h, m, path); r.StatusCode != 405 || r.Header.Get("Allow") == "" {
			t.Errorf("%s: %s", m, r.Status)
		}
	}
}

// TestHTTP10 speaks to a real server as an old client does.
func TestHTTP10(t *testing.T) {
	_, h, rec, path := served(t, time.Second, Meta{})
	srv := httptest.NewServer(h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	head, sound, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	if err != nil || int64(len(sound)) != rec.Size || !bytes.Contains(head, fmt.Appendf(nil, "Content-Length: %d", rec.Size)) {
		t.Errorf("%v, %d bytes of %d after\n%s", err, len(sound), rec.Size, head)
	}
}

func TestExpiry(t *testing.T) {
	s, h, rec, path := served(t, time.Second, Meta{Expires: time.Hour})
	for _, c := range []struct {
		at     time.Duration
		status int
	}{{-time.Second, 200}, {0, 410}, {time.Second, 410}} {
		s.clock.set(rec.Expires.Add(c.at))
		for _, p := range []string{path, path + ".wav"} {
			if r := ask(h, "GET", p); r.StatusCode != c.status {
				t.Errorf("%v after expiry: %s", c.at, r.Status)
			}
		}
	}
	if swept, err := s.GC(t.Context()); err != nil || swept.Expired != 1 {
		t.Errorf("GC: %+v, %v", swept, err)
	}
	if r := ask(h, "GET", path); r.StatusCode != 410 {
		t.Errorf("after GC: %s", r.Status)
	}
}

func TestMissing(t *testing.T) {
	s, h, rec, path := served(t, time.Second, Meta{})
	draft, err := s.PutDraft(t.Context(), bytes.NewReader(encodeWAV(tone(440, 8000, time.Second))), Meta{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/a/", "/a/x", "/a/" + rec.ID, "/a/" + draft.ID, path + ".exe", path + ".", path + "/", path[:len(path)-1] + "!",
		"/b/" + path[3:], "/a/..%2f" + path[3:], "/a/" + strings.Repeat("A", tokenText)} {
		if r := ask(h, "GET", p); r.StatusCode != 404 {
			t.Errorf("%s: %s", p, r.Status)
		}
	}
	if err := s.Revoke(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
	r := ask(h, "GET", path, "Accept", browser)
	if b := body(t, r); r.StatusCode != 410 || !bytes.Contains(b, []byte("is gone")) {
		t.Errorf("after Revoke: %s\n%s", r.Status, b)
	}
}

// TestDraftTokenIsRefused even for somebody who has it.
func TestDraftTokenIsRefused(t *testing.T) {
	s := newStore(t, nil)
	p := tone(440, 8000, time.Second)
	rec, token := s.describe(p, Meta{Owner: "4711001"})
	rec.Draft = true
	if err := s.keep(t.Context(), rec, p); err != nil {
		t.Fatal(err)
	}
	h := NewHandler(s.Store, HandlerConfig{})
	for _, p := range []string{token, token + ".wav", token + ".mp3"} {
		if r := ask(h, "GET", "/a/"+p); r.StatusCode != 410 {
			t.Errorf("%s", r.Status)
		}
	}
}

func TestMissesAreLimited(t *testing.T) {
	s, h, _, path := served(t, time.Second, Meta{})
	for i := range 25 {
		want := 404
		if i >= missesPerMinute {
			want = 429
		}
		if r := ask(h, "GET", fmt.Sprintf("/a/%036d", i)); r.StatusCode != want {
			t.Errorf("miss %d: %s", i, r.Status)
		}
	}
	if r := ask(h, "GET", path); r.StatusCode != 200 {
		t.Errorf("a good link from the same address: %s", r.Status)
	}
	s.clock.set(s.clock.Now().Add(4 * time.Second))
	if r := ask(h, "GET", "/a/x"); r.StatusCode != 404 {
		t.Errorf("a little later: %s", r.Status)
	}
}

func TestMissesStayBounded(t *testing.T) {
	m := misses{now: time.Now}
	for i := range 3 * missesKept {
		m.add(network(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})))
	}
	if n := len(m.young) + len(m.old); n > missesKept {
		t.Errorf("%d addresses are kept", n)
	}
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2:0:0:1")
	if network(a) != network(b) {
		t.Error("one customer's IPv6 addresses have different buckets")
	}
}

var guesses = flag.Int("guesses", 50_000, "how many tokens TestRandomTokens tries; the promise is about a million")

// TestRandomTokens guesses from as many addresses as it takes not to be held up.
func TestRandomTokens(t *testing.T) {
	_, h, _, _ := served(t, time.Second, Meta{})
	n := *guesses
	today := uint16(time.Now().Unix() / 86400)
	var raw [tokenBody + tokenMAC]byte
	r := httptest.NewRequest("GET", "/a/x", nil)
	w := &counter{header: make(http.Header)}
	for i := range n {
		_, _ = rand.Read(raw[:])
		if i%2 == 0 { // half of them as near to a real one as somebody can come who knows everything but the key
			raw[0] = 1
			binary.BigEndian.PutUint16(raw[1:], today)
		}
		r.URL.Path = "/a/" + tokenCode.EncodeToString(raw[:])
		r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1).String()
		h.ServeHTTP(w, r)
	}
	if w.statuses[404] != n {
		t.Errorf("of %d guesses: %v", n, w.statuses)
	}
}

// counter is a ResponseWriter that only counts statuses.
type counter struct {
	header   http.Header
	statuses [600]int
}

func (c *counter) Header() http.Header         { return c.header }
func (c *counter) WriteHeader(status int)      { c.statuses[status]++ }
func (c *counter) Write(b []byte) (int, error) { return len(b), nil }

// TestRevokeInTheMiddle: who is listening is cut off, whether this process revokes or another one deletes the files.
func TestRevokeInTheMiddle(t *testing.T) {
	for name, revoke := range map[string]func(*testing.T, *bench, Recording) error{
		"here": func(t *testing.T, s *bench, rec Recording) error { return s.Revoke(t.Context(), rec.ID) },
		"elsewhere": func(t *testing.T, s *bench, rec Recording) error {
			return os.Remove(filepath.Join(s.dir, rec.key()+".json"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, h, rec, path := served(t, 60*time.Second, Meta{})
			srv := httptest.NewUnstartedServer(h)
			srv.Config.ConnContext = SmallBuffer
			srv.Start()
			defer srv.Close()
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "GET %s.wav HTTP/1.0\r\n\r\n", path); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, conn, 100_000); err != nil {
				t.Fatal(err)
			}
			if err := revoke(t, s, rec); err != nil {
				t.Fatal(err)
			}
			time.Sleep(recheck + 50*time.Millisecond) // what is under test is that it ends within this time
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, err := io.Copy(io.Discard, conn)
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Fatal("the stream goes on")
			}
			if n+100_000 >= rec.Bytes {
				t.Errorf("all of it was sent (%d more)", n)
			}
		})
	}
}
