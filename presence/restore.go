package presence

import (
	"context"
	"time"

	"hark/presence/wire"
	"hark/sessions"
)

const (
	sweepEvery  = 30 * time.Second // for orphans, at the latest
	sweepMax    = 64               // orphans at a time
	upkeepEvery = time.Hour        // for retention and idle sessions
)

// restore opens the sessions again that this node owned in an earlier incarnation, and those that have no owner, one
// after the other.
func (s *Server) restore(ctx context.Context) {
	s.reclaim(ctx)
	s.adopt(ctx, 1)
}

// reclaim opens the sessions that the node owns and that are not open.
func (s *Server) reclaim(ctx context.Context) {
	owned, err := s.Sessions.Owned(ctx, s.Name)
	if err != nil {
		if ctx.Err() == nil { // else it was stopped while it started
			s.Log.Error("presence: cannot list this node's own sessions", "err", err)
		}
		s.missed.Store(true)
		return
	}
	s.reopen(ctx, owned)
}

// sweep looks around, about twice as often as the node beats: it moves the sessions away when the node is to be drained,
// takes over those of dead nodes, so that they go on receiving although nobody is looking at them, and does the hourly
// upkeep.
func (s *Server) sweep(ctx context.Context) {
	upkeep, swept := time.Now(), time.Now()
	every := min(s.BeatEvery/2, sweepEvery)
	for s.sleep(ctx, every/2+s.Jitter(every)) {
		if s.node.Load() == nil {
			continue
		}
		if s.lookAround(ctx, time.Since(swept) >= sweepEvery) {
			swept = time.Now()
		}
		if time.Since(upkeep) >= upkeepEvery {
			upkeep = time.Now()
			s.upkeep(ctx)
		}
	}
}

// adopt opens the sessions that have no living owner, as long as there are any. Of those it finds it takes the share of
// one of so many nodes and then looks again, so that the others have time for theirs.
func (s *Server) adopt(ctx context.Context, nodes int) {
	for {
		orphans, err := s.Sessions.Orphans(ctx, sweepMax)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("presence: cannot list orphans", "err", err)
		}
		share := (len(orphans) + nodes - 1) / nodes
		opened := s.reopen(ctx, shuffled(orphans)[:share])
		if opened == 0 || share == len(orphans) && share < sweepMax {
			return
		}
		if nodes > 1 && !s.sleep(ctx, s.BeatEvery/2) {
			return
		}
	}
}

// reopen opens sessions, paced, so that a restart does not storm the external services. It returns how many it opened.
func (s *Server) reopen(ctx context.Context, records []sessions.Record) (opened int) {
	for _, r := range records {
		if len(s.live(sessions.Change{User: r.User})) > 0 {
			continue
		}
		_, _, err := s.open(ctx, r.User)
		switch {
		case err == nil:
			opened++
		case !HasCode(err, wire.Referral): // else another node was faster
			s.Log.Warn("presence: session not opened again", "user", r.User, "err", err)
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
	s.forgetBuckets()
	dropped, err := s.Sessions.Retain(ctx, "", s.Retention)
	s.Log.Info("presence: retention", "dropped", dropped, "err", err)
	for _, session := range s.live(sessions.Change{Resync: true}) {
		session.post(func() {
			session.level.known = nil // there may be less
			if len(session.clients) == 0 && time.Since(session.used) > s.SessionIdle {
				session.end(endingOver)
			}
		})
	}
}
