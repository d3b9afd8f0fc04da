package stasis

import "sync"

// maxNotes is where a call's queue ends: a dialogue that has not looked for so long, while somebody keeps pressing keys,
// will not look any more. The call is ended then; a note is never lost from a call that goes on.
const maxNotes = 10_000

// A queue holds the notes of one call, in order. put may be called from any goroutine and never blocks; take is for the
// call's own goroutine.
type queue struct {
	mu    sync.Mutex
	notes []note
	ready chan struct{} // holds one token when there may be notes
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// put appends a note; false says that the queue is full.
func (q *queue) put(n note) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.notes) >= maxNotes {
		return false
	}
	q.notes = append(q.notes, n)
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// take removes the oldest note; false says that there is none.
func (q *queue) take() (note, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.notes) == 0 {
		return note{}, false
	}
	n := q.notes[0]
	q.notes = q.notes[1:]
	return n, true
}
