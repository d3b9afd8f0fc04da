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

// An XMPPServer is what the XMPP servers have in common. Its methods are for one goroutine at a time; the fields do not
// change, but for PID at a restart.
type XMPPServer struct {
	Addr    string // host and TCP port for clients, STARTTLS
	Domain  string
	Roots   *x509.CertPool // trusts its certificate
	CAFile  string         // the same, as PEM
	Dir     string         // the run folder
	LogFile string
	PID     int

	name      string
	command   []string // the program and its arguments
	portTaken string   // what its log says when a port is not to be had
	process   *process
	temp      bool
}

// startable is what startXMPP brings up.
type startable interface {
	Start(ctx context.Context) error
	Discard() error
}

// startXMPP lays and starts a server; once more on other ports when one was taken meanwhile.
func startXMPP[S startable](ctx context.Context, anyPort bool, lay func() (S, error)) (server S, err error) {
	for try := 1; ; try++ {
		if server, err = lay(); err != nil {
			return server, err
		}
		if err = server.Start(ctx); err == nil {
			return server, nil
		}
		err = errors.Join(err, server.Discard())
		if !errors.Is(err, errPortTaken) || try == portTries || !anyPort {
			return server, err
		}
	}
}

// Start starts it again after Stop or Kill, with the same port, accounts and archive, and returns when it speaks XMPP.
// Sessions that waited to be resumed are gone, as they are at every restart of such a server.
func (s *XMPPServer) Start(ctx context.Context) error {
	if s.process != nil && s.process.alive() {
		return fmt.Errorf("testbed: %s runs already, pid %d", s.name, s.PID)
	}
	console := filepath.Join(s.Dir, "console")
	proc, err := start(console, s.command[0], s.command[1:]...)
	if err != nil {
		return fmt.Errorf("testbed: %s: %w (scripts/deps.sh installs it)", s.name, err)
	}
	s.process, s.PID = proc, proc.pid()
	if err := waitFor(ctx, startLimit, proc.gone, s.readySince(fileSize(s.LogFile))); err != nil {
		return errors.Join(fmt.Errorf("testbed: %s did not come up: %w\n%s%s",
			s.name, err, tail(console, 2000), tail(s.LogFile, 4000)), proc.kill())
	}
	return nil
}

// pidFile is where the server leaves its process id.
func (s *XMPPServer) pidFile() string { return filepath.Join(s.Dir, s.name+".pid") }

// readySince returns a question whether the server is up, given the length of the log before it was started. It opens a
// stream, and looks that it is our process that answered. Without a port it goes on, but for a line in the log.
func (s *XMPPServer) readySince(logStart int64) func(context.Context) error {
	return func(ctx context.Context) error {
		if logged(s.LogFile, logStart, s.portTaken) {
			return errPortTaken
		}
		if err := checkPID(s.pidFile(), s.PID); err != nil {
			return err
		}
		answer := s.Ping(ctx)
		if logged(s.LogFile, logStart, s.portTaken) {
			return errPortTaken
		}
		return answer
	}
}

// Ping opens an XMPP stream and closes it again.
func (s *XMPPServer) Ping(ctx context.Context) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, streamHeader, s.Domain); err != nil {
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
func (s *XMPPServer) Running() bool { return s.process.alive() }

// Kill ends it with SIGKILL, as a crash would, and waits for its end.
func (s *XMPPServer) Kill() error { return s.process.kill() }

// Stop ends it with SIGTERM and waits for its end.
func (s *XMPPServer) Stop() error { return s.process.stop(stopLimit) }

// Restart stops it and starts it again.
func (s *XMPPServer) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Discard kills it if it runs and removes the run folder, if it was made for it.
func (s *XMPPServer) Discard() error {
	var err error
	if s.process != nil {
		err = s.process.kill()
	}
	if s.temp {
		err = errors.Join(err, os.RemoveAll(s.Dir))
	}
	return err
}

// Usage returns what it has used since its start.
func (s *XMPPServer) Usage() (Usage, error) { return UsageOf(s.PID) }
