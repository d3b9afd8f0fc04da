package presence_test

import (
	"context"
	"errors"
	"time"

	"hark/im"
	"hark/sessions"
)

// A mortalStore is a session store to a server that may die: then nothing is written any more, also not by those of its
// goroutines that have not noticed.
type mortalStore struct {
	sessions.Store
	life *life
}

func (s mortalStore) Beat(ctx context.Context, node string, inc sessions.Incarnation, ttl time.Duration) error {
	return s.life.around("beat", func() error { return s.Store.Beat(ctx, node, inc, ttl) })
}

func (s mortalStore) StopNode(ctx context.Context, node string, inc sessions.Incarnation) error {
	return s.life.around("stopnode", func() error { return s.Store.StopNode(ctx, node, inc) })
}

func (s mortalStore) Claim(ctx context.Context, user string, session string, node string, inc sessions.Incarnation) (a sessions.Grant, err error) {
	err = s.life.around("claim", func() (err error) {
		a, err = s.Store.Claim(ctx, user, session, node, inc)
		return err
	})
	return a, err
}

func (s mortalStore) Release(ctx context.Context, user string, epoch sessions.Epoch) error {
	return s.life.around("release", func() error { return s.Store.Release(ctx, user, epoch) })
}

func (s mortalStore) Transfer(ctx context.Context, user string, epoch sessions.Epoch, node string) (a sessions.Epoch, err error) {
	err = s.life.around("transfer", func() (err error) {
		a, err = s.Store.Transfer(ctx, user, epoch, node)
		return err
	})
	return a, err
}

func (s mortalStore) End(ctx context.Context, user string, epoch sessions.Epoch) error {
	return s.life.around("end", func() error { return s.Store.End(ctx, user, epoch) })
}

func (s mortalStore) PutKeys(ctx context.Context, user string, epoch sessions.Epoch, keys ...sessions.NewKey) error {
	return s.life.around("putkeys", func() error { return s.Store.PutKeys(ctx, user, epoch, keys...) })
}

func (s mortalStore) UseKey(ctx context.Context, hash string) (a sessions.Record, b sessions.Key, err error) {
	err = s.life.around("usekey", func() (err error) {
		a, b, err = s.Store.UseKey(ctx, hash)
		return err
	})
	return a, b, err
}

func (s mortalStore) DropKey(ctx context.Context, hash string) error {
	return s.life.around("dropkey", func() error { return s.Store.DropKey(ctx, hash) })
}

// Append also has a point at which the messages are visible and the power goes: nothing of them is there afterwards.
func (s mortalStore) Append(ctx context.Context, user string, epoch sessions.Epoch, b sessions.Batch) (a []sessions.Seq, err error) {
	if s.life.at("while visible") != nil {
		waiting, err := s.Waiting(ctx, user, "phone")
		seqs := make([]sessions.Seq, len(b.Messages))
		for i := range seqs {
			seqs[i] = waiting.Last + sessions.Seq(i) + 1
		}
		b.Visible(seqs)
		return nil, errors.Join(err, errDead)
	}
	err = s.life.around("append", func() (err error) {
		a, err = s.Store.Append(ctx, user, epoch, b)
		return err
	})
	return a, err
}

func (s mortalStore) SetResume(ctx context.Context, user string, epoch sessions.Epoch, network string, resume im.Resume) error {
	return s.life.around("resume state", func() error { return s.Store.SetResume(ctx, user, epoch, network, resume) })
}

func (s mortalStore) Journal(ctx context.Context, user string, epoch sessions.Epoch, msg im.Message) (a sessions.Seq, b bool, err error) {
	err = s.life.around("journal", func() (err error) {
		a, b, err = s.Store.Journal(ctx, user, epoch, msg)
		return err
	})
	return a, b, err
}

func (s mortalStore) Settle(ctx context.Context, user string, epoch sessions.Epoch, id string, state im.DeliveryState, reason string) error {
	return s.life.around("settle", func() error { return s.Store.Settle(ctx, user, epoch, id, state, reason) })
}

func (s mortalStore) Advance(ctx context.Context, user string, client string, seq sessions.Seq) error {
	return s.life.around("advance", func() error { return s.Store.Advance(ctx, user, client, seq) })
}

func (s mortalStore) Retain(ctx context.Context, user string, r sessions.Retention) (a int, err error) {
	err = s.life.around("retain", func() (err error) {
		a, err = s.Store.Retain(ctx, user, r)
		return err
	})
	return a, err
}

func (s mortalStore) SetState(ctx context.Context, user string, key string, value []byte) error {
	return s.life.around("setstate", func() error { return s.Store.SetState(ctx, user, key, value) })
}

func (s mortalStore) SwapState(ctx context.Context, user, key string, old, value []byte) error {
	return s.life.around("swapstate", func() error { return s.Store.SwapState(ctx, user, key, old, value) })
}

// A mortalService is a network to such a server.
type mortalService struct {
	im.Service
	life *life
}

func (s mortalService) Open(ctx context.Context, a im.Account, r im.Resume, sink im.Sink) (im.Conn, error) {
	if err := s.life.at("open"); err != nil {
		return nil, &im.Error{Class: im.Network, Err: err}
	}
	conn, err := s.Service.Open(ctx, a, r, sink)
	if err != nil {
		return nil, err
	}
	return mortalConn{conn, s.life}, nil
}

// A mortalConn is a login at the network. What is sent after the death reaches nobody.
type mortalConn struct {
	im.Conn
	life *life
}

func (c mortalConn) Send(ctx context.Context, m im.Outgoing) error {
	if err := c.life.around("send", func() error { return c.Conn.Send(ctx, m) }); err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	return nil
}

func (c mortalConn) Ack(p im.Position) {
	_ = c.life.around("ack", func() error { c.Conn.Ack(p); return nil })
}

// Close breaks the connection; the dead log nobody out.
func (c mortalConn) Close(ctx context.Context, how im.CloseMode) error {
	if c.life.isDead() {
		how = im.Keep
	}
	return c.Conn.Close(ctx, how)
}
