package presence

import (
	"net"
	"sync"
	"time"
)

const (
	maxOutbox   = 256 << 10        // bytes that wait to be written to a client
	stalled     = 10 * time.Second // a client that has read nothing for so long while its outbox is full is detached
	outboxPiece = 16 << 10         // written at once, so that slow progress is seen as progress
	byeTimeout  = 2 * time.Second  // for the last words
)

// An outbox keeps what is to be written to a client; its goroutine, write, writes it.
type outbox struct {
	nc   net.Conn
	wake chan struct{} // cap 1: there is something to do for write
	room chan struct{} // cap 1: something was written, or nothing will be

	mu       sync.Mutex
	queue    []byte
	inFlight int         // bytes that write has taken and not written
	level    []byte      // the newest EXISTS, written when everything before it is
	stall    *time.Timer // runs while the outbox is full
	finished bool        // nothing is added any more; close when all is written
}

func newOutbox(nc net.Conn) *outbox {
	return &outbox{nc: nc, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// push adds a frame unless the outbox is full or finished. It never blocks.
func (o *outbox) push(frame []byte) bool {
	added, _ := o.add(frame)
	return added
}

// wait adds a frame as soon as there is room for it; false means that the client is gone. One goroutine at a time.
func (o *outbox) wait(frame []byte) bool {
	for {
		added, full := o.add(frame)
		if !full {
			return added
		}
		<-o.room
	}
}

// add adds a frame, or tells whether the outbox is full; else it is finished.
func (o *outbox) add(frame []byte) (added, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return false, false
	}
	if len(o.queue)+o.inFlight+len(frame) > maxOutbox {
		if o.stall == nil {
			o.stall = time.AfterFunc(stalled, o.abort)
		}
		return false, true
	}
	o.queue = append(o.queue, frame...)
	signal(o.wake)
	return true, false
}

// setLevel replaces the EXISTS that is to be written.
func (o *outbox) setLevel(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.level = frame
	signal(o.wake)
}

// finish has the connection closed once everything is written, or after byeTimeout.
func (o *outbox) finish(last []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished {
		return
	}
	o.finished, o.level = true, nil
	signal(o.room)
	o.queue = append(o.queue, last...)
	o.nc.SetWriteDeadline(time.Now().Add(byeTimeout))
	signal(o.wake)
}

// abort closes the connection of a client that does not read. Its session goes on.
func (o *outbox) abort() { o.nc.Close() }

// take waits for something to write; nil is the end.
func (o *outbox) take() []byte {
	for {
		o.mu.Lock()
		piece := o.next()
		finished := o.finished
		o.mu.Unlock()
		if piece != nil || finished {
			return piece
		}
		<-o.wake
	}
}

// next removes a piece from the queue, or the level if the queue is empty. The caller holds the lock.
func (o *outbox) next() []byte {
	var piece []byte
	if len(o.queue) > 0 {
		n := min(len(o.queue), outboxPiece)
		piece = o.queue[:n:n]
		if o.queue = o.queue[n:]; len(o.queue) == 0 {
			o.queue = nil
		}
	} else {
		piece, o.level = o.level, nil
	}
	o.inFlight = len(piece)
	return piece
}

// wrote notes progress.
func (o *outbox) wrote() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inFlight = 0
	if o.stall != nil {
		o.stall.Stop()
		o.stall = nil
	}
	signal(o.room)
}

// write writes until the connection is finished or broken, and closes it.
func (o *outbox) write() {
	defer o.stop()
	for {
		piece := o.take()
		if piece == nil {
			return
		}
		if _, err := o.nc.Write(piece); err != nil {
			return
		}
		o.wrote()
	}
}

func (o *outbox) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	if o.stall != nil {
		o.stall.Stop()
	}
	o.nc.SetDeadline(time.Time{}) // or its timer would hold the connection's memory
	o.nc.Close()
	signal(o.room)
}

// signal wakes whoever waits on a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
