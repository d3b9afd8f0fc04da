package presence

import (
	"sync"
	"time"
)

// The limits on wrong session numbers and tokens (threat T4).
const (
	maxBadPerConn   = 3
	maxBadPerCaller = 10    // an hour
	maxBadPerDay    = 1_000 // on this node
)

// A guessLimit counts wrong session numbers. The zero value is ready.
type guessLimit struct {
	mu      sync.Mutex
	day     window
	callers map[string]*window
}

// A window counts from its first event on.
type window struct {
	begun time.Time
	count int
}

// add counts one event and begins anew after the span.
func (w *window) add(span time.Duration) {
	if w.over(span) {
		*w = window{begun: time.Now()}
	}
	w.count++
}

func (w *window) over(span time.Duration) bool { return time.Since(w.begun) >= span }

// full tells whether there were so many within the span.
func (w *window) full(span time.Duration, most int) bool { return !w.over(span) && w.count >= most }

// refuses tells whether the caller, or everybody, has guessed too often; then nothing is looked up.
func (g *guessLimit) refuses(caller string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.callers[caller]
	return g.day.full(24*time.Hour, maxBadPerDay) || w != nil && w.full(time.Hour, maxBadPerCaller)
}

// failed counts a wrong one. What it keeps is bounded: past the day's limit nothing is looked up, nor counted.
func (g *guessLimit) failed(caller string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.callers == nil || g.day.over(24*time.Hour) {
		g.callers = make(map[string]*window)
	}
	g.day.add(24 * time.Hour)
	if g.callers[caller] == nil {
		g.callers[caller] = &window{}
	}
	g.callers[caller].add(time.Hour)
}
