package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/prompts"
)

// place is a folder with a configuration, and the parts that it names.
type place struct {
	t        *testing.T
	dir      string
	config   string
	asterisk *testbed.Asterisk
	prosody  *testbed.Prosody
	log      *buffer
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newPlace starts the parts and writes a configuration. Rendered speech is shared between test runs.
func newPlace(t *testing.T) *place { return newPlaceOn(t, testbed.AsteriskOptions{}) }

// newPlaceOn is newPlace with an Asterisk of some kind.
func newPlaceOn(t *testing.T, o testbed.AsteriskOptions) *place {
	p := &place{t: t, dir: t.TempDir(), log: &buffer{}}
	p.asterisk = testbed.AsteriskFor(t, o)
	p.prosody = testbed.ProsodyFor(t, testbed.ProsodyOptions{
		Users:   map[string]string{"ana": "secret-ana", "ben": "secret-ben"},
		Friends: [][2]string{{"ana", "ben"}},
	})
	p.config = filepath.Join(p.dir, "hark.toml")
	text := fmt.Sprintf("name = \"t:1\"\ndb = %q\n[log]\nlevel = \"debug\"\n[listen]\nweb = %q\n[asterisk]\nari = %q\nuser = %q\npassword = %q\n"+
		"[prompts]\ncache = %q\n[xmpp]\nca = %q\nallow_private = true\n",
		filepath.Join(p.dir, "hark.db"), freeAddress(t), p.asterisk.ARIURL, p.asterisk.ARIUser, p.asterisk.ARIPassword,
		speechFolder(p.dir), p.prosody.CAFile)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// speechFolder is where rendered speech is shared between test runs; it lies in fallback where there is no such place.
func speechFolder(fallback string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = fallback
	}
	return filepath.Join(cache, "hark", "speech")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run executes a command line to its end and returns what it printed.
func (p *place) run(input string, args ...string) (string, error) {
	var out bytes.Buffer
	err := (&program{in: strings.NewReader(input), out: &out, errOut: io.Discard}).run(p.t.Context(), append([]string{"-c", p.config}, args...))
	return out.String(), err
}

// must is run for what has to succeed.
func (p *place) must(input string, args ...string) string {
	p.t.Helper()
	out, err := p.run(input, args...)
	if err != nil {
		p.t.Fatalf("hark %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// serve runs the server until the returned function stops it.
func (p *place) serve() (stop func() error) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	from := len(p.log.String())
	go func() {
		done <- (&program{in: strings.NewReader(""), out: io.Discard, errOut: p.log}).run(ctx, []string{"-c", p.config, "serve"})
	}()
	p.until("hark is ready", func() bool {
		select {
		case err := <-done:
			p.t.Fatalf("serve ended: %v\n%s", err, p.log)
		default:
		}
		return strings.Contains(p.log.String()[from:], "msg=ready")
	})
	return sync.OnceValue(func() error { cancel(); return <-done })
}

// until polls a condition of other processes.
func (p *place) until(what string, true func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: not in time\n%s", what, p.log)
		}
	}
}

// account is what "hark account add --json" prints.
type account struct{ Name, Number, PIN string }

func (p *place) addAccount(name string) (a account) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.must("", "account", "add", "--name", name, "--json")), &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// TestServeACall runs the whole program and makes a call over real SIP: number, PIN, main menu, goodbye. Then Ana is greeted
// at the telephone that is said to be hers, and asked for the PIN only (T2). Neither PIN nor number nor session number may
// reach a log (T21).
func TestServeACall(t *testing.T) {
	p := newPlace(t)
	ana := p.addAccount("Ana")
	p.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@localhost", "--server", p.prosody.Addr)
	stop := p.serve()
	defer stop()
	p.script("timeout 40s\nhear %s\npress %s#\nhear %s\npress %s\nhear %s\npress 9\nhear %s\nexpect-hangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"), p.prompt("end.place"))
	if !strings.Contains(p.must("", "session", "list"), ana.Number) {
		t.Error("the session did not outlive the call")
	}
	if n, err := p.prosody.Logins("ana@localhost"); err != nil || n != 1 {
		t.Errorf("%d logins at Prosody, %v", n, err)
	}
	p.must("", "account", "caller", "add", ana.Number, "+4930123456")
	p.scriptFrom("+4930123456", "timeout 40s\nhear %s\nhear %s\npress %s\nhear %s\nhangup\n",
		p.promptWith("login.back", prompts.Args{"name": "Ana"}), p.prompt("login.known"), ana.PIN, p.prompt("home.none"))
	if err := stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
	if strings.Contains(p.log.String(), ana.PIN) || strings.Contains(p.log.String(), "secret-ana") {
		t.Error("a secret reached the log")
	}
	if log, err := p.asterisk.Log(); err != nil || strings.Contains(log, ana.PIN) {
		t.Errorf("the PIN reached Asterisk's log (%v)", err)
	}
}

// prompt is the text of a prompt without placeholders.
func (p *place) prompt(id string) string { p.t.Helper(); return p.promptWith(id, nil) }

// promptWith is the text of a prompt with its placeholders filled.
func (p *place) promptWith(id string, args prompts.Args) string {
	p.t.Helper()
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := book.Text("en", id, args)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// TestSecondServe wants words, not corruption, when two servers get the same database.
func TestSecondServe(t *testing.T) {
	p := newPlace(t)
	defer p.serve()()
	_, err := p.run("", "serve")
	if err == nil || !strings.Contains(err.Error(), "in use by another hark") {
		t.Errorf("a second serve on the same database: %v", err)
	}
}

// TestAsteriskRestarts shows that calls are answered again after Asterisk went away, and that the apology in the
// dialplan speaks while Hark is away.
func TestAsteriskRestarts(t *testing.T) {
	p := newPlace(t)
	stop := p.serve()
	defer stop()
	if err := p.asterisk.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.asterisk.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.until("connected again", func() bool { return strings.Count(p.log.String(), "connected to Asterisk") == 2 })
	if err := p.callAndHear("login.number"); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:7000@" + p.asterisk.SIPAddr})
	if err != nil {
		t.Fatal(err)
	}
	defer call.Hangup(context.WithoutCancel(t.Context()))
	p.until("the apology is heard", func() bool { return call.Stats().Packets > 50 })
}

// callAndHear dials, waits for a prompt and hangs up.
func (p *place) callAndHear(id string) error {
	call, err := sipphone.Dial(p.t.Context(), sipphone.Options{To: "sip:7000@" + p.asterisk.SIPAddr})
	if err != nil {
		return err
	}
	say, done, err := referenceVoice(p.t.Context(), prompts.SynthOptions{})
	if err != nil {
		return err
	}
	defer done()
	clip, err := say(p.prompt(id))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 40*time.Second)
	defer cancel()
	_, _, err = call.WaitHear(ctx, clip)
	return errors.Join(err, call.Hangup(context.WithoutCancel(ctx)))
}
