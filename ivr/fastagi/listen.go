package fastagi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// listen opens the address, unless there is a listener, and looks that nobody from another machine can reach it (T17).
func listen(address string, given net.Listener) (net.Listener, error) {
	if given != nil {
		return given, local(given.Addr())
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return net.Listen("unix", path)
	}
	// Looked at before it is opened: not even for a moment does it listen for others.
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("fastagi: %w", err)
	}
	if err := local(resolved); err != nil {
		return nil, err
	}
	return net.Listen("tcp", resolved.String())
}

// local refuses an address that another machine could reach.
func local(address net.Addr) error {
	switch a := address.(type) {
	case *net.UnixAddr:
		return nil
	case *net.TCPAddr:
		if a.IP.IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf("fastagi: %s is neither a loopback address nor a Unix socket, and FastAGI has no authentication", address)
}

// accept takes connections until the listener is closed.
func (s *Server) accept(ctx context.Context, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			s.begin(conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("fastagi: %w", err)
		default: // out of file descriptors, say
			s.log.Error("cannot take a connection", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// begin serves a connection in a goroutine of its own, unless too many wait at the door.
func (s *Server) begin(conn net.Conn) {
	select {
	case s.door <- struct{}{}:
	default:
		s.log.Warn("a connection was refused", "err", "too many have not shown their nonce")
		conn.Close()
		return
	}
	s.calls.open(conn)
	go func() {
		defer s.calls.closed(conn)
		s.serve(conn)
	}()
}
