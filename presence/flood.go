package presence

import (
	"sync"
	"time"
)

// A bucket lets a user send a few messages at once and then one at a time (threat T13). The zero value is full. It is
// the session's, so that more clients of one user do not have more.
type bucket struct {
	mu    sync.Mutex
	empty time.Time // when the bucket, filled with one message every so often, would have been empty
}

// take takes one message out of a bucket that gains one every so often and holds most; false when there is none.
func (b *bucket) take(every time.Duration, most int) bool {
	if every < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if full := now.Add(-time.Duration(most) * every); b.empty.Before(full) {
		b.empty = full
	}
	if now.Sub(b.empty) < every {
		return false
	}
	b.empty = b.empty.Add(every)
	return true
}
