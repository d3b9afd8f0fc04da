package local_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"hark/im"
	"hark/im/imtest"
	"hark/im/local"
)

// A house is the users of a test: their directory and their message logs.
type house struct {
	mu    sync.Mutex
	users map[string]string // names by number
	logs  map[string]chan im.Message
	seen  map[string]bool
	fail  error // what Deliver says
}

func newHouse(users map[string]string) *house {
	h := &house{users: users, logs: map[string]chan im.Message{}, seen: map[string]bool{}}
	for user := range users {
		h.logs[user] = make(chan im.Message, 1000)
	}
	return h
}

func (h *house) Deliver(_ context.Context, to string, m im.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	if key := to + " " + m.Origin; !h.seen[key] {
		h.seen[key] = true
		h.logs[to] <- m
	}
	return nil
}

func (h *house) Name(_ context.Context, user string) (string, error) {
	name, ok := h.users[user]
	if !ok {
		return "", local.ErrUnknown
	}
	return name, nil
}

// Contacts says that everybody has written to everybody, but for strangers, whose names begin with "Stranger".
func (h *house) Contacts(_ context.Context, user string) ([]local.Contact, error) {
	var list []local.Contact
	for other, name := range h.users {
		if other != user && !strings.HasPrefix(name, "Stranger") && !strings.HasPrefix(h.users[user], "Stranger") {
			list = append(list, local.Contact{User: other, Name: name, Wrote: true})
		}
	}
	return list, nil
}

func hark(user string) im.Address { return im.Address{Network: im.Hark, ID: user} }

// A peer is the other user, at the same service.
type peer struct {
	user, other string
	log         <-chan im.Message
	conn        im.Conn

	mu   sync.Mutex
	cond *sync.Cond
	seen im.Show
	told map[string]im.DeliveryState
}

func (p *peer) Event(e im.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch body := e.Body.(type) {
	case im.Presence:
		if body.From.ID == p.other {
			p.seen = body.Show
		}
	case im.Delivery:
		p.told[body.ID] = body.State
	}
	p.cond.Broadcast()
}

func (p *peer) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() { p.mu.Lock(); defer p.mu.Unlock(); p.cond.Broadcast() })
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !done() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.cond.Wait()
	}
	return nil
}

func (p *peer) Address() im.Address { return hark(p.user) }

func (p *peer) Send(ctx context.Context, m im.Outgoing) error { return p.conn.Send(ctx, m) }

func (p *peer) Receive(ctx context.Context) (im.Message, error) {
	select {
	case m := <-p.log:
		return m, nil
	case <-ctx.Done():
		return im.Message{}, ctx.Err()
	}
}

func (p *peer) Show(ctx context.Context, s im.Show) error {
	return p.conn.SetPresence(ctx, im.Presence{Show: s})
}

func (p *peer) Sees(ctx context.Context, s im.Show) error {
	return p.wait(ctx, func() bool { return p.seen == s })
}

func (p *peer) Told(ctx context.Context, id string) (state im.DeliveryState, err error) {
	err = p.wait(ctx, func() bool { state = p.told[id]; return state == im.Read })
	return state, err
}

func (p *peer) Types(ctx context.Context, on bool) error {
	return p.conn.(im.Typer).SetTyping(ctx, hark(p.other), on)
}

func newPeer(t *testing.T, s *local.Service, h *house, user, other string) *peer {
	p := &peer{user: user, other: other, log: h.logs[user], told: map[string]im.DeliveryState{}}
	p.cond = sync.NewCond(&p.mu)
	p.conn = open(t, s, user, p)
	return p
}

func open(t *testing.T, s *local.Service, user string, sink im.Sink) im.Conn {
	t.Helper()
	conn, err := s.Open(t.Context(), account(user), nil, sink)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background(), im.Logout); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func account(user string) im.Account { return im.Account{User: user, Network: im.Hark, ID: user} }

func TestSuite(t *testing.T) {
	imtest.Run(t, imtest.Harness{
		Can: imtest.Abilities{Sent: true, Read: true, Typing: true},
		New: func(t *testing.T) imtest.Pair {
			h := newHouse(map[string]string{"4711001": "Ana", "4711002": "Ben"})
			s := &local.Service{Deliverer: h, Directory: h}
			return imtest.Pair{
				Service: s, Account: account("4711001"), Peer: newPeer(t, s, h, "4711002", "4711001"),
				Nobody: hark("4711999"), Inbox: h.logs["4711001"],
			}
		},
	})
}

// TestToSomebodyWithoutSession is what the package is for: the recipient need not be there.
func TestToSomebodyWithoutSession(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Ana", "4711003": "Carla"})
	s := &local.Service{Deliverer: h, Directory: h}
	ana := open(t, s, "4711001", im.SinkFunc(func(im.Event) {}))
	if err := ana.Send(t.Context(), im.Outgoing{ID: "1", To: hark("4711003"), Body: "when you are back"}); err != nil {
		t.Fatal(err)
	}
	m := <-h.logs["4711003"]
	if m.Body != "when you are back" || m.Name != "Ana" || m.Origin != "hark:4711001/1" || m.Outgoing {
		t.Errorf("got %+v", m)
	}
}

func TestFailures(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Ana", "4711002": "Ben"})
	s := &local.Service{Deliverer: h, Directory: h}
	sink := im.SinkFunc(func(e im.Event) {
		if d, ok := e.Body.(im.Delivery); ok {
			t.Errorf("a report %+v on a message that was not kept", d)
		}
	})
	ana := open(t, s, "4711001", sink)
	h.fail = errors.New("disk full")
	err := ana.Send(t.Context(), im.Outgoing{ID: "1", To: hark("4711002"), Body: "x"})
	if e := new(im.Error); !errors.As(err, &e) || !e.Retryable() {
		t.Errorf("a log that cannot be written gives %v", err)
	}
	_, err = s.Open(t.Context(), account("4711999"), nil, sink)
	if e := new(im.Error); !errors.As(err, &e) || e.Class != im.Config {
		t.Errorf("an unknown user gives %v", err)
	}
}

func TestInvisible(t *testing.T) {
	h := newHouse(map[string]string{"4711001": "Ana", "4711002": "Ben"})
	s := &local.Service{Deliverer: h, Directory: h}
	ben := newPeer(t, s, h, "4711002", "4711001")
	ana := open(t, s, "4711001", im.SinkFunc(func(im.Event) {}))
	for _, step := range []struct{ show, seen im.Show }{
		{im.Available, im.Available}, {im.Invisible, im.Offline}, {im.Busy, im.Busy}, {im.Offline, im.Offline},
	} {
		if err := ana.SetPresence(t.Context(), im.Presence{Show: step.show}); err != nil {
			t.Fatal(err)
		}
		if err := ben.Sees(t.Context(), step.seen); err != nil {
			t.Errorf("%s: %v", step.show, err)
		}
	}
}
