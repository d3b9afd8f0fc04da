package presence

import (
	"context"
	"errors"
	"math"

	"hark/presence/wire"
	"hark/sessions"
)

// A level is the session's knowledge that the count of waiting messages must be read again and told. It is owned by the
// session's goroutine; at most one reading goes on at a time, so that any number of messages cost few readings.
type level struct {
	stale   bool // something changed since the reading began
	owner   bool // the record may have changed, too
	reading bool
}

// changed says that another node may have changed the user's log or the session's record.
func (s *Session) changed() {
	s.post(func() {
		s.level.owner = true
		s.changedLevel()
	})
}

// changedLevel has the level read and told. Only the session's goroutine calls it.
func (s *Session) changedLevel() {
	s.level.stale = true
	if s.level.reading || len(s.clients) == 0 && !s.level.owner {
		return
	}
	kinds, owner := s.clientKinds(), s.level.owner
	s.level = level{reading: true}
	s.tasks.Go(func() {
		levels := s.readLevels(kinds, owner)
		s.post(func() { s.tellLevels(levels) })
	})
}

// clientKinds lists the kinds of the attached clients. Only the session's goroutine calls it.
func (s *Session) clientKinds() map[string]bool {
	kinds := make(map[string]bool)
	for c := range s.clients {
		kinds[c.client] = true
	}
	return kinds
}

// readLevels reads how much waits for each kind of client; and first, when owner is set, whether the session still is
// ours.
func (s *Session) readLevels(kinds map[string]bool, owner bool) map[string]wire.ExistsEvent {
	ctx, cancel := context.WithTimeout(s.ctx, requestTimeout)
	defer cancel()
	if owner && !s.stillOurs(ctx) {
		return nil
	}
	levels := make(map[string]wire.ExistsEvent)
	last := s.lastSeq(ctx)
	for kind := range kinds {
		n, _, err := s.server.Sessions.Waiting(ctx, s.user, kind)
		if err != nil {
			s.log.Warn("presence: cannot count what waits", "user", s.user, "err", err)
			continue
		}
		levels[kind] = wire.ExistsEvent{Waiting: n, Last: last}
	}
	return levels
}

// lastSeq is the number of the newest incoming message, 0 when there is none.
func (s *Session) lastSeq(ctx context.Context) int64 {
	newest, err := s.server.Sessions.Read(ctx, s.user, sessions.Query{Before: math.MaxInt64, Max: 1, In: true})
	if err != nil || len(newest) == 0 {
		return 0
	}
	return int64(newest[0].Seq)
}

// stillOurs looks at the record, and ends the session when it has ended or moved.
func (s *Session) stillOurs(ctx context.Context) bool {
	record, err := s.server.Sessions.Lookup(ctx, s.user)
	switch {
	case errors.Is(err, sessions.ErrNotFound):
		s.end(endingOver)
		return false
	case err == nil && record.Epoch > s.epoch:
		s.fenced()
		return false
	}
	return true
}

// tellLevels tells the clients, and reads again if something changed meanwhile. Only the session's goroutine calls it.
func (s *Session) tellLevels(levels map[string]wire.ExistsEvent) {
	s.level.reading = false
	for c := range s.clients {
		if level, ok := levels[c.client]; ok {
			c.exists(level)
		}
	}
	if s.level.stale {
		s.changedLevel()
	}
}
