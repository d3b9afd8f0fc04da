package presence_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// Several clients of several kinds on one session, in any order of coming, going, sending, receiving, reading and
// acknowledging: nobody is thrown out, each kind has its own cursor, nothing that was acknowledged is offered again, and
// nothing is lost or out of order (F13). 100,000 operations, in a minute or two: -rapid.checks=1000 -rapid.steps=100
func TestSeveralClients(t *testing.T) {
	b := presencetest.New(t)
	b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	rapid.Check(t, func(rt *rapid.T) {
		s := newSeveral(b, rt)
		defer s.allLeave()
		rt.Repeat(s.actions())
	})
}

// several is what should be true of the session.
type several struct {
	*presencetest.Bed
	clients []attached
	cursor  map[string]int64 // by client kind
	log     []entry          // what should be in the user's log, from the test's beginning
	base    int64            // the log's end before
}

type attached struct {
	*presence.Client
	kind string
}

type entry struct {
	body string
	mine bool
}

func newSeveral(b *presencetest.Bed, t *rapid.T) *several {
	all, err := b.Store.Owned(b.Context(), "")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sessions, %v", len(all), err)
	}
	s := &several{Bed: b, cursor: map[string]int64{}}
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "look")
	defer client.Close()
	reply, err := client.Fetch(b.Context(), wire.FetchRequest{Before: math.MaxInt64, Max: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range reply.Messages {
		s.base = last.Seq
	}
	for _, kind := range []string{"phone", "web"} {
		s.cursor[kind] = s.base
		if err := b.Store.Advance(b.Context(), presencetest.Ana, kind, seqOf(s.base)); err != nil && s.base > 0 {
			t.Fatal(err)
		}
	}
	return s
}

func (s *several) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"come": s.come, "go": s.leave, "receive": s.receive, "send": s.send, "read": s.read, "ack": s.ack,
	}
}

func (s *several) come(t *rapid.T) {
	if len(s.clients) > 5 {
		return
	}
	kind := rapid.SampledFrom([]string{"phone", "web"}).Draw(t, "kind")
	client, reply := s.Login(presencetest.Ana, presencetest.AnaPIN, kind)
	if reply.Waiting != s.waiting(kind) || !reply.Resumed {
		t.Fatalf("%+v, with %d waiting", reply, s.waiting(kind))
	}
	s.clients = append(s.clients, attached{client, kind})
}

func (s *several) leave(t *rapid.T) {
	if i, ok := s.one(t); ok {
		s.clients[i].Close()
		s.clients = append(s.clients[:i], s.clients[i+1:]...)
	}
}

func (s *several) allLeave() {
	for _, c := range s.clients {
		c.Close()
	}
}

func (s *several) receive(t *rapid.T) {
	body := fmt.Sprint("in ", s.base, len(s.log))
	s.XMPP.Deliver("ben@x", presencetest.AnaID, body)
	for s.XMPP.Counts().Unacked > 0 {
		time.Sleep(50 * time.Microsecond)
	}
	s.log = append(s.log, entry{body: body})
}

func (s *several) send(t *rapid.T) {
	i, ok := s.one(t)
	if !ok {
		return
	}
	id := fmt.Sprint("out-", s.base, "-", len(s.log))
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		reply, err := s.clients[i].Send(s.Context(), wire.SendRequest{ID: id, To: xmpp("ben@x"), Body: id})
		if err != nil || reply.Seq != s.base+int64(len(s.log))+1 {
			t.Fatalf("%+v, %v", reply, err)
		}
	}
	s.log = append(s.log, entry{body: id, mine: true})
}

func (s *several) read(t *rapid.T) {
	i, ok := s.one(t)
	if !ok {
		return
	}
	c := s.clients[i]
	reply, err := c.Fetch(s.Context(), wire.FetchRequest{New: true, Max: 100})
	if err != nil || reply.Cursor != s.cursor[c.kind] || reply.Waiting != s.waiting(c.kind) {
		t.Fatalf("%s: cursor %d of %d, %d waiting of %d, %v", c.kind, reply.Cursor, s.cursor[c.kind], reply.Waiting, s.waiting(c.kind), err)
	}
	got := reply.Messages
	for j, e := range s.log {
		seq := s.base + int64(j) + 1
		if e.mine || seq <= s.cursor[c.kind] || len(got) == 0 {
			continue
		}
		if got[0].Seq != seq || got[0].Body != e.body {
			t.Fatalf("%s got %d %q, not %d %q", c.kind, got[0].Seq, got[0].Body, seq, e.body)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		t.Fatalf("%s got too much: %+v", c.kind, got)
	}
}

func (s *several) ack(t *rapid.T) {
	i, ok := s.one(t)
	if !ok || s.base+int64(len(s.log)) == 0 {
		return
	}
	seq := rapid.Int64Range(s.base, s.base+int64(len(s.log))).Draw(t, "seq")
	if err := s.clients[i].Ack(s.Context(), seq); err != nil {
		t.Fatal(err)
	}
	s.cursor[s.clients[i].kind] = max(s.cursor[s.clients[i].kind], seq)
}

// one chooses a client.
func (s *several) one(t *rapid.T) (int, bool) {
	if len(s.clients) == 0 {
		return 0, false
	}
	return rapid.IntRange(0, len(s.clients)-1).Draw(t, "client"), true
}

// waiting is how much should wait for a kind.
func (s *several) waiting(kind string) (n int) {
	for j, e := range s.log {
		if !e.mine && s.base+int64(j)+1 > s.cursor[kind] {
			n++
		}
	}
	return n
}
