package presence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Serve takes connections from l until ctx ends, Shutdown is called, or l fails for good, and then waits for its
// clients. It closes l. The error is nil when it was told to stop.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.setup()
	if err := s.addListener(l); err != nil {
		l.Close()
		return err
	}
	defer s.dropListener(l)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			if s.start(func() { s.ServeConn(ctx, nc) }) != nil {
				nc.Close()
			}
		case ctx.Err() != nil || s.isStopping():
			return nil
		case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
			s.Log.Error("presence: out of file descriptors", "err", err)
			s.sleep(ctx, 100*time.Millisecond)
		case errors.Is(err, syscall.ECONNABORTED):
		default:
			return fmt.Errorf("presence: listener: %w", err)
		}
	}
}

// Pipe connects to the server from within its own process: the same protocol over net.Pipe. It fails once the server is
// stopping.
func (s *Server) Pipe(ctx context.Context) (net.Conn, error) {
	s.setup()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	if err := s.start(func() { s.serveConn(s.base, there, false) }); err != nil {
		return nil, err
	}
	return here, nil
}

func (s *Server) addListener(l net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	s.listeners[l] = struct{}{}
	return nil
}

func (s *Server) dropListener(l net.Listener) {
	l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}
