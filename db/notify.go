package db

import (
	"context"
	"sync"
)

// A note is what Tx.Notify says.
type note struct{ channel, payload string }

// A Listener hears what transactions notify on one channel, from the moment Listen returned. It never drops and never
// blocks a writer: what waits is kept as a set, so the same payload may be told once for several.
type Listener struct {
	mu     sync.Mutex
	order  []string
	queued map[string]bool
	resync bool
	ready  chan struct{} // holds one token while something waits
}

func newListener() *Listener {
	return &Listener{queued: map[string]bool{}, ready: make(chan struct{}, 1)}
}

// Next waits for notifications and returns the payloads in the order in which they first came. resync says that some
// may have been lost before these, because the connection to the database broke. It fails only when ctx ends.
func (l *Listener) Next(ctx context.Context) (payloads []string, resync bool, err error) {
	select {
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	case <-l.ready:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	payloads, resync = l.order, l.resync
	l.order, l.resync = nil, false
	clear(l.queued)
	return payloads, resync, nil
}

func (l *Listener) tell(payload string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queued[payload] {
		return
	}
	l.queued[payload] = true
	l.order = append(l.order, payload)
	l.wake()
}

func (l *Listener) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resync = true
	l.wake()
}

func (l *Listener) wake() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// A hub hands notes to the listeners of this process.
type hub struct {
	mu        sync.Mutex
	listeners map[string]map[*Listener]bool
}

func newHub() *hub { return &hub{listeners: map[string]map[*Listener]bool{}} }

// add registers a listener and returns how to remove it.
func (h *hub) add(channel string, l *Listener) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[channel] == nil {
		h.listeners[channel] = map[*Listener]bool{}
	}
	h.listeners[channel][l] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[channel], l)
		if len(h.listeners[channel]) == 0 {
			delete(h.listeners, channel)
		}
	}
}

func (h *hub) publish(notes []note) {
	if len(notes) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range notes {
		for l := range h.listeners[n.channel] {
			l.tell(n.payload)
		}
	}
}

// lost tells every listener that notes may have been missed.
func (h *hub) lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, listeners := range h.listeners {
		for l := range listeners {
			l.lost()
		}
	}
}
