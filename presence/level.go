package presence

import (
	"context"
	"errors"

	"hark/presence/wire"
	"hark/sessions"
)

// A level is what the session knows of the count of waiting messages. It is owned by the session's goroutine. What this
// session stores is counted; after anything else the count is read again. At most one reading goes on at a time, so that
// any number of changes cost few readings.
type level struct {
	stale   bool // something changed since the reading began
	owner   bool // the record may have changed, too
	reading bool

	known map[string]wire.ExistsEvent // by client kind
	came  []sessions.Seq              // stored since the reading began
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
	s.level.stale, s.level.known = true, nil
	if s.level.reading || len(s.clients) == 0 && !s.level.owner {
		return
	}
	kinds, owner := s.clientKinds(), s.level.owner
	s.level = level{reading: true}
	s.tasks.Go(func() {
		levels := s.readLevels(kinds, owner)
		s.post(func() { s.levelsRead(levels) })
	})
}

// stored tells of incoming messages that this session has stored. Only the session's goroutine calls it.
func (s *Session) stored(seqs []sessions.Seq) {
	switch {
	case s.level.reading:
		s.level.came = append(s.level.came, seqs...)
	case s.allKnown():
		s.level.count(seqs)
		s.tellLevels()
	default:
		s.changedLevel()
	}
}

// allKnown tells whether the level of every attached client is known. Only the session's goroutine calls it.
func (s *Session) allKnown() bool {
	for c := range s.clients {
		if _, ok := s.level.known[c.client]; !ok {
			return false
		}
	}
	return !s.level.stale
}

// count adds messages to the levels that were known before they came. A number that a level has seen already is that of
// a message that came twice, or before the level was read.
func (l *level) count(seqs []sessions.Seq) {
	for kind, known := range l.known {
		for _, seq := range seqs {
			if int64(seq) > known.Last {
				known.Waiting++
				known.Last = int64(seq)
			}
		}
		l.known[kind] = known
	}
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
	for kind := range kinds {
		w, err := s.server.Sessions.Waiting(ctx, s.user, kind)
		if err != nil {
			s.log.Warn("presence: cannot count what waits", "user", s.user, "err", err)
			continue
		}
		levels[kind] = wire.ExistsEvent{Waiting: w.Count, Last: int64(w.Last)}
	}
	return levels
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

// levelsRead takes in what was read, tells it, and reads again if something changed meanwhile. Only the session's
// goroutine calls it.
func (s *Session) levelsRead(levels map[string]wire.ExistsEvent) {
	l := &s.level
	l.known, l.reading = levels, false
	l.count(l.came)
	l.came = nil
	s.tellLevels()
	if l.stale {
		s.changedLevel()
	}
}

// tellLevels tells the clients what is known. Only the session's goroutine calls it.
func (s *Session) tellLevels() {
	for c := range s.clients {
		if level, ok := s.level.known[c.client]; ok {
			c.exists(level)
		}
	}
}
