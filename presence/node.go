package presence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/im"
	"hark/sessions"
)

// A nodeLife is one incarnation of the node, with the start of its last good beat (monotonic).
type nodeLife struct {
	inc  sessions.Incarnation
	good time.Time
}

// Run starts the node and keeps its lease; it claims the sessions that the node owned before and opens them again, and
// tells sessions what other nodes did. It returns when ctx has ended and the server is shut down, or when the node
// cannot be started (sessions.ErrInUse).
func (s *Server) Run(ctx context.Context) error {
	s.setup()
	if err := s.startNode(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := s.Sessions.Watch(ctx, s.Name)
	if err != nil {
		return errors.Join(fmt.Errorf("presence: %w", err), s.Shutdown(context.WithoutCancel(ctx)))
	}
	for _, task := range []func(){
		func() { s.beat(ctx) },
		func() { s.watch(ctx, changes) },
		func() { s.restore(ctx); s.sweep(ctx) },
	} {
		if s.start(task) != nil {
			break // Shutdown came first
		}
	}
	select {
	case <-ctx.Done():
	case <-s.base.Done():
		cancel()
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), s.StopTimeout)
	defer done()
	return s.Shutdown(stop)
}

// startNode begins an incarnation.
func (s *Server) startNode(ctx context.Context) error {
	start := time.Now()
	inc, err := s.Sessions.StartNode(ctx, s.Name, s.Addr, s.Lease)
	if err != nil {
		return fmt.Errorf("presence: node %s cannot start: %w", s.Name, err)
	}
	s.node.Store(&nodeLife{inc: inc, good: start})
	s.mu.Lock()
	close(s.up)
	s.mu.Unlock()
	s.Log.Info("presence: node is up", "node", s.Name, "incarnation", inc)
	return nil
}

// stopNode gives up the lease.
func (s *Server) stopNode(ctx context.Context) error {
	life := s.node.Swap(nil)
	if life == nil {
		return nil
	}
	return s.Sessions.StopNode(ctx, s.Name, life.inc)
}

// holds tells whether the node's lease is beyond doubt: nobody else can own its sessions yet. Whoever relays asks first.
func (s *Server) holds() bool {
	life := s.node.Load()
	return life != nil && time.Since(life.good) <= s.Lease-sessions.Grace
}

// incarnation waits until the node is up.
func (s *Server) incarnation(ctx context.Context) (sessions.Incarnation, error) {
	for {
		s.mu.Lock()
		up := s.up
		s.mu.Unlock()
		select {
		case <-up:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-s.base.Done():
			return 0, errStopping
		}
		if life := s.node.Load(); life != nil {
			return life.inc, nil
		}
	}
}

// errDoubt is why a server lets go although the database did not say anything.
var errDoubt = errors.New("presence: no good beat for too long")

// errEarly is why a server lets go although its last beat was in time.
var errEarly = errors.New("presence: the lease ended early: another process has this node's name (each node needs its own), or the node was said to be dead, or this machine slept")

// beat renews the lease until ctx ends. It lets go of everything the moment the lease is in doubt, and begins anew.
func (s *Server) beat(ctx context.Context) {
	ticker := time.NewTicker(s.BeatEvery)
	defer ticker.Stop()
	doubt := time.NewTimer(s.certain())
	defer doubt.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.base.Done():
			return
		case <-doubt.C:
			s.fence(errDoubt)
			continue
		case <-ticker.C:
		}
		if s.node.Load() == nil {
			s.comeBack(ctx)
		} else if err := s.beatOnce(ctx); errors.Is(err, sessions.ErrLapsed) {
			s.fence(fmt.Errorf("%w: %w", errEarly, err))
		}
		doubt.Reset(s.certain())
	}
}

// certain is for how long from now the lease is beyond doubt.
func (s *Server) certain() time.Duration {
	life := s.node.Load()
	if life == nil {
		return s.Lease
	}
	return time.Until(life.good.Add(s.Lease - sessions.Grace))
}

// beatOnce renews the lease, and gives up when it would be too late to be of use.
func (s *Server) beatOnce(ctx context.Context) error {
	life := s.node.Load()
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, life.good.Add(s.Lease-sessions.Grace))
	defer cancel()
	if err := s.Sessions.Beat(ctx, s.Name, life.inc, s.Lease); err != nil {
		s.Log.Warn("presence: heartbeat failed", "node", s.Name, "err", err)
		return err
	}
	s.node.Store(&nodeLife{inc: life.inc, good: start})
	return nil
}

// fence lets go of all sessions because the lease is lost or in doubt. The external logins stay resumable for whoever
// owns the sessions next.
func (s *Server) fence(cause error) {
	if s.node.Swap(nil) == nil {
		return
	}
	s.Log.Error("presence: the node's lease is lost: letting go of all sessions", "node", s.Name, "err", cause)
	s.mu.Lock()
	s.up = make(chan struct{})
	s.mu.Unlock()
	s.endAll(func() ending { return ending{how: im.Keep, bye: byeFenced} })
}

// comeBack starts the node again after a fence, with its old sessions.
func (s *Server) comeBack(ctx context.Context) {
	attempt, cancel := context.WithTimeout(ctx, s.BeatEvery)
	defer cancel()
	if err := s.startNode(attempt); err != nil {
		s.Log.Warn("presence: still down", "err", err)
		return
	}
	_ = s.start(func() { s.restore(ctx) }) // unless it is stopping
}

// watch passes on what other nodes did, and has the sessions opened that they handed to this one: beside it and one after the
// other, since a node that is emptied hands over many, and what others did must not wait for that.
func (s *Server) watch(ctx context.Context, changes <-chan sessions.Change) {
	var arrivals mailbox
	for change := range changes {
		open := s.live(change)
		for _, session := range open {
			session.changed()
		}
		switch {
		case change.Resync:
			s.missed.Store(true)
		case len(open) == 0 && s.hold() == nil:
			arrivals.post(func() {
				defer s.tasks.Done()
				s.arrive(ctx, change.User)
			})
		}
	}
}

// live returns the open sessions that a change is about.
func (s *Server) live(change sessions.Change) []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !change.Resync {
		return appendOpen(nil, s.sessions[change.User])
	}
	var all []*Session
	for _, slot := range s.sessions {
		all = appendOpen(all, slot)
	}
	return all
}
