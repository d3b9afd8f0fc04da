package presence

import (
	"context"
	"time"

	"hark/sessions"
)

const (
	sweepEvery  = 30 * time.Second // for orphans, half of it up or down
	sweepMax    = 64               // orphans at a time
	upkeepEvery = time.Hour        // for retention and idle sessions
)

// restore opens the sessions again that this node owned in an earlier incarnation, and those that have no owner, one
// after the other.
func (s *Server) restore(ctx context.Context) {
	owned, err := s.Sessions.Owned(ctx, s.Name)
	if err != nil {
		s.Log.Error("presence: cannot list the sessions of before", "err", err)
		return
	}
	s.reopen(ctx, owned)
	s.adopt(ctx)
}

// sweep takes over the sessions of dead nodes, so that they go on receiving although nobody is looking at them, and
// does the hourly upkeep.
func (s *Server) sweep(ctx context.Context) {
	upkeep := time.Now()
	for s.sleep(ctx, sweepEvery/2+s.Jitter(sweepEvery)) {
		if s.node.Load() == nil {
			continue
		}
		s.adopt(ctx)
		if time.Since(upkeep) >= upkeepEvery {
			upkeep = time.Now()
			s.upkeep(ctx)
		}
	}
}

// adopt opens the sessions that have no living owner, as long as there are any.
func (s *Server) adopt(ctx context.Context) {
	for {
		orphans, err := s.Sessions.Orphans(ctx, sweepMax)
		if err != nil {
			s.Log.Warn("presence: cannot list orphans", "err", err)
		}
		if opened := s.reopen(ctx, orphans); opened == 0 || len(orphans) < sweepMax {
			return
		}
	}
}

// reopen opens sessions, paced, so that a restart does not storm the external services. It returns how many it opened.
func (s *Server) reopen(ctx context.Context, records []sessions.Record) (opened int) {
	for _, r := range records {
		if _, _, err := s.open(ctx, r.User); err != nil {
			s.Log.Warn("presence: session not opened again", "user", r.User, "err", err)
		} else {
			opened++
		}
		if !s.sleep(ctx, s.RestorePace) {
			break
		}
	}
	return opened
}

// sleep waits; false means that there is nothing to wait for any more.
func (s *Server) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.base.Done():
	}
	return false
}

// upkeep drops old messages and ends sessions that nobody used for a long time.
func (s *Server) upkeep(ctx context.Context) {
	dropped, err := s.Sessions.Retain(ctx, "", sessions.Retention{})
	s.Log.Info("presence: retention", "dropped", dropped, "err", err)
	for _, session := range s.live(sessions.Change{Resync: true}) {
		session.post(func() {
			if len(session.clients) == 0 && time.Since(session.used) > s.SessionIdle {
				session.end(endingOver)
			}
		})
	}
}
