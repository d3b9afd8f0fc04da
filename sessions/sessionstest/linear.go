package sessionstest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hark/sessions"
)

var histories = flag.Int("histories", 6, "how many histories of claim, lookup and release are recorded and checked")

var linearRules = []rule{
	{"claim, lookup and release are linearizable, whoever is killed", func(t *testing.T, h Harness) {
		for range *histories {
			Linear(t, h, h.Break)
		}
	}},
}

// linearCalls is how many calls each node makes in one history at least; it goes on until the harm is done.
const linearCalls = 12

// Linear records what nodes on both handles see of one user's session while they are killed, stopped and started, their
// calls come too late, the clock leaps past all leases, and what harm does happens once (nil is nothing). Then it looks
// for an order of the calls that explains every answer. What became of a call is unknown when its connection broke.
func Linear(t *testing.T, h Harness, harm func()) {
	t.Helper()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, linearNodes))
	past := &history{name: fmt.Sprint(seed), begun: time.Now()}
	var wg sync.WaitGroup
	for i := range linearNodes {
		wg.Go(func() {
			c := &client{store: []sessions.Store{h.Store, h.Other}[i%2], number: i, past: past}
			if err := c.live(rand.New(rand.NewPCG(seed, uint64(i)))); err != nil {
				t.Error(err)
			}
		})
	}
	past.lapse(h, random)
	if harm != nil {
		harm()
	}
	past.lapse(h, random)
	past.over.Store(true)
	wg.Wait()
	t.Logf("%d calls, the outcome of %d unknown", len(past.calls), past.unknown())
	if res := porcupine.CheckOperationsTimeout(ownerModel, past.calls, 5*time.Minute); res != porcupine.Ok {
		t.Fatalf("seed %d: %s, %+v", seed, res, past.calls)
	}
}

// A history is what was asked and answered, and when.
type history struct {
	name  string // of the user; the nodes' names end in it
	begun time.Time
	over  atomic.Bool  // the harm is done
	clock sync.RWMutex // held for reading during each call: the clock leaps between calls
	mu    sync.Mutex
	calls []porcupine.Operation
}

// record makes a call and notes it down.
func (h *history) record(client int, in ask, do func() (answer, error)) (answer, error) {
	called := time.Since(h.begun)
	out, err := do()
	if err != nil {
		return out, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, porcupine.Operation{
		ClientId: client, Input: in, Call: int64(called), Output: out, Return: int64(time.Since(h.begun)),
	})
	return out, nil
}

// lapse has the clock leap past all leases at a moment of chance.
func (h *history) lapse(on Harness, random *rand.Rand) {
	time.Sleep(time.Duration(random.Int64N(int64(10 * time.Millisecond))))
	h.clock.Lock()
	defer h.clock.Unlock()
	_, _ = h.record(linearNodes, ask{call: "lapse"}, func() (answer, error) {
		on.Advance(ttl + sessions.Grace + time.Millisecond)
		return answer{result: good}, nil
	})
}

// unknown counts the calls whose outcome is unknown.
func (h *history) unknown() (count int) {
	for _, call := range h.calls {
		if call.Output.(answer).result == unknown {
			count++
		}
	}
	return count
}

// A client is one node that calls the store. Of its process before it was killed, a call may still be on its way.
type client struct {
	store  sessions.Store
	number int
	past   *history
	inc    sessions.Incarnation
	epoch  sessions.Epoch // the last that it saw, its own or another's
	lapsed bool           // it must start again
}

// live makes the node's calls. An error is one that the law does not know.
func (c *client) live(random *rand.Rand) error {
	c.lapsed = true
	for n := 0; n < linearCalls || !c.past.over.Load(); n++ {
		in := c.choose(random)
		out, err := c.ask(in)
		if err != nil {
			return err
		}
		c.learn(in, out)
	}
	return nil
}

// await waits until the database answers again.
func (c *client) await() {
	for {
		if _, err := c.store.Lookup(context.Background(), c.past.name); !errors.Is(err, sessions.ErrTemporary) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *client) choose(random *rand.Rand) ask {
	if c.lapsed {
		return ask{call: "start", node: c.number}
	}
	calls := []string{"claim", "claim", "claim", "release", "release", "lookup", "lookup", "lookup", "beat", "start", "stop"}
	in := ask{call: calls[random.IntN(len(calls))], node: c.number, inc: c.inc, epoch: c.epoch}
	if random.IntN(5) == 0 { // a call of the process that was killed, late
		in.inc--
	}
	return in
}

// learn remembers what an answer says.
func (c *client) learn(in ask, out answer) {
	if out.epoch != 0 {
		c.epoch = out.epoch
	}
	if in.call == "start" {
		c.inc, c.lapsed = out.inc, false
	}
	c.lapsed = c.lapsed || in.call == "stop" && in.inc == c.inc || out.result == lapsed && in.inc == c.inc
}

// ask makes one call. One whose connection broke was carried out or not before the database answers again.
func (c *client) ask(in ask) (answer, error) {
	c.past.clock.RLock()
	defer c.past.clock.RUnlock()
	return c.past.record(c.number, in, func() (answer, error) {
		out, err := c.do(in)
		if out.result == unknown {
			c.await()
		}
		return out, err
	})
}

func (c *client) do(in ask) (out answer, err error) {
	ctx, node := context.Background(), fmt.Sprintf("n%d-%s", in.node, c.past.name)
	switch in.call {
	case "start":
		out.inc, err = c.store.StartNode(ctx, node, "harks://"+node, ttl)
	case "stop":
		err = c.store.StopNode(ctx, node, in.inc)
	case "beat":
		err = c.store.Beat(ctx, node, in.inc, ttl)
	case "claim":
		var grant sessions.Grant
		grant, err = c.store.Claim(ctx, c.past.name, "s", node, in.inc)
		out.epoch = grant.Epoch
	case "release":
		err = c.store.Release(ctx, c.past.name, in.epoch)
	default:
		var r sessions.Record
		if r, err = c.store.Lookup(ctx, c.past.name); err == nil {
			out = answer{owner: nodeNumber(r.Node), epoch: r.Epoch, alive: r.Alive}
		}
	}
	return judged(out, err)
}

// judged adds to an answer how the call ended.
func judged(out answer, err error) (answer, error) {
	var owner *sessions.Held
	switch {
	case err == nil:
		out.result = good
	case errors.As(err, &owner):
		out = answer{result: held, owner: nodeNumber(owner.Owner.Node), epoch: owner.Owner.Epoch}
	case errors.Is(err, sessions.ErrLapsed):
		out.result = lapsed
	case errors.Is(err, sessions.ErrFenced):
		out.result = fenced
	case errors.Is(err, sessions.ErrNotFound):
		out.result = missing
	case errors.Is(err, sessions.ErrTemporary):
		out = answer{result: unknown}
	default:
		return out, err
	}
	return out, nil
}

// nodeNumber reads a node's number from its name; nobody has none.
func nodeNumber(name string) int {
	number := nobody
	_, _ = fmt.Sscanf(name, "n%d", &number)
	return number
}
