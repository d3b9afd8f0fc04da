package fastagi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"hark/ivr"
	"hark/ivr/asterisk"
)

// ErrShutdown is the cause with which the context of a call ends that was still going when Server.Drain had passed.
var ErrShutdown = errors.New("fastagi: shutting down")

// A Server answers the calls of any number of Asterisks on this machine. Fill the exported fields, then Run it once.
// Calls and Abort may be called from any goroutine.
type Server struct {
	// Addr is where to listen, unless Listener is given: "127.0.0.1:4573", or "unix:/run/hark/agi.sock" for a proxy that
	// brings connections from there. Any other address than a loopback one is refused.
	Addr string
	// Listener, if not nil, is listened on instead, and closed by Run. It must be on loopback or a Unix socket.
	Listener net.Listener
	// Nonce is what the dialplan must show: at least 16 characters.
	Nonce string
	// Handle is one call, in its own goroutine. ctx ends with cause ivr.ErrHangup when the caller hangs up, or with
	// ErrShutdown. When Handle returns nil the call is hung up; when it returns an error, and the caller is still there,
	// the call goes on in the dialplan behind AGI(), where a spoken apology stands.
	Handle func(ctx context.Context, line ivr.Line) error
	// Log is told what an administrator should know; nil is silence. Keys and the nonce never reach it.
	Log *slog.Logger
	// Media maps folders of this machine to the same folders as Asterisk sees them. The longest match wins; a file
	// under none of them has the same path there.
	Media map[string]string
	// Recordings is the folder on this machine that Asterisk writes recordings to, under its name by Media. Asterisk must
	// be able to make files there, and to read one with silence that Run puts there; this process must be able to read and
	// remove what it makes. "" is the system's for temporary files.
	Recordings string
	// TempDir is where the recordings land that Record returns; "" is the system's.
	TempDir string
	// MaxCalls at once; further ones go on in the dialplan at once. 0 is 500.
	MaxCalls int
	// AnswerPause is waited between the answer and the first sound.
	AnswerPause time.Duration
	// Drain is how long calls may go on after Run's context ended; 0 is 30 s, negative is not at all.
	Drain time.Duration
	// Grace is how long Handle may take to return after its context ended by ErrShutdown; 0 is 5 s.
	Grace time.Duration

	log     *slog.Logger
	media   asterisk.MediaMap
	silence string // a file that is played while keys are awaited
	calls   calls
	door    chan struct{} // holds one token for each connection that has not shown its nonce yet
}

const (
	// minNonce is the shortest nonce, in bytes.
	minNonce = 16
	// maxAtDoor is how many connections may be about to show their nonce at once.
	maxAtDoor = 64
)

// Calls is the number of calls in progress.
func (s *Server) Calls() int { return s.calls.count() }

// Abort ends the time that calls have to finish (Drain) at once. It must not be called before Run.
func (s *Server) Abort() { s.calls.abort() }

// Run answers calls until ctx ends, then lets those in progress finish. When it returns, no goroutine of it runs, unless
// a Handle did not return in time, which is an error.
func (s *Server) Run(ctx context.Context) error {
	listener, err := s.prepare()
	if err != nil {
		return err
	}
	stopListening := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopListening()
	err = s.accept(ctx, listener)
	listener.Close()
	return errors.Join(err, s.drain())
}

// prepare checks the fields, fills in what was left out, and listens.
func (s *Server) prepare() (net.Listener, error) {
	switch {
	case s.Handle == nil:
		return nil, errors.New("fastagi: Server.Handle is not set")
	case len(s.Nonce) < minNonce:
		return nil, fmt.Errorf("fastagi: Server.Nonce is shorter than %d characters", minNonce)
	}
	s.setDefaults()
	var err error
	if s.silence, err = makeSilence(s.Recordings); err != nil {
		return nil, err
	}
	listener, err := listen(s.Addr, s.Listener)
	if err != nil {
		return nil, err
	}
	s.media = asterisk.NewMediaMap(s.Media)
	s.door = make(chan struct{}, maxAtDoor)
	s.calls.init()
	return listener, nil
}

func (s *Server) setDefaults() {
	s.log = s.Log
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.TempDir == "" {
		s.TempDir = os.TempDir()
	}
	if s.Recordings == "" {
		s.Recordings = os.TempDir()
	}
	if s.MaxCalls <= 0 {
		s.MaxCalls = 500
	}
	if s.Drain == 0 {
		s.Drain = 30 * time.Second
	}
	if s.Grace == 0 {
		s.Grace = 5 * time.Second
	}
}

// drain lets calls finish, then ends them, and in the end cuts their connections.
func (s *Server) drain() error {
	if n := s.calls.count(); n > 0 {
		s.log.Info("waiting for calls to finish", "calls", n, "at most", s.Drain)
	}
	if s.calls.wait(s.calls.aborted, s.Drain) == nil {
		return nil
	}
	s.calls.endAll(ErrShutdown)
	if s.calls.wait(context.Background(), s.Grace) == nil {
		return nil
	}
	s.calls.cutAll()
	return s.calls.wait(context.Background(), s.Grace)
}
