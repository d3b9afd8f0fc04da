package ivr

import (
	"context"
	"slices"
	"sync"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// page is how many messages are fetched at once.
const page = 100

// news follows what a presence server says unasked, for one connection: it fetches messages that come during the call
// and ends the turn that the caller is waiting in. Its goroutine begins with follow and ends with stop.
type news struct {
	client Messenger
	nets   *networks
	quit   context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	after   int64 // the newest message that is known
	fresh   []wire.Message
	watched []im.Address            // whose coming is to be told
	came    []im.Address            // those who came
	end     context.CancelCauseFunc // of the turn that is waited for; nil outside of one
}

// follow begins to listen for messages later than after, for the coming of those who are watched, and for the states of
// the networks.
func follow(m Messenger, after int64, watched []im.Address, nets *networks) *news {
	ctx, quit := context.WithCancel(context.Background())
	n := &news{client: m, nets: nets, quit: quit, ended: make(chan struct{}), after: after, watched: watched}
	go n.run(ctx)
	return n
}

// run takes events until the connection or the call ends.
func (n *news) run(ctx context.Context) {
	defer close(n.ended)
	for {
		select {
		case e, ok := <-n.client.Events():
			if !ok {
				return
			}
			n.take(ctx, e)
		case <-n.client.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// take fetches what an EXISTS tells of. A failure is left to the next event or request.
func (n *news) take(ctx context.Context, e presence.Event) {
	switch body := e.Body.(type) {
	case im.Presence:
		n.see(body)
	case wire.ServiceEvent:
		n.nets.note(body)
	}
	exists, ok := e.Body.(wire.ExistsEvent)
	if !ok || exists.Last <= n.known() {
		return
	}
	reply, err := n.client.Fetch(ctx, wire.FetchRequest{After: n.known(), New: true, Max: page})
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range reply.Messages {
		if m.Seq > n.after && !m.Outgoing {
			n.after = m.Seq
			n.fresh = append(n.fresh, m)
		}
	}
	n.wake()
}

// see notes that somebody came who is watched.
func (n *news) see(p im.Presence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.Show == im.Available && slices.Contains(n.watched, p.From) && !slices.Contains(n.came, p.From) {
		n.came = append(n.came, p.From)
		n.wake()
	}
}

// watch changes who is watched.
func (n *news) watch(list []im.Address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watched = list
}

// arrived takes those who came.
func (n *news) arrived() []im.Address {
	n.mu.Lock()
	defer n.mu.Unlock()
	came := n.came
	n.came = nil
	return came
}

// known is the newest message that was fetched.
func (n *news) known() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.after
}

// wake ends a waiting turn when there is something to tell. The caller holds the lock.
func (n *news) wake() {
	if n.end != nil && len(n.fresh)+len(n.came) > 0 {
		n.end(errNotice)
	}
}

// interrupt returns a context for one turn; it ends with cause errNotice when a message comes, or at once when one
// came that nobody took yet. stop ends the turn.
func (n *news) interrupt(ctx context.Context) (turn context.Context, stop func()) {
	turn, end := context.WithCancelCause(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.end = end
	n.wake()
	return turn, func() {
		n.mu.Lock()
		n.end = nil
		n.mu.Unlock()
		end(nil)
	}
}

// collect takes the messages that came.
func (n *news) collect() []wire.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := n.fresh
	n.fresh = nil
	return fresh
}

// stop ends the goroutine and waits for it. A second stop is a no-op, and so is that of a nil news.
func (n *news) stop() {
	if n == nil {
		return
	}
	n.quit()
	<-n.ended
}
