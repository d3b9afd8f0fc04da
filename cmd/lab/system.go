package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hark/internal/testbed"
)

// lab is what the command line says.
type lab struct {
	program string // path of the hark binary
	dir     string // folder to keep things in, "" for one that goes away
	// pictures is the folder for pictures of the demo; "" for none.
	pictures string
	out      io.Writer
}

// system is everything running: Asterisk, Prosody and Hark.
type system struct {
	dir      string
	temp     bool
	program  string
	asterisk *testbed.Asterisk
	prosody  *testbed.Prosody
	web      string // address of the web door
	agi      string // address of FastAGI, "" when there is none
	nonce    string // of FastAGI
	cold     bool   // its rendered speech is its own
	presence string // address of the client interface
	hark     *exec.Cmd
	gone     chan struct{} // closed when hark has ended
	log      string        // hark's log file
}

// xmppUsers are the accounts at the XMPP server.
var xmppUsers = map[string]string{"ana": "ana-at-xmpp", "ben": "ben-at-xmpp"}

// setup says which parts run beside Hark; a nil one does not.
type setup struct {
	prosody  *testbed.ProsodyOptions
	asterisk *testbed.AsteriskOptions
	cold     bool                    // no speech is rendered yet
	agi      bool                    // Hark answers agiNumber over FastAGI, too
	ari      func(url string) string // the address by which Hark reaches ARI; nil is ARI's own
}

// start brings up the parts that the demo and "lab run" use. Hark itself is started later, by startHark.
func (l *lab) start(ctx context.Context) (*system, error) {
	return l.startWith(ctx, setup{
		prosody:  &testbed.ProsodyOptions{Users: xmppUsers, Friends: [][2]string{{"ana", "ben"}}},
		asterisk: &testbed.AsteriskOptions{},
	})
}

// startWith brings the parts up, in order, and configures Hark for them.
func (l *lab) startWith(ctx context.Context, parts setup) (_ *system, err error) {
	s := &system{dir: l.dir, program: l.program, cold: parts.cold}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "hark-lab-"); err != nil {
			return nil, err
		}
		s.temp = true
	} else if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if err := s.startParts(ctx, l.out, parts); err != nil {
		return nil, err
	}
	if err := s.configure(parts.ari); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *system) startParts(ctx context.Context, progress io.Writer, parts setup) (err error) {
	if parts.prosody != nil {
		if s.prosody, err = testbed.StartProsody(ctx, *parts.prosody); err != nil {
			return err
		}
	}
	if parts.agi {
		if err := s.prepareAGI(parts.asterisk); err != nil {
			return err
		}
	}
	if parts.asterisk != nil {
		parts.asterisk.Progress = progress
		s.asterisk, err = testbed.StartAsterisk(ctx, *parts.asterisk)
	}
	return err
}

// agiNumber is the extension that Hark answers over FastAGI.
const agiNumber = "7001"

// prepareAGI adds that extension to an Asterisk that is to be started.
func (s *system) prepareAGI(o *testbed.AsteriskOptions) (err error) {
	if s.agi, err = freeAddress(); err != nil {
		return err
	}
	s.nonce = rand.Text()
	checkout, err := testbed.Checkout()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(checkout, "asterisk-conf", "agi", "extensions_agi.conf"))
	if err != nil {
		return err
	}
	filled := strings.NewReplacer("@HARK_AGI_NUMBER@", agiNumber, "@HARK_AGI_ADDR@", s.agi, "@HARK_AGI_NONCE@", s.nonce).Replace(string(text))
	o.Files = map[string]string{"extensions_agi.conf": filled}
	return nil
}

// callsAtOnce is more than the benches make; what limits them is to be seen, and not the setting.
const callsAtOnce = 2000

// configure writes hark.toml.
func (s *system) configure(ari func(string) string) (err error) {
	if s.web, err = freeAddress(); err != nil {
		return err
	}
	if s.presence, err = freeAddress(); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "name = \"lab:7778\"\ndb = %q\n[listen]\nweb = %q\npresence = %q\n",
		s.database(), s.web, s.presence)
	if s.agi != "" {
		fmt.Fprintf(&text, "agi = %q\nagi_nonce = %q\n", s.agi, s.nonce)
	}
	fmt.Fprintf(&text, "[prompts]\ncache = %q\n", s.speech())
	if a := s.asterisk; a != nil {
		url := a.ARIURL
		if ari != nil {
			url = ari(url)
		}
		fmt.Fprintf(&text, "[asterisk]\nari = %q\nuser = %q\npassword = %q\ncalls = %d\nper_caller = 0\n[[number]]\ncalled = %q\n",
			url, a.ARIUser, a.ARIPassword, callsAtOnce, a.Number)
		if s.agi != "" {
			fmt.Fprintf(&text, "[[number]]\ncalled = %q\n", agiNumber)
		}
	}
	if p := s.prosody; p != nil {
		fmt.Fprintf(&text, "[xmpp]\nca = %q\nallow_private = true\n", p.CAFile)
	}
	return os.WriteFile(s.config(), []byte(text.String()), 0o600)
}

