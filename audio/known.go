package audio

import (
	"context"
	"sync"
	"time"
)

const (
	// knownFor is how long a description that was read is believed: a revocation by another process counts that much
	// later. Together with a stream's recheck it stays under the second that is promised.
	knownFor = 300 * time.Millisecond
	knownMax = 1000
)

// known remembers descriptions for a moment: a player that seeks asks for many ranges of one recording. What is not
// there is not remembered. Time is the machine's monotonic clock, not the store's.
type known struct {
	mu        sync.Mutex
	by        map[string]knownRecording // by object key
	forgotten int                       // how often something was forgotten
}

type knownRecording struct {
	rec  Recording
	read time.Time
}

// get returns what is remembered, and for a later put how often something was forgotten until now.
func (k *known) get(key string) (rec Recording, ok bool, forgotten int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.by[key]
	return e.rec, ok && time.Since(e.read) < knownFor, k.forgotten
}

// put remembers what was read at that time or later, unless something was forgotten since get: it could be just that.
func (k *known) put(key string, e knownRecording, forgotten int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if forgotten != k.forgotten {
		return
	}
	if k.by == nil || len(k.by) >= knownMax {
		k.by = make(map[string]knownRecording)
	}
	k.by[key] = e
}

func (k *known) forget(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgotten++
	delete(k.by, key)
}

// look is load, for those who may learn of another process's revocation a moment late.
func (s *Store) look(ctx context.Context, key string) (Recording, error) {
	rec, ok, forgotten := s.known.get(key)
	if ok {
		return rec, nil
	}
	read := time.Now()
	rec, err := load(ctx, s.backend, key)
	if err == nil {
		s.known.put(key, knownRecording{rec, read}, forgotten)
	}
	return rec, err
}
