package presence

import "time"

// Doubt makes the last good beat of the node older, as it is in a process that was stopped for so long and does not know it
// yet; less than nothing takes that back.
func (s *Server) Doubt(older time.Duration) {
	life := *s.node.Load()
	life.good = life.good.Add(-older)
	s.node.Store(&life)
}
