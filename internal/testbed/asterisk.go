package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// AsteriskOptions say how an Asterisk is to be. The zero value is right for most tests.
type AsteriskOptions struct {
	// Dir is the run folder: configuration, spool, logs. "" makes one that Discard removes again. Keep it short: a Unix
	// socket lies in it.
	Dir string
	// Root is where usr/sbin/asterisk lies; "" asks scripts/asterisk.sh.
	Root string
	// Host is the address for SIP, RTP and ARI: "" is 127.0.0.1.
	Host string
	// SIPPort (UDP) and ARIPort (TCP) are free ports at random when 0.
	SIPPort, ARIPort int
	// RTPStart and RTPEnd are the range of UDP ports for sound; 10000 to 29999 when 0. Several Asterisks may share one.
	RTPStart, RTPEnd int
	// Number is the extension that Hark answers; "" is 7000.
	Number string
	// Codecs of the callers, in Asterisk's words; "" is "ulaw,alaw,opus".
	Codecs string
	// LogLevels of the log file; "" is "notice,warning,error,verbose(3)", which shows each step of the dialplan. A bench
	// leaves the last one out.
	LogLevels string
	// Bench adds asterisk-conf/bench: numbers with Read(), VoiceMail() and Echo() to compare with.
	Bench bool
	// Files are further configuration files, or other ones in place of asterisk-conf's, by name; they may hold
	// placeholders.
	Files map[string]string
	// Progress is told when Asterisk has to be fetched first; may be nil.
	Progress io.Writer
}

// Asterisk is a running Asterisk. Its methods are for one goroutine at a time; the fields do not change, but for PID at a
// restart.
type Asterisk struct {
	ARIURL      string // such as http://127.0.0.1:40123/ari
	ARIUser     string
	ARIPassword string
	SIPAddr     string // host and UDP port
	Number      string // the extension that Hark answers
	PhoneUser   string // the account of a telephone that registers
	PhoneSecret string
	Dir         string // the run folder
	SpoolDir    string // recordings of ARI are in recording/ in here
	LogFile     string
	PID         int

	program []string
	process *process
	temp    bool
}

const (
	startLimit = 30 * time.Second // a busy machine; 0.5 s is usual
	stopLimit  = 15 * time.Second // 1.4 s is usual
	portTries  = 3
)

// StartAsterisk starts an Asterisk and returns when it answers on ARI. The caller ends it with Stop, Kill or Discard.
// ctx bounds only the start.
func StartAsterisk(ctx context.Context, o AsteriskOptions) (*Asterisk, error) {
	if o.Root == "" {
		root, err := AsteriskRoot(ctx, o.Progress)
		if err != nil {
			return nil, err
		}
		o.Root = root
	}
	for try := 1; ; try++ {
		a, err := startAsterisk(ctx, o)
		if err == nil || !errors.Is(err, errPortTaken) || try == portTries || o.SIPPort+o.ARIPort != 0 {
			return a, err
		}
	}
}

func startAsterisk(ctx context.Context, o AsteriskOptions) (*Asterisk, error) {
	a, err := layAsterisk(o)
	if err != nil {
		return nil, err
	}
	if err := a.Start(ctx); err != nil {
		return nil, errors.Join(err, a.Discard())
	}
	return a, nil
}

// Start starts it again after Stop or Kill, with the same ports and folders, and returns when it answers on ARI.
func (a *Asterisk) Start(ctx context.Context) error {
	if a.process != nil && a.process.alive() {
		return fmt.Errorf("testbed: asterisk runs already, pid %d", a.PID)
	}
	console := filepath.Join(a.Dir, "log", "console")
	p, err := start(console, a.program[0], a.program[1:]...)
	if err != nil {
		return fmt.Errorf("testbed: asterisk: %w", err)
	}
	a.process, a.PID = p, p.pid()
	if err := waitFor(ctx, startLimit, p.gone, a.readySince(fileSize(a.LogFile))); err != nil {
		return errors.Join(fmt.Errorf("testbed: asterisk did not come up: %w\n%s%s",
			err, tail(console, 2000), tail(a.LogFile, 2000)), p.kill())
	}
	return nil
}

// readySince returns a question whether Asterisk is up, given the length of the log before it was started. It asks ARI,
// and looks that the answer can only be our process's: a second Asterisk on one folder gives up while the first one goes
// on answering. Without a port Asterisk goes on too, but for a line in the log.
func (a *Asterisk) readySince(logStart int64) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := checkPID(filepath.Join(a.Dir, "run", "asterisk.pid"), a.PID); err != nil {
			return err
		}
		answer := a.Ping(ctx)
		if logged(a.LogFile, logStart, "Address already in use") {
			return errPortTaken
		}
		return answer
	}
}

// Ping asks ARI whether it is there.
func (a *Asterisk) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.ARIURL+"/asterisk/ping", nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(a.ARIUser, a.ARIPassword)
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ARI answers %s", resp.Status)
	}
	return nil
}

// Running tells whether the process is there.
func (a *Asterisk) Running() bool { return a.process.alive() }

// Kill ends it with SIGKILL, as a crash would, and waits for its end.
func (a *Asterisk) Kill() error { return a.process.kill() }

// Stop ends it with SIGTERM and waits for its end. Calls are hung up.
func (a *Asterisk) Stop() error { return a.process.stop(stopLimit) }

// Restart stops it and starts it again.
func (a *Asterisk) Restart(ctx context.Context) error {
	if err := a.Stop(); err != nil {
		return err
	}
	return a.Start(ctx)
}

// Discard kills it if it runs and removes the run folder, if it was made for it.
func (a *Asterisk) Discard() error {
	var err error
	if a.process != nil {
		err = a.process.kill()
	}
	if a.temp {
		err = errors.Join(err, os.RemoveAll(a.Dir))
	}
	return err
}

// Usage returns what it has used since its start.
func (a *Asterisk) Usage() (Usage, error) { return UsageOf(a.PID) }

// Log returns the whole log.
func (a *Asterisk) Log() (string, error) {
	text, err := os.ReadFile(a.LogFile)
	return string(text), err
}
