package presence

import (
	"context"
	mathrand "math/rand/v2"
	"slices"

	"hark/sessions"
)

// lookAround reads who the other nodes are and acts on it: it drains this one, or takes over what a dead one left
// behind. It sweeps in any case when due is set, and tells whether it swept.
func (s *Server) lookAround(ctx context.Context, due bool) bool {
	nodes, err := s.Sessions.Nodes(ctx)
	if err != nil {
		s.Log.Warn("presence: cannot list the nodes", "err", err)
		return false
	}
	drain := slices.ContainsFunc(nodes, func(n sessions.Node) bool { return n.Name == s.Name && n.Draining })
	if s.drained.Swap(drain) != drain {
		s.Log.Info("presence: draining", "node", s.Name, "on", drain)
	}
	if drain {
		s.drain(ctx, nodes)
		return false
	}
	if due || s.missed.Swap(false) {
		s.reclaim(ctx)
	} else if !slices.ContainsFunc(nodes, s.left) {
		return false
	}
	s.adopt(ctx, 1+len(s.takers(nodes)))
	return true
}

// left tells whether a node is dead and has left sessions behind.
func (s *Server) left(n sessions.Node) bool { return !n.Alive && n.Sessions > 0 && n.Name != s.Name }

// arrive opens a session that another node has handed to this one.
func (s *Server) arrive(ctx context.Context, user string) {
	life := s.node.Load()
	record, err := s.Sessions.Lookup(ctx, user)
	if err != nil || life == nil || record.Node != s.Name || record.Inc != life.inc {
		return
	}
	s.reopen(ctx, []sessions.Record{record})
}

// shuffled mixes what several nodes want at the same time, so that they do not all begin with the same.
func shuffled(records []sessions.Record) []sessions.Record {
	mathrand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return records
}
