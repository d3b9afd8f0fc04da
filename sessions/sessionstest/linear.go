package sessionstest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hark/sessions"
)

var linearRules = []rule{
	{"claim, lookup and release are linearizable", linearizable},
}

// An ask is one call of a recorded history, an answer what it returned.
type (
	ask struct {
		call  string // "claim", "release", "lookup"
		node  string
		epoch sessions.Epoch // of release
	}
	answer struct {
		good  bool
		node  string // the owner, as a lookup or a refused claim tells
		epoch sessions.Epoch
	}
	// ownership is the state of the model: one user's record.
	ownership struct {
		node  string
		epoch sessions.Epoch
	}
)

// ownerModel says what one user's record does, one call after the other; all nodes are alive.
var ownerModel = porcupine.Model{
	Init: func() any { return ownership{} },
	Step: func(state, input, output any) (bool, any) {
		return step(state.(ownership), input.(ask), output.(answer))
	},
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v: %+v", input, output)
	},
}

func step(s ownership, in ask, out answer) (bool, any) {
	switch in.call {
	case "claim":
		if s.node != "" {
			return !out.good && out.node == s.node && out.epoch == s.epoch, s
		}
		next := ownership{in.node, s.epoch + 1}
		return out.good && out.epoch == next.epoch, next
	case "release":
		if in.epoch != s.epoch || s.epoch == 0 {
			return !out.good, s
		}
		return out.good, ownership{"", s.epoch}
	default:
		return out.good == (s.epoch > 0) && (!out.good || out.node == s.node && out.epoch == s.epoch), s
	}
}

// linearizable records what 8 clients on two handles see of one user, and looks for an order that explains it.
func linearizable(t *testing.T, h Harness) {
	const clients, calls, rounds = 8, 12, 6
	incs := map[string]sessions.Incarnation{}
	for c := range clients {
		node := fmt.Sprint("n", c)
		incs[node] = start(t, h.Store, node)
	}
	for round := range rounds {
		seed := rand.Uint64()
		var history []porcupine.Operation
		var mu sync.Mutex
		var wg sync.WaitGroup
		began := time.Now()
		for c := range clients {
			wg.Go(func() {
				client := client{[]sessions.Store{h.Store, h.Other}[c%2], fmt.Sprint("user", round), fmt.Sprint("n", c), incs[fmt.Sprint("n", c)], 0}
				random := rand.New(rand.NewPCG(seed, uint64(c)))
				for range calls {
					in := client.choose(random)
					called := time.Since(began)
					out, err := client.do(in)
					op := porcupine.Operation{ClientId: c, Input: in, Call: int64(called), Output: out, Return: int64(time.Since(began))}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					history = append(history, op)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if res := porcupine.CheckOperationsTimeout(ownerModel, history, time.Minute); res != porcupine.Ok {
			t.Fatalf("round %d (seed %d): %s, %v", round, seed, res, history)
		}
	}
}

// A client is one node that calls the store.
type client struct {
	store sessions.Store
	user  string
	node  string
	inc   sessions.Incarnation
	epoch sessions.Epoch // the last that it saw, its own or another's
}

func (c *client) choose(random *rand.Rand) ask {
	return ask{call: []string{"claim", "release", "lookup"}[random.IntN(3)], node: c.node, epoch: c.epoch}
}

// do makes the call; an error is one that the law does not know.
func (c *client) do(in ask) (out answer, err error) {
	switch in.call {
	case "claim":
		out, err = c.claim()
	case "release":
		err = c.store.Release(context.Background(), c.user, in.epoch)
		if errors.Is(err, sessions.ErrFenced) {
			return answer{}, nil
		}
		out.good = err == nil
	default:
		var r sessions.Record
		r, err = c.store.Lookup(context.Background(), c.user)
		if errors.Is(err, sessions.ErrNotFound) {
			return answer{}, nil
		}
		out = answer{err == nil, r.Node, r.Epoch}
	}
	if out.epoch != 0 {
		c.epoch = out.epoch
	}
	return out, err
}

func (c *client) claim() (answer, error) {
	grant, err := c.store.Claim(context.Background(), c.user, "s", c.node, c.inc)
	var held *sessions.Held
	if errors.As(err, &held) {
		return answer{false, held.Owner.Node, held.Owner.Epoch}, nil
	}
	return answer{good: err == nil, epoch: grant.Epoch}, err
}
