package presence

import (
	"maps"
	"sync"
	"time"
)

// A bucket lets a user send a few messages at once and then one at a time (threat T13). The zero value is full.
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

// isFull tells whether the bucket is as good as a new one.
func (b *bucket) isFull(every time.Duration, most int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.empty) >= time.Duration(most)*every
}

// bucket is a user's: more clients of one user do not have more, and logging out and in again does not fill it.
func (s *Server) bucket(user string) *bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[user]
	if b == nil {
		b = &bucket{}
		s.buckets[user] = b
	}
	return b
}

// forgetBuckets forgets those that are full.
func (s *Server) forgetBuckets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.buckets, func(_ string, b *bucket) bool { return b.isFull(s.SendEvery, s.SendBurst) })
}
