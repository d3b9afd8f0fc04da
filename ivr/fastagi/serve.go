package fastagi

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"runtime/debug"
	"time"

	"hark/ivr"
)

const (
	// doorTime is how long a connection has to tell what it is and to show its nonce.
	doorTime = 5 * time.Second
	// nonceVariable is the channel variable, or global one, that can hold the nonce instead of AGI's argument.
	nonceVariable = "HARK_NONCE"
)

var (
	errNonce = errors.New("fastagi: the nonce does not match, or there is none")
	errPanic = errors.New("fastagi: Handle panicked")
)

// serve is a connection from its beginning to its end.
func (s *Server) serve(conn net.Conn) {
	w, err := s.enter(conn)
	<-s.door
	if err != nil {
		s.log.Warn("a connection was refused", "err", err)
		return
	}
	l := newLine(s, w)
	if !s.calls.admit(conn, l, s.MaxCalls) {
		s.log.Warn("a call was let through to the dialplan", "call", l.id, "calls", s.calls.count())
		return
	}
	s.log.Info("call", "call", l.id, "called", l.called)
	err = s.handle(l)
	switch cause := context.Cause(l.ctx); {
	case cause != nil:
	case err != nil:
		s.log.Error("a call failed and goes on in the dialplan", "call", l.id, "err", err)
	default:
		_ = l.Hangup(l.ctx) // logs its failure itself
	}
	l.end(ivr.ErrHangup)
	l.attend()
	s.log.Info("call ended", "call", l.id, "cause", context.Cause(l.ctx))
}

// enter reads what a connection tells about itself, and lets it in when it shows the nonce.
func (s *Server) enter(conn net.Conn) (*wire, error) {
	if err := conn.SetDeadline(time.Now().Add(doorTime)); err != nil {
		return nil, err
	}
	w := newWire(conn)
	shown := w.variable("agi_arg_1")
	if shown == "" && w.variable("agi_uniqueid") != "" {
		r, err := w.do("GET VARIABLE "+nonceVariable, 0)
		if err != nil {
			return nil, err
		}
		shown = r.note
	}
	if subtle.ConstantTimeCompare([]byte(shown), []byte(s.Nonce)) != 1 {
		return nil, errNonce
	}
	return w, nil
}

// handle runs Handle; its panic ends this call only.
func (s *Server) handle(l *Line) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a call panicked", "call", l.id, "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return s.Handle(l.ctx, l)
}
