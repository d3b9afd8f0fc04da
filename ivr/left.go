package ivr

import (
	"context"
	"time"
)

// Left returns what keeps a recording that a former process left unfinished in a call which ended before this process could
// adopt it: as a draft of its caller, which the next call offers. nil when nothing is known of that call. What it returns
// is to be called once, from any goroutine; it removes the recording's file.
func (s *Server) Left(call string) (keep func(ctx context.Context, spoken Recorded)) {
	if s.Memory == nil {
		return nil
	}
	n, err := s.recall(call)
	if err != nil {
		return nil
	}
	return func(ctx context.Context, spoken Recorded) {
		c := &Call{srv: s, set: s.Settings.withDefaults(), log: s.logOf(call)}
		c.takeUp(spoken, n.recorded)
		if c.rec == nil {
			c.log.Info("a recording of a call that is over was too short to be kept")
		} else if err := c.keepLeft(ctx, n); err != nil {
			c.log.Error("a recording of a call that is over is lost", "err", err)
		}
		c.drop()
		if err := s.Memory.Forget(call); err != nil {
			c.log.Warn("a call that is over is still kept", "err", err)
		}
	}
}

// keepLeft makes a draft of the recording in hand. The presence server may have begun at the same moment as this process.
func (c *Call) keepLeft(ctx context.Context, n note) error {
	ctx, cancel := context.WithTimeout(ctx, c.set.Patience)
	defer cancel()
	for {
		err := c.attach(ctx, n)
		if err == nil {
			break
		}
		if refused(err) || !sleep(ctx, 100*time.Millisecond) {
			return err
		}
	}
	defer c.session.close()
	return c.addDraft(ctx)
}
