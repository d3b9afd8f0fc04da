package accounts

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// gates let one attempt at an account through at a time, and make all that arrive before it has failed part of its
// failure: 30 PINs in one breath are one try.
type gates struct {
	mu   sync.Mutex
	open map[string]*gate
}

type gate struct {
	key      string
	waiting  int // attempts at this gate, guarded by gates.mu
	failures atomic.Int64
	turn     chan struct{} // holds a token while nobody is inside
}

func newGates() *gates { return &gates{open: map[string]*gate{}} }

// arrive returns the gate of the account's bucket; leave must follow.
func (g *gates) arrive(user, bucket string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := user + "\x00" + bucket
	at := g.open[key]
	if at == nil {
		at = &gate{key: key, turn: make(chan struct{}, 1)}
		at.turn <- struct{}{}
		g.open[key] = at
	}
	at.waiting++
	return at
}

func (g *gates) leave(at *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at.waiting--; at.waiting == 0 {
		delete(g.open, at.key)
	}
}

// pass runs try when it is the caller's turn, unless another attempt that was there before has failed meanwhile.
func (g *gates) pass(ctx context.Context, user, bucket string, try func() error) error {
	at := g.arrive(user, bucket)
	defer g.leave(at)
	seen := at.failures.Load()
	select {
	case <-at.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { at.turn <- struct{}{} }()
	if at.failures.Load() != seen {
		return errBreath
	}
	err := try()
	if errors.Is(err, ErrRefused) {
		at.failures.Add(1)
	}
	return err
}
