package presence

import (
	"context"
	"time"
)

// settleTime is how long after the session's beginning a client waits for the external logins. Whoever logs in wants to be
// told of what waits there, but not to wait for a network that is away.
const settleTime = 2500 * time.Millisecond

// awaitSettled waits until every external login has brought what waited at its network, or has failed, and that is stored;
// at most settleTime after the session began.
func (s *Session) awaitSettled(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, s.begun.Add(settleTime))
	defer cancel()
	if ctx.Err() != nil {
		return
	}
	settled := make(chan struct{})
	if !s.post(func() { s.waiters = append(s.waiters, settled); s.checkSettled() }) {
		return
	}
	select {
	case <-settled:
		s.recorder.drain(settleTime)
	case <-s.dying:
	case <-ctx.Done():
	}
}

// checkSettled lets those go on who wait for the external logins. Only the session's goroutine calls it.
func (s *Session) checkSettled() {
	for _, u := range s.uplinks {
		if u.state == stateConnecting || u.state == stateOnline && !u.synced {
			return
		}
	}
	for _, w := range s.waiters {
		close(w)
	}
	s.waiters = nil
}
