package testbed

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ProsodyOptions say how a Prosody is to be. The zero value is a server for localhost without accounts.
type ProsodyOptions struct {
	// Dir is the run folder: configuration, accounts, archive, log. "" makes one that Discard removes again.
	Dir string
	// Host is the address to listen on; "" is 127.0.0.1.
	Host string
	// Port (TCP) for clients is a free one at random when 0.
	Port int
	// Domain is what stands behind the @ of addresses; "" is "localhost".
	Domain string
	// Users are the accounts, by the part before the @, with their passwords.
	Users map[string]string
	// Friends are pairs of users who stand on each other's roster and see each other's presence.
	Friends [][2]string
	// Hibernation is how long a session waits to be resumed after its connection was cut (XEP-0198); 0 is 10 min. Whole
	// seconds.
	Hibernation time.Duration
	// Upload adds file upload (XEP-0363) at upload.DOMAIN, Rooms adds rooms (XEP-0045) at rooms.DOMAIN.
	Upload, Rooms bool
}

// Prosody is a running Prosody. Its methods are for one goroutine at a time; the fields do not change, but for PID at a
// restart.
type Prosody struct {
	Addr    string // host and TCP port for clients, STARTTLS
	Domain  string
	Roots   *x509.CertPool // trusts its certificate
	CAFile  string         // the same, as PEM
	Dir     string         // the run folder
	LogFile string
	PID     int

	process *process
	temp    bool
}

// StartProsody starts a Prosody and returns when it speaks XMPP. The caller ends it with Stop, Kill or Discard. ctx
// bounds only the start.
func StartProsody(ctx context.Context, o ProsodyOptions) (*Prosody, error) {
	for try := 1; ; try++ {
		p, err := startProsody(ctx, o)
		if err == nil || !errors.Is(err, errPortTaken) || try == portTries || o.Port != 0 {
			return p, err
		}
	}
}

func startProsody(ctx context.Context, o ProsodyOptions) (*Prosody, error) {
	p, err := layProsody(o)
	if err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Discard())
	}
	return p, nil
}

// Start starts it again after Stop or Kill, with the same port, accounts and archive, and returns when it speaks XMPP.
// Sessions that waited to be resumed are gone, as they are at every restart of a Prosody.
func (p *Prosody) Start(ctx context.Context) error {
	if p.process != nil && p.process.alive() {
		return fmt.Errorf("testbed: prosody runs already, pid %d", p.PID)
	}
	console := filepath.Join(p.Dir, "console")
	proc, err := start(console, "prosody", "-F", "--config", filepath.Join(p.Dir, "prosody.cfg.lua"))
	if err != nil {
		return fmt.Errorf("testbed: prosody: %w (scripts/deps.sh installs it)", err)
	}
	p.process, p.PID = proc, proc.pid()
	if err := waitFor(ctx, startLimit, proc.gone, p.readySince(fileSize(p.LogFile))); err != nil {
		return errors.Join(fmt.Errorf("testbed: prosody did not come up: %w\n%s%s",
			err, tail(console, 2000), tail(p.LogFile, 4000)), proc.kill())
	}
	return nil
}

// readySince returns a question whether Prosody is up, given the length of the log before it was started. It opens a
// stream, and looks that it is our process that answered. Without a port Prosody goes on, but for a line in the log.
func (p *Prosody) readySince(logStart int64) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := checkPID(filepath.Join(p.Dir, "prosody.pid"), p.PID); err != nil {
			return err
		}
		answer := p.Ping(ctx)
		if logged(p.LogFile, logStart, "Failed to open server port") {
			return errPortTaken
		}
		return answer
	}
}

// Ping opens an XMPP stream and closes it again.
func (p *Prosody) Ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", p.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, streamHeader, p.Domain); err != nil {
		return err
	}
	return readUntil(bufio.NewReader(conn), "</stream:features>")
}

// streamHeader opens an XMPP stream (RFC 6120, section 4.2) to the domain.
const streamHeader = `<stream:stream to='%s' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

// readUntil reads until the text has come.
func readUntil(r *bufio.Reader, text string) error {
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		b, err := r.ReadByte()
		if err != nil {
			return fmt.Errorf("%w after %q", err, got.String())
		}
		got.WriteByte(b)
	}
	return nil
}

// Running tells whether the process is there.
func (p *Prosody) Running() bool { return p.process.alive() }

// Kill ends it with SIGKILL, as a crash would, and waits for its end.
func (p *Prosody) Kill() error { return p.process.kill() }

// Stop ends it with SIGTERM and waits for its end.
func (p *Prosody) Stop() error { return p.process.stop(stopLimit) }

// Restart stops it and starts it again.
func (p *Prosody) Restart(ctx context.Context) error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Start(ctx)
}

// Discard kills it if it runs and removes the run folder, if it was made for it.
func (p *Prosody) Discard() error {
	var err error
	if p.process != nil {
		err = p.process.kill()
	}
	if p.temp {
		err = errors.Join(err, os.RemoveAll(p.Dir))
	}
	return err
}

// Usage returns what it has used since its start.
func (p *Prosody) Usage() (Usage, error) { return UsageOf(p.PID) }
