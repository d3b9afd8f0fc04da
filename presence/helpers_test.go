package presence_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"hark/accounts"
	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
	"hark/sessions"
)

func credentials(user, pin string) accounts.Credentials {
	return accounts.Credentials{User: user, PIN: pin, Door: "phone"}
}

// A store is a real one whose calls can be made to fail.
type store struct {
	sessions.Store
	ill     atomic.Bool  // Append fails
	silent  atomic.Bool  // Beat and StartNode fail
	stuck   atomic.Bool  // Claim waits for as long as it may
	hangs   atomic.Bool  // Beat waits for as long as it may
	late    atomic.Int64 // how much later than it is done the answer of Beat and StartNode comes
	renewed atomic.Int64 // when they last renewed the lease, in Unix nanoseconds
	appends atomic.Int32
}

var errIll = errors.New("the database is ill")

func (s *store) Append(ctx context.Context, user string, e sessions.Epoch, b sessions.Batch) ([]sessions.Seq, error) {
	s.appends.Add(1)
	if s.ill.Load() {
		return nil, errIll
	}
	return s.Store.Append(ctx, user, e, b)
}

func (s *store) Beat(ctx context.Context, node string, inc sessions.Incarnation, ttl time.Duration) error {
	if s.silent.Load() {
		return errIll
	}
	if s.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	defer s.answerLate()
	return s.Store.Beat(ctx, node, inc, ttl)
}

func (s *store) Claim(ctx context.Context, user, session, node string, inc sessions.Incarnation) (sessions.Grant, error) {
	if s.stuck.Load() {
		<-ctx.Done()
		return sessions.Grant{}, ctx.Err()
	}
	return s.Store.Claim(ctx, user, session, node, inc)
}

func (s *store) StartNode(ctx context.Context, node, addr string, ttl time.Duration) (sessions.Incarnation, error) {
	if s.silent.Load() {
		return 0, errIll
	}
	defer s.answerLate()
	return s.Store.StartNode(ctx, node, addr, ttl)
}

func (s *store) answerLate() {
	s.renewed.Store(time.Now().UnixNano())
	time.Sleep(time.Duration(s.late.Load()))
}

// withStore makes a Bed whose server uses a store that can fail.
func withStore(t testing.TB) (*presencetest.Bed, *store) {
	b := presencetest.Prepare(t)
	s := &store{Store: b.Store}
	b.Adjust = func(server *presence.Server) { server.Sessions = s }
	b.Start()
	return b, s
}

// withoutBeats makes a Bed whose node need not renew its lease while virtual days go by.
func withoutBeats(t testing.TB) *presencetest.Bed {
	b := presencetest.Prepare(t)
	b.Adjust = func(s *presence.Server) {
		s.Lease, s.BeatEvery = 1000*time.Hour, 900*time.Hour
		s.Jitter = func(d time.Duration) time.Duration { return d }
	}
	b.Start()
	return b
}

// next waits for the next event of a name and returns its body.
func next[T any](t testing.TB, c *presence.Client, name string) T {
	t.Helper()
	for {
		select {
		case e, ok := <-c.Events():
			if !ok {
				t.Fatalf("the connection ended before %s", name)
			}
			if body, ok := e.Body.(T); ok && e.Name == name {
				return body
			}
		case <-t.Context().Done():
			t.Fatalf("no %s", name)
		}
	}
}

// waitFor waits for an EXISTS with so many messages.
func waitFor(t testing.TB, c *presence.Client, waiting int) {
	t.Helper()
	for next[wire.ExistsEvent](t, c, wire.Exists).Waiting != waiting {
	}
}

// bodies fetches what is new.
func bodies(t testing.TB, c *presence.Client) (list []string, last int64) {
	t.Helper()
	reply, err := c.Fetch(t.Context(), wire.FetchRequest{New: true, Max: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range reply.Messages {
		list, last = append(list, m.Body), m.Seq
	}
	return list, last
}

func xmpp(id string) im.Address { return im.Address{Network: im.XMPP, ID: id} }

func seqOf(n int64) sessions.Seq { return sessions.Seq(n) }
