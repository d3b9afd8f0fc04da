package presence

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

// drain hands all sessions to other nodes, paced. When there is no other node they stay.
func (s *Server) drain(ctx context.Context, nodes []sessions.Node) {
	next := spread(s.takers(nodes))
	for _, session := range s.live(sessions.Change{Resync: true}) {
		if e := next(); e.to != "" {
			session.end(e)
		}
		if !s.sleep(ctx, s.RestorePace) {
			return
		}
	}
}

// others lists the nodes that can take this one's sessions, the one with the fewest sessions first.
func (s *Server) others(ctx context.Context) []sessions.Node {
	if s.node.Load() == nil {
		return nil
	}
	nodes, err := s.Sessions.Nodes(ctx)
	if err != nil {
		s.Log.Warn("presence: cannot list the nodes", "err", err)
	}
	return s.takers(nodes)
}

// takers are those of the nodes that can take this one's sessions, the one with the fewest sessions first.
func (s *Server) takers(nodes []sessions.Node) []sessions.Node {
	list := slices.DeleteFunc(slices.Clone(nodes), func(n sessions.Node) bool {
		return n.Name == s.Name || !n.Alive || n.Draining
	})
	slices.SortFunc(list, func(a, b sessions.Node) int { return cmp.Compare(a.Sessions, b.Sessions) })
	return list
}

// spread makes the endings that hand one session after the other to the nodes in turn; without nodes they release.
func spread(nodes []sessions.Node) func() ending {
	i := -1
	return func() ending {
		if len(nodes) == 0 {
			return ending{how: im.Keep, release: true, bye: byeStopping}
		}
		i = (i + 1) % len(nodes)
		return ending{how: im.Keep, to: nodes[i].Name, bye: byeStopping}
	}
}

// passOn hands a session that was claimed here, though this node is to be empty, to another one, and refers to it; nil
// when there is no other: then it has to be served here.
func (s *Server) passOn(ctx context.Context, user string, epoch sessions.Epoch) error {
	others := s.others(ctx)
	if len(others) == 0 {
		return nil
	}
	if _, err := s.Sessions.Transfer(ctx, user, epoch, others[0].Name); err != nil {
		return err
	}
	owner, err := s.Sessions.Lookup(ctx, user)
	if err != nil {
		return err
	}
	return s.refer(ctx, owner)
}

// handOver gives the session to another node and tells every client how to follow. When that node has died meanwhile
// the session is released, for anybody to take.
func (s *Session) handOver(e ending) {
	ctx, cancel := context.WithTimeout(s.ctx, closeTimeout)
	defer cancel()
	_, err := s.server.Sessions.Transfer(ctx, s.user, s.epoch, e.to)
	if err != nil {
		s.log.Warn("presence: session not handed over", "user", s.user, "to", e.to, "err", err)
		if !errors.Is(err, sessions.ErrFenced) {
			s.settle("release", s.server.Sessions.Release)
		}
		s.sayBye(e.bye)
		return
	}
	owner, err := s.server.Sessions.Lookup(ctx, s.user)
	for c := range s.clients {
		c.bye(s.referred(ctx, owner, err, e.bye))
	}
}

// referred is the last word to one client: a referral with a ticket of its own, or else what is said instead.
func (s *Session) referred(ctx context.Context, owner sessions.Record, err error, instead wire.ByeEvent) wire.ByeEvent {
	if err != nil {
		return instead
	}
	refusal, ok := errors.AsType[*Error](s.server.refer(ctx, owner))
	if !ok || refusal.Code != wire.Referral {
		return instead
	}
	return wire.ByeEvent{Code: refusal.Code, Arg: refusal.Arg, Text: refusal.Text}
}
