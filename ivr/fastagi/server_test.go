package fastagi

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// TestNonce: the argument or the variable lets in, and nothing else; who tells nothing is not waited for.
func TestNonce(t *testing.T) {
	for name, test := range map[string]struct {
		environment, variable string
		in                    bool
	}{
		"argument":        {"agi_arg_1: " + theNonce, "", true},
		"variable":        {"agi_x: y", "200 result=1 (" + theNonce + ")\n", true},
		"none":            {"agi_x: y", "200 result=0\n", false},
		"other argument":  {"agi_arg_1: " + theNonce + "x", "200 result=1 (" + theNonce + ")\n", false},
		"other variable":  {"agi_x: y", "200 result=1 (x)\n", false},
		"second argument": {"agi_arg_2: " + theNonce, "200 result=0\n", false},
		"endless":         {strings.Repeat("agi_x: y\n", maxEnvironment/8), "", false},
		"garbage":         {"agi_x: y", "nonsense\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			inHall(t, func(h *hall) {
				near, far := net.Pipe()
				p := &peer{conn: far, in: make(chan string), events: make(chan string), over: make(chan struct{}), odd: map[string]string{"GET": test.variable}}
				go p.read()
				go p.run([]string{test.environment})
				h.incoming <- near
				select {
				case c := <-h.lines:
					if !test.in {
						t.Error("it was let in")
					}
					if c.ID() != "1.2" || c.Caller() != "5551234" || c.Called() != "7000" {
						t.Errorf("%q from %q at %q", c.ID(), c.Caller(), c.Called())
					}
					c.End(errors.New("enough"))
				case <-p.over:
					if test.in {
						t.Error("it was not let in")
					}
				}
				<-p.over
			})
		})
	}
}

// TestDoor: a connection that says nothing is closed in time, and many of them do not keep a call out.
func TestDoor(t *testing.T) {
	inHall(t, func(h *hall) {
		began := time.Now()
		var silent []net.Conn
		for range maxAtDoor + 5 {
			near, far := net.Pipe()
			h.incoming <- near
			silent = append(silent, far)
		}
		for _, conn := range silent {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				t.Error("something was said to a stranger")
			}
		}
		if took := time.Since(began); took > doorTime {
			t.Errorf("it took %v", took)
		}
		_, c := h.call()
		c.End(nil)
	})
}

// TestTooManyCalls: one more than MaxCalls goes on in the dialplan at once.
func TestTooManyCalls(t *testing.T) {
	inHall(t, func(h *hall) {
		synctest.Wait()
		h.server.MaxCalls = 1
		_, c := h.call()
		p := h.dialPeer("agi_arg_1: " + theNonce)
		<-p.over
		if len(p.asked("")) > 0 {
			t.Errorf("it was asked %q", p.asked(""))
		}
		c.End(nil)
	})
}

// TestPanic ends one call, which goes on in the dialplan.
func TestPanic(t *testing.T) {
	inHall(t, func(h *hall) {
		p, c := h.call()
		_, other := h.call()
		c.Do(func() { panic("a fault of ours") })
		<-p.over
		if len(p.asked("HANGUP")) > 0 {
			t.Error("it was hung up")
		}
		if in, err := other.gather(ivr.Gather{Play: []prompts.Clip{oneSecond}})(); err != nil {
			t.Errorf("the other call: %+v, %v", in, err)
		}
	})
}

// TestShutdown: calls may finish; then their context ends, also in a recording, whose part is kept; who does not return
// is told of, after his connection was cut.
func TestShutdown(t *testing.T) {
	inHall(t, func(h *hall) {
		_, c := h.call()
		_, recording := h.call()
		got := recording.record(ivr.Record{Max: 3 * time.Minute, Ends: "#"})
		playing := c.gather(ivr.Gather{Play: []prompts.Clip{{Pause: time.Hour}}})
		time.Sleep(time.Second)
		began := time.Now()
		h.stop()
		if _, err := playing(); !errors.Is(err, ErrShutdown) {
			t.Errorf("a pause ends with %v", err)
		}
		rec, err := got()
		if !errors.Is(err, ErrShutdown) || rec.Why != ivr.Stopped || rec.Duration != 3*time.Second {
			t.Errorf("a recording ends with %+v, %v", rec, err)
		}
		if err := <-h.stopped; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("it took %v", took)
		}
		h.stopped <- nil
	})
}

func TestStubbornHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := pipes{make(chan net.Conn), make(chan struct{}), new(sync.Once)}
		release := make(chan struct{})
		s := &Server{Nonce: theNonce, Listener: listener, Recordings: t.TempDir(), Drain: -1, Handle: func(context.Context, ivr.Line) error {
			<-release
			return nil
		}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		h := &hall{T: t, incoming: listener.incoming}
		p := h.dialPeer("agi_arg_1: " + theNonce)
		synctest.Wait()
		began := time.Now()
		stop()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "1 calls did not end") {
			t.Errorf("Run returns %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want twice the grace", took)
		}
		<-p.over
		close(release)
	})
}

// TestPrepare: what no Server starts with.
func TestPrepare(t *testing.T) {
	handle := func(context.Context, ivr.Line) error { return nil }
	for name, test := range map[string]struct {
		server *Server
		wrong  string
	}{
		"no handle":   {&Server{Nonce: theNonce, Addr: "127.0.0.1:0"}, "Handle"},
		"no nonce":    {&Server{Handle: handle, Addr: "127.0.0.1:0"}, "Nonce"},
		"short nonce": {&Server{Handle: handle, Nonce: "too few", Addr: "127.0.0.1:0"}, "Nonce"},
		"everybody":   {&Server{Handle: handle, Nonce: theNonce, Addr: ":0"}, "loopback"},
		"outside":     {&Server{Handle: handle, Nonce: theNonce, Addr: "192.0.2.1:4573"}, "loopback"},
		"no folder":   {&Server{Handle: handle, Nonce: theNonce, Addr: "127.0.0.1:0", Recordings: "/proc/nowhere"}, "folder"},
		"no address":  {&Server{Handle: handle, Nonce: theNonce, Addr: "4573"}, "4573"},
	} {
		s := test.server
		if s.Recordings == "" {
			s.Recordings = t.TempDir()
		}
		err := s.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %v, want %q", name, err, test.wrong)
		}
		if err != nil && s.Nonce != "" && strings.Contains(err.Error(), s.Nonce) {
			t.Errorf("%s: the nonce is in the error", name)
		}
	}
}

// TestUnixSocket is a call over a Unix socket.
func TestUnixSocket(t *testing.T) {
	path := t.TempDir() + "/agi.sock"
	got := make(chan string, 1)
	s := &Server{Addr: "unix:" + path, Nonce: theNonce, Recordings: t.TempDir(), Handle: func(_ context.Context, l ivr.Line) error {
		got <- l.Called()
		return errors.New("enough")
	}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var conn net.Conn
	linetest.Eventually(t, "the socket", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", path)
		return err == nil
	})
	defer conn.Close()
	if _, err := conn.Write([]byte("agi_uniqueid: 1\nagi_extension: 7000\nagi_arg_1: " + theNonce + "\n\n")); err != nil {
		t.Fatal(err)
	}
	if called := <-got; called != "7000" {
		t.Errorf("called at %q", called)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
