package presence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hark/accounts"
	"hark/presence/wire"
	"hark/sessions"
)

// claimTimeout is how long a login waits for the session database before it is told to try later (promise F6).
const claimTimeout = 3 * time.Second

// A slot is the place of one user's session in the server, from the first attempt to claim it until it has ended.
type slot struct {
	ready   chan struct{} // closed when session or err is set
	session *Session
	err     error
}

// open returns the user's session: the one that is open here, or a new object after claiming its record. resumed tells
// whether the session existed before. The error is an *Error with REFERRAL when another node owns it.
func (s *Server) open(ctx context.Context, user string) (session *Session, resumed bool, err error) {
	s.setup()
	for {
		place, mine, err := s.slot(user)
		if err != nil {
			return nil, false, err
		}
		if mine {
			return s.fill(ctx, user, place)
		}
		select {
		case <-place.ready:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		switch {
		case place.err != nil:
			return nil, false, place.err
		case !place.session.ended():
			return place.session, true, nil
		}
		select {
		case <-place.session.done: // it is just ending: wait, then claim anew
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// slot returns the user's slot; mine tells that it is new and the caller must fill it.
func (s *Server) slot(user string) (place *slot, mine bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, false, errStopping
	}
	if place := s.sessions[user]; place != nil {
		return place, false, nil
	}
	place = &slot{ready: make(chan struct{})}
	s.sessions[user] = place
	return place, true, nil
}

// fill claims the record and starts the session object.
func (s *Server) fill(ctx context.Context, user string, place *slot) (*Session, bool, error) {
	var session *Session
	var resumed bool
	err := s.hold()
	if err == nil {
		if session, resumed, err = s.begin(context.WithoutCancel(ctx), user, place); err != nil {
			s.tasks.Done()
		}
	}
	if place.session, place.err = session, err; err != nil {
		s.clear(user, place)
	}
	close(place.ready)
	return session, resumed, err
}

// clear empties a slot.
func (s *Server) clear(user string, place *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[user] == place {
		delete(s.sessions, user)
	}
}

// begin claims the record and makes the session object with its external logins. The server must have been held for it.
func (s *Server) begin(ctx context.Context, user string, place *slot) (*Session, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	grant, err := s.claim(ctx, user)
	if err != nil {
		return nil, false, err
	}
	if s.drained.Load() {
		if err := s.passOn(ctx, user, grant.Epoch); err != nil {
			return nil, false, err
		}
	}
	logins, err := s.Accounts.Logins(ctx, user)
	if err != nil {
		return nil, false, fmt.Errorf("presence: the external logins: %w", err)
	}
	status, err := s.savedStatus(ctx, user)
	if err != nil {
		return nil, false, err
	}
	return newSession(s, user, place, grant.Epoch, status, logins), grant.Resumed, nil
}

// claim makes this node the owner, or says who is.
func (s *Server) claim(ctx context.Context, user string) (sessions.Grant, error) {
	inc, err := s.incarnation(ctx)
	if err != nil {
		return sessions.Grant{}, err
	}
	for try := 0; ; try++ {
		grant, err := s.Sessions.Claim(ctx, user, newSecret(), s.Name, inc)
		held, isHeld := errors.AsType[*sessions.Held](err)
		switch {
		case !isHeld:
			return grant, err
		case held.Owner.Node == s.Name && held.Owner.Inc == inc:
			// Ours by the record, but there is no object: a release or an answer was lost.
			return sessions.Grant{Epoch: held.Owner.Epoch, Session: held.Owner.Session, Resumed: true}, nil
		case try == 0:
			// Read again: never refer to a node that would refer again.
			if owner, err := s.Sessions.Lookup(ctx, user); err == nil && owner.Alive && owner.Node == held.Owner.Node {
				return sessions.Grant{}, s.refer(ctx, owner)
			}
		default:
			return sessions.Grant{}, tryLater(time.Second)
		}
	}
}

// refer makes the NO [REFERRAL …] to the owner of a session.
func (s *Server) refer(ctx context.Context, owner sessions.Record) error {
	signer, ok := s.Accounts.(Referrer)
	scheme, host, isURL := strings.Cut(owner.Addr, "://")
	if !ok || !isURL {
		s.Log.Error("presence: cannot refer", "to", owner.Node, "addr", owner.Addr, "signer", ok)
		return tryLater(s.Lease)
	}
	ticket, err := signer.Refer(ctx, accounts.Claims{User: owner.User, Session: owner.Session, Target: owner.Node})
	if err != nil {
		return fmt.Errorf("presence: ticket for a referral: %w", err)
	}
	r := Referral{Scheme: scheme, User: owner.User, Host: strings.TrimSuffix(host, "/"), Session: owner.Session, Ticket: ticket}
	return refuse(wire.Referral, r.URL(), "your session is on "+owner.Node)
}

// appendOpen adds a slot's session if it is open.
func appendOpen(list []*Session, place *slot) []*Session {
	if place == nil {
		return list
	}
	select {
	case <-place.ready:
		if place.session != nil && place.err == nil {
			return append(list, place.session)
		}
	default:
	}
	return list
}

// endAll ends every session, each in the way that how says, and waits until they have ended.
func (s *Server) endAll(how func() ending) {
	var all sync.WaitGroup
	for _, place := range s.slots() {
		e := how()
		all.Go(func() {
			<-place.ready
			if place.err == nil {
				place.session.end(e)
				<-place.session.done
			}
		})
	}
	all.Wait()
}

func (s *Server) slots() []*slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*slot, 0, len(s.sessions))
	for _, place := range s.sessions {
		list = append(list, place)
	}
	return list
}
