package ivr

import (
	"context"
	"slices"
	"sync"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// page is how many messages are fetched at once.
const page = 100

// news follows what a presence server says unasked, for one connection: it fetches messages that come during the call
// and ends the turn that the caller is waiting in. When the connection breaks, it looks for the session elsewhere, so that a
// caller who waits hears of messages there too. Its goroutine begins with follow and ends with stop.
type news struct {
	client Messenger
	find   func(ctx context.Context) (Messenger, wire.SessionReply, error) // resumes the session
	nets   *networks
	quit   context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	after   int64 // the newest message that is known
	fresh   []wire.Message
	watched []im.Address            // whose coming is to be told
	came    []im.Address            // those who came
	moved   *session                // where the session was found again; whoever takes it closes its client
	end     context.CancelCauseFunc // of the turn that is waited for; nil outside of one
}

// follow begins to listen for messages later than after, for the coming of those who are watched, and for the states of
// the networks. late says that messages may have come since then that nobody tells of any more.
func (c *Call) follow(m Messenger, late bool) *news {
	ctx, quit := context.WithCancel(context.Background())
	n := &news{client: m, find: c.find(), nets: &c.networks, quit: quit, ended: make(chan struct{}), after: c.queue.newest, watched: c.watched}
	go func() {
		defer close(n.ended)
		if late {
			n.fetch(ctx)
		}
		n.run(ctx)
	}()
	return n
}

// run takes events until the connection ends, and then finds the session again, unless the call has ended.
func (n *news) run(ctx context.Context) {
	for open := true; open; {
		select {
		case e, ok := <-n.client.Events():
			if open = ok; ok {
				n.take(ctx, e)
			}
		case <-n.client.Done():
			open = false
		case <-ctx.Done():
			return
		}
	}
	client, reply, err := persist(ctx, n.find)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.moved = &session{client: client, SessionReply: reply}
	n.wake()
}

// persist resumes the session as soon as that can be done. It fails when ctx ends, or when the session is refused.
func persist(ctx context.Context, find func(context.Context) (Messenger, wire.SessionReply, error)) (Messenger, wire.SessionReply, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		client, reply, err := find(ctx)
		if err == nil || refused(err) || !sleep(ctx, wait) {
			return client, reply, err
		}
	}
}

// take deals with an event: it fetches what an EXISTS tells of.
func (n *news) take(ctx context.Context, e presence.Event) {
	switch body := e.Body.(type) {
	case im.Presence:
		n.see(body)
	case wire.ServiceEvent:
		n.nets.note(body)
	}
	if exists, ok := e.Body.(wire.ExistsEvent); ok && exists.Last > n.known() {
		n.fetch(ctx)
	}
}

// fetch fetches what is new. A failure is left to the next event or request.
func (n *news) fetch(ctx context.Context) {
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

// wake ends a waiting turn when there is something to tell, or another connection to take over. The caller holds the lock.
func (n *news) wake() {
	switch {
	case n.end == nil:
	case n.moved != nil:
		n.end(errMoved)
	case len(n.fresh)+len(n.came) > 0:
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

// found tells whether there is another connection to take over. There is none of a nil news.
func (n *news) found() bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.moved != nil
}

// stop ends the goroutine and waits for it. It returns the connection that was found and not taken, or nil. A second stop
// is a no-op, and so is that of a nil news.
func (n *news) stop() (moved *session) {
	if n == nil {
		return nil
	}
	n.quit()
	<-n.ended
	moved, n.moved = n.moved, nil
	return moved
}
