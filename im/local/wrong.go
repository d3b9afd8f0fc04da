package local

import (
	"errors"
	"time"
)

// How many numbers that nobody has a user may write to before he is told of every strange one that it is nobody's.
const (
	maxMisdials = 20
	misdialDay  = 24 * time.Hour // from the first of them
)

var errNobody = errors.New("nobody has this number")

// misdials are the wrong numbers of one user.
type misdials struct {
	since time.Time
	n     int
}

// mayTry tells whether the user may find out if somebody has a number. One that has written
// to him is known; what he wrote himself says nothing, for it is in his log also when it was refused.
func (s *Service) mayTry(c *Conn, number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.contacts[number].Wrote || number == c.user {
		return true
	}
	m := s.wrong[c.user]
	return m.n < maxMisdials || s.now().Sub(m.since) >= misdialDay
}

// wrongNumber counts a number that nobody has.
func (s *Service) wrongNumber(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.wrong[user]
	if now := s.now(); m.n == 0 || now.Sub(m.since) >= misdialDay {
		m = misdials{since: now}
	}
	m.n++
	if s.wrong == nil {
		s.wrong = make(map[string]misdials)
	}
	s.wrong[user] = m
}
