package ivr

import (
	"context"
	"slices"

	"hark/presence/wire"
)

// mostMarked bounds a list of marks, to as many messages as a session holds; the oldest go first.
const mostMarked = 1000

// marked are numbers of messages that the presence server keeps in a fact. Another call of the same user may change them at
// the same time, so what this call did to them is the difference between list and kept.
type marked struct {
	list []int64 // as this call has them
	kept []int64 // as the server had them when this call asked last
}

func (m *marked) has(seq int64) bool { return slices.Contains(m.list, seq) }

func (m *marked) add(seq int64) {
	if !m.has(seq) {
		m.list = append(m.list, seq)
	}
}

func (m *marked) drop(which func(seq int64) bool) { m.list = slices.DeleteFunc(m.list, which) }

// keep does at the server what was done here, and takes over what was done there.
func (m *marked) keep(ctx context.Context, s Messenger, key string) error {
	if slices.Equal(m.list, m.kept) {
		return nil
	}
	var stored, merged []int64
	err := s.ChangeState(ctx, wire.State, key, &stored, func() any {
		merged = m.merge(stored)
		if len(merged) == 0 {
			return nil
		}
		return merged
	})
	if err == nil {
		m.list, m.kept = merged, slices.Clone(merged)
	}
	return err
}

// merge does to the stored marks what made list of kept.
func (m *marked) merge(stored []int64) []int64 {
	merged := slices.DeleteFunc(slices.Clone(stored), func(seq int64) bool {
		return slices.Contains(m.kept, seq) && !slices.Contains(m.list, seq)
	})
	for _, seq := range m.list {
		if !slices.Contains(m.kept, seq) && !slices.Contains(merged, seq) {
			merged = append(merged, seq)
		}
	}
	return merged[max(0, len(merged)-mostMarked):]
}
