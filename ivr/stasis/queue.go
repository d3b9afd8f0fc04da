package stasis

import (
	"strings"
	"sync"
)

// maxNotes is where a call's queue ends: a dialogue that has not looked for so long, while somebody keeps pressing keys,
// will not look any more. The call is ended then; a note is never lost from a call that goes on.
const maxNotes = 10_000

// A queue holds the notes of one call, in order. put may be called from any goroutine and never blocks; take is for the
// call's own goroutine.
type queue struct {
	mu    sync.Mutex
	notes []note
	lying int           // so many keys more wake nobody
	but   string        // but for these
	ready chan struct{} // holds one token when there may be notes that matter now
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
	if n.kind == keyPressed && q.lying > 0 && strings.IndexByte(q.but, n.key) < 0 {
		q.lying--
		return true
	}
	q.lying = 0
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// letLie lets up to so many keys that come now lie until somebody looks: they wake nobody, up to the first note of another
// kind, or key of but. It holds until the next letLie.
func (q *queue) letLie(keys int, but string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lying, q.but = keys, but
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