// freeAddress is an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// speechCache is where rendered speech is kept from one run to the next.
func speechCache(fallback string) string {
	if base, err := os.UserCacheDir(); err == nil {
		return filepath.Join(base, "hark", "speech")
	}
	return filepath.Join(fallback, "speech")
}

// speech is where this Hark keeps its rendered speech.
func (s *system) speech() string {
	if s.cold {
		return filepath.Join(s.dir, "speech")
	}
	return speechCache(s.dir)
}

func (s *system) config() string   { return filepath.Join(s.dir, "hark.toml") }
func (s *system) database() string { return filepath.Join(s.dir, "hark.db") }
func (s *system) keys() string     { return filepath.Join(s.dir, "hark.keys") }

// startHark starts the program and waits until it says that it is ready.
func (s *system) startHark(ctx context.Context) error {
	s.log = filepath.Join(s.dir, "hark.log")
	file, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	s.hark = exec.Command(s.program, "serve", "-c", s.config())
	s.hark.Stdout, s.hark.Stderr = file, file
	before, _ := os.ReadFile(s.log)
	if err := s.hark.Start(); err != nil {
		return err
	}
	s.gone = make(chan struct{})
	go func() { s.hark.Wait(); close(s.gone) }()
	return s.awaitLog(ctx, len(before), "msg=ready")
}

// awaitLog looks for words in what hark's log says after offset from.
func (s *system) awaitLog(ctx context.Context, from int, words string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		text, _ := os.ReadFile(s.log)
		if bytes.Contains(text[min(from, len(text)):], []byte(words)) {
			return nil
		}
		select {
		case <-s.gone:
			return fmt.Errorf("hark ended:\n%s", text)
		case <-ctx.Done():
			return fmt.Errorf("hark did not say %q:\n%s", words, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// logged is hark's log so far.
func (s *system) logged() (string, error) {
	text, err := os.ReadFile(s.log)
	return string(text), err
}

// stopHark ends the program as an operator would, with SIGTERM, and waits.
func (s *system) stopHark() error {
	if s.hark == nil || s.hark.Process == nil {
		return nil
	}
	_ = s.hark.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.gone:
		return nil
	case <-time.After(20 * time.Second):
		_ = s.hark.Process.Kill()
		<-s.gone
		return errors.New("hark did not stop within 20 s of SIGTERM")
	}
}

// stop ends everything and removes what should not stay.
func (s *system) stop() error {
	err := s.stopHark()
	if s.asterisk != nil {
		err = errors.Join(err, s.asterisk.Discard())
	}
	if s.prosody != nil {
		err = errors.Join(err, s.prosody.Discard())
	}
	if s.temp {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// user is a Hark account as "hark account add --json" tells it.
type user struct {
	Name   string `json:"name"`
	Number string `json:"number"`
	PIN    string `json:"pin"`
}

// addUser makes a Hark account, with a login at the XMPP server when jid is not "".
func (s *system) addUser(ctx context.Context, name, jid, password string) (u user, err error) {
	out, err := s.admin(ctx, "", "account", "add", "--name", name, "--json")
	if err != nil {
		return u, err
	}
	if err := json.Unmarshal(out, &u); err != nil {
		return u, fmt.Errorf("hark account add printed %q: %w", out, err)
	}
	if jid != "" {
		_, err = s.admin(ctx, password+"\n", "account", "network", "set", u.Number, "xmpp", jid, "--server", s.prosody.Addr)
	}
	return u, err
}

// admin runs a subcommand of hark beside the server.
func (s *system) admin(ctx context.Context, input string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.program, append([]string{"-c", s.config()}, args...)...)
	cmd.Stdin = bytes.NewBufferString(input)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hark %v: %w: %s", args[:min(2, len(args))], err, complaint.Bytes())
	}
	return out, nil
}
