package ivr_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/ivr"
	"hark/ivr/fastagi"
	"hark/ivr/stasis"
)

// numbersEach is how many numbers a switchboard has for each way to Hark.
const numbersEach = 60

// The first number of each way to Hark.
const (
	overARI = 7100
	overAGI = 7200
)

// ways are the two ways to Hark.
var ways = map[string]int{"ARI": overARI, "FastAGI": overAGI}

// A switchboard is a real Asterisk whose numbers lead to Hark, each by ARI or by FastAGI, and to a handler of its own.
type switchboard struct {
	asterisk *testbed.Asterisk
	temp     string // where recordings land
	agiSpool string

	mu       sync.Mutex
	handlers map[string]func(context.Context, ivr.Line) error
	app      *stasis.App
	server   *fastagi.Server
}

// newSwitchboard starts everything; it ends with the test, which then looks that nothing was left behind.
func newSwitchboard(t *testing.T) *switchboard {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const nonce = "nonce-of-a-test-0123456789"
	var plan strings.Builder
	fmt.Fprintln(&plan, "[hark]")
	for n := range numbersEach {
		fmt.Fprintf(&plan, "exten = %d,1,Stasis(hark)\n same = n,Hangup()\n", overARI+n)
		fmt.Fprintf(&plan, "exten = %d,1,AGI(agi://%s/hark,%s)\n same = n,Hangup()\n", overAGI+n, listener.Addr(), nonce)
	}
	s := &switchboard{temp: t.TempDir(), agiSpool: t.TempDir(), handlers: map[string]func(context.Context, ivr.Line) error{}}
	s.asterisk = testbed.AsteriskFor(t, testbed.AsteriskOptions{
		Files: map[string]string{"extensions_agi.conf": plan.String()}, Codecs: "ulaw,alaw",
	})
	s.server = &fastagi.Server{Listener: listener, Nonce: nonce, Handle: s.handle, TempDir: s.temp, Recordings: s.agiSpool, Drain: -1}
	s.app = &stasis.App{
		URL: s.asterisk.ARIURL, User: s.asterisk.ARIUser, Password: s.asterisk.ARIPassword,
		Handle: s.handle, TempDir: s.temp, Drain: -1,
	}
	s.run(t, s.server.Run)
	s.run(t, s.app.Run)
	for !s.app.Connected() {
		time.Sleep(5 * time.Millisecond) // another process
	}
	return s
}

// run runs a part until the test ends.
func (s *switchboard) run(t *testing.T, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- part(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// connect gives a number to a handler.
func (s *switchboard) connect(number string, handler func(context.Context, ivr.Line) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[number] = handler
}

// handle gives a call to who has the number.
func (s *switchboard) handle(ctx context.Context, line ivr.Line) error {
	s.mu.Lock()
	handler := s.handlers[line.Called()]
	s.mu.Unlock()
	if handler == nil {
		return fmt.Errorf("nobody has number %s", line.Called())
	}
	return handler(ctx, line)
}

// nothingLeft looks for calls, channels, bridges, and files of recordings, once all calls are over, and for keys in
// Asterisk's log (T21). What ends a moment later is waited for.
func (s *switchboard) nothingLeft(t *testing.T) {
	t.Helper()
	log, err := s.asterisk.Log()
	if err != nil {
		t.Error(err)
	}
	for name, secret := range map[string]string{"PIN": thePIN, "user number": theUser, "session number": theCode} {
		if strings.Contains(log, secret) {
			t.Errorf("the %s is in Asterisk's log", name)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		left := s.left(t)
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("left behind: %s", left)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *switchboard) left(t *testing.T) (what string) {
	t.Helper()
	if n := s.app.Calls() + s.server.Calls(); n > 0 {
		what += fmt.Sprintf("%d calls; ", n)
	}
	for _, kind := range []string{"channels", "bridges"} {
		if n := s.count(t, kind); n > 0 {
			what += fmt.Sprintf("%d %s; ", n, kind)
		}
	}
	for _, dir := range []string{s.temp, s.agiSpool, filepath.Join(s.asterisk.SpoolDir, "recording")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "hark-silence.wav" {
				what += filepath.Join(dir, e.Name()) + "; "
			}
		}
	}
	return what
}

// count asks ARI how many things of a kind there are.
func (s *switchboard) count(t *testing.T, kind string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.asterisk.ARIURL+"/"+kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(s.asterisk.ARIUser, s.asterisk.ARIPassword)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return len(list)
}
