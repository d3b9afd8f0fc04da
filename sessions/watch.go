package sessions

import (
	"context"
	"errors"

	"hark/db"
)

// channelOf is where a node hears of its sessions.
func channelOf(node string) string { return "sessions:" + node }

// tellNode tells a node, if there is one, once the transaction is committed.
func tellNode(tx *db.Tx, node, user string) error {
	if node == "" {
		return nil
	}
	return inside(tx.Notify(channelOf(node), user))
}

// errStoreClosed: the Store does nothing more.
var errStoreClosed = errors.New("sessions: store closed")

// Watch implements Store.
func (s *SQL) Watch(ctx context.Context, node string) (<-chan Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errStoreClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	listener, err := s.db.Listen(ctx, channelOf(node))
	if err != nil {
		stop()
		cancel()
		return nil, inside(err)
	}
	changes := make(chan Change)
	s.watchers.Go(func() {
		defer cancel()
		defer stop()
		defer close(changes)
		pump(ctx, listener, changes)
	})
	return changes, nil
}

// pump hands on what the listener hears until ctx ends. While the receiver is busy, the listener merges.
func pump(ctx context.Context, listener *db.Listener, changes chan<- Change) {
	for {
		users, resync, err := listener.Next(ctx)
		if err != nil {
			return
		}
		if resync && !offer(ctx, changes, Change{Resync: true}) {
			return
		}
		for _, user := range users {
			if !offer(ctx, changes, Change{User: user}) {
				return
			}
		}
	}
}

func offer(ctx context.Context, changes chan<- Change, c Change) bool {
	select {
	case changes <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
