package presence

import (
	"slices"
	"sync"

	"hark/im"
	"hark/presence/wire"
)

// An Event is what the server said unasked.
type Event struct {
	// Name is one of wire's events.
	Name string
	// Body is a wire.ExistsEvent, im.Delivery, im.Presence, im.ChatState (TYPING), wire.ServiceEvent or wire.ByeEvent;
	// nil for an event that this version does not know.
	Body any
}

// Events is where the events arrive, in order, with only the newest EXISTS kept. A slow reader blocks nobody: past 256
// events the oldest are dropped. The channel closes after the last event once the socket is gone.
func (c *Client) Events() <-chan Event {
	c.events.once.Do(c.startEvents)
	return c.events.out
}

// startEvents starts the pump, unless Close has begun to wait for everything that was started.
func (c *Client) startEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		close(c.events.out)
	default:
		c.tasks.Go(func() { c.events.pump(c.closed) })
	}
}

// maxEvents is how many events wait for a slow reader.
const maxEvents = 256

// An eventQueue keeps events for a reader that may be slow, or may not be there at all.
type eventQueue struct {
	out  chan Event
	more chan struct{} // cap 1: something was pushed, or finished
	once sync.Once     // starts the pump

	mu       sync.Mutex
	queue    []Event
	finished bool
}

func newEventQueue() *eventQueue {
	return &eventQueue{out: make(chan Event), more: make(chan struct{}, 1)}
}

// push adds an event; it never blocks.
func (q *eventQueue) push(e Event) {
	q.mu.Lock()
	if e.Name == wire.Exists {
		q.queue = slices.DeleteFunc(q.queue, func(old Event) bool { return old.Name == wire.Exists })
	}
	if len(q.queue) == maxEvents {
		q.queue = slices.Delete(q.queue, 0, 1)
	}
	q.queue = append(q.queue, e)
	q.mu.Unlock()
	q.notify()
}

// finish says that nothing more will be pushed.
func (q *eventQueue) finish() {
	q.mu.Lock()
	q.finished = true
	q.mu.Unlock()
	q.notify()
}

func (q *eventQueue) notify() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take removes the oldest event.
func (q *eventQueue) take() (e Event, ok, finished bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return Event{}, false, q.finished
	}
	e = q.queue[0]
	q.queue = slices.Delete(q.queue, 0, 1)
	return e, true, false
}

// pump moves events to the channel until the queue is finished and empty, or stop closes.
func (q *eventQueue) pump(stop <-chan struct{}) {
	defer close(q.out)
	for {
		e, ok, finished := q.take()
		if finished {
			return
		}
		if !ok {
			select {
			case <-q.more:
			case <-stop:
				return
			}
			continue
		}
		select {
		case q.out <- e:
		case <-stop:
			return
		}
	}
}

// decodeEvent reads an event's payload.
func decodeEvent(frame wire.Event) (Event, error) {
	e := Event{Name: frame.Name}
	var err error
	switch frame.Name {
	case wire.Exists:
		e.Body, err = payload[wire.ExistsEvent](frame)
	case wire.Delivery:
		e.Body, err = payload[im.Delivery](frame)
	case wire.Presence:
		e.Body, err = payload[im.Presence](frame)
	case wire.Typing:
		e.Body, err = payload[im.ChatState](frame)
	case wire.Service:
		e.Body, err = payload[wire.ServiceEvent](frame)
	case wire.Bye:
		e.Body = wire.ByeEvent{Code: frame.Code, Arg: frame.CodeArg, Text: frame.Text}
	}
	return e, err
}

func payload[T any](frame wire.Event) (T, error) {
	var body T
	err := wire.Unmarshal(frame.JSON, &body)
	return body, err
}
