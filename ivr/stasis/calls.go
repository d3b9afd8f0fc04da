package stasis

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// calls are the calls in progress, by channel. Its methods may be called from any goroutine.
type calls struct {
	mu        sync.Mutex
	byChannel map[string]*Line
	lent      map[string]*Line     // the calls that dialled, by the channel of the other side
	coming    map[string]*outgoing // calls that Hark makes
	running   int                  // goroutines: a call whose channel was given to a new call still runs for a moment
	refusing  bool                 // no new ones
	changed   chan struct{}

	aborted context.Context // ends when nobody wants to wait any more
	abort   context.CancelFunc
}

func (c *calls) init() {
	c.byChannel, c.lent = make(map[string]*Line), make(map[string]*Line)
	c.coming = make(map[string]*outgoing)
	c.changed = make(chan struct{})
	c.aborted, c.abort = context.WithCancel(context.Background())
}

func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

func (c *calls) get(channel string) *Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byChannel[channel]
}

// lend has what is told of a dialled channel told to a call, until takeBack.
func (c *calls) lend(channel string, l *Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lent[channel] = l
}

func (c *calls) takeBack(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lent, channel)
}

// lentTo is the call that dialled a channel, or nil.
func (c *calls) lentTo(channel string) *Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lent[channel]
}

// snapshot is the calls of this moment.
func (c *calls) snapshot() []*Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*Line, 0, len(c.byChannel))
	for _, l := range c.byChannel {
		all = append(all, l)
	}
	return all
}

// An admission is what becomes of a channel that asks to be a call.
type admission int

const (
	admitted admission = iota
	known              // it is a call already
	refused            // too many, or shutting down
)

// admit makes a call of the line, unless there are limit already. The caller starts its goroutine, which calls done.
func (c *calls) admit(l *Line, limit int) admission {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byChannel[l.id]; old != nil && old.ctx.Err() == nil {
		return known
	}
	if c.refusing || c.running >= limit {
		return refused
	}
	c.byChannel[l.id] = l
	c.running++
	return admitted
}

// done takes the call out.
func (c *calls) done(l *Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byChannel[l.id] == l {
		delete(c.byChannel, l.id)
	}
	c.running--
	close(c.changed)
	c.changed = make(chan struct{})
}

// refuse lets no new call in from now on.
func (c *calls) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = true
}

// endAll ends every call with a cause.
func (c *calls) endAll(cause error) {
	for _, l := range c.snapshot() {
		l.end(cause)
	}
}

// wait waits until no call runs, at most for d; the error tells how many are left.
func (c *calls) wait(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		c.mu.Lock()
		n, changed := c.running, c.changed
		c.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("stasis: %d calls did not end in time", n)
		}
	}
}
