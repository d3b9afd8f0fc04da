package presence_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
	"hark/sessions"
)

// A clockedStore notes when it is asked what.
type clockedStore struct {
	sessions.Store
	mu    sync.Mutex
	times map[string][]time.Time // by method
}

func (s *clockedStore) note(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times[method] = append(s.times[method], time.Now())
}

func (s *clockedStore) Nodes(ctx context.Context) ([]sessions.Node, error) {
	s.note("Nodes")
	return s.Store.Nodes(ctx)
}

func (s *clockedStore) Claim(ctx context.Context, user, session, node string, inc sessions.Incarnation) (sessions.Grant, error) {
	s.note("Claim")
	return s.Store.Claim(ctx, user, session, node, inc)
}

func (s *clockedStore) Transfer(ctx context.Context, user string, epoch sessions.Epoch, to string) (sessions.Epoch, error) {
	s.note("Transfer")
	return s.Store.Transfer(ctx, user, epoch, to)
}

// gaps are the times between the calls of a method, of which there must be so many.
func (s *clockedStore) gaps(t *testing.T, method string, calls int) (gaps []time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times[method]
	if len(times) != calls {
		t.Fatalf("%d calls of %s, want %d", len(times), method, calls)
	}
	for i := 1; i < calls; i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	return gaps
}

// crowd is how many sessions are left behind, or handed over.
const crowd = 10

// die has a node die that owns sessions; they can be taken over after a second and the grace.
func die(t *testing.T, b *presencetest.Bed) {
	t.Helper()
	dead, err := b.Store.StartNode(t.Context(), "dead", "hark://dead.test:7778", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range crowd {
		user := fmt.Sprint(6000000 + i)
		b.Accounts.Set(user, presencetest.User{PIN: "1"})
		if _, err := b.Store.Claim(t.Context(), user, "s", "dead", dead); err != nil {
			t.Fatal(err)
		}
	}
}

// leftBehind makes a Bed in whose store a node has died with sessions, and a clock for the store of its server.
func leftBehind(t *testing.T) (*presencetest.Bed, *clockedStore) {
	b := presencetest.Prepare(t)
	die(t, b)
	time.Sleep(time.Minute)
	store := &clockedStore{Store: b.Store, times: map[string][]time.Time{}}
	b.Adjust = func(s *presence.Server) { s.Sessions, s.RestorePace = store, time.Second }
	return b, store
}

// Sessions come back one after the other, and are handed over so, too: all at once they would storm their networks.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, store := leftBehind(t)
		b.Start()
		time.Sleep(crowd * time.Second)
		synctest.Wait()
		run(t, copyOf(b, "ps2", secondAddr))
		synctest.Wait()
		if err := b.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * crowd * time.Second)
		synctest.Wait()
		for _, method := range []string{"Claim", "Transfer"} {
			for _, gap := range store.gaps(t, method, crowd) {
				if gap < time.Second {
					t.Errorf("%s %v after the one before", method, gap)
				}
			}
		}
	})
}

// What a dead node leaves behind is shared among those that live: the first to see it does not take everything.
func TestOrphansAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.New(t)
		second := copyOf(b, "ps2", secondAddr)
		run(t, second)
		synctest.Wait()
		die(t, b)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if here, there := b.Server.Stats().Sessions, second.Stats().Sessions; here == 0 || there == 0 || here+there != crowd {
			t.Errorf("%d sessions here, %d there", here, there)
		}
	})
}

// The nodes do not all look around at the same moments: each waits for a time of chance between two looks.
func TestLooksAreJittered(t *testing.T) {
	const beat = 4 * time.Second
	for _, chance := range []float64{0, 0.25, 1} {
		synctest.Test(t, func(t *testing.T) {
			b := presencetest.Prepare(t)
			store := &clockedStore{Store: b.Store, times: map[string][]time.Time{}}
			b.Adjust = func(s *presence.Server) {
				s.Sessions, s.BeatEvery = store, beat
				s.Jitter = func(d time.Duration) time.Duration { return time.Duration(chance * float64(d)) }
			}
			b.Start()
			want := beat/4 + time.Duration(chance*float64(beat/2))
			time.Sleep(3*want + want/2)
			synctest.Wait()
			for _, gap := range store.gaps(t, "Nodes", 3) {
				if gap != want {
					t.Errorf("with a jitter of %v it looks after %v, not %v", chance, gap, want)
				}
			}
		})
	}
}

// What others do for the sessions of a node is told at once, also while it opens the many that another one hands over.
func TestHandOverKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := leftBehind(t)
		b.Start()
		time.Sleep(crowd * time.Second)
		synctest.Wait()
		second := copyOf(b, "ps2", secondAddr)
		second.RestorePace = time.Hour
		run(t, second)
		client := dial(t, second)
		if _, err := client.Login(t.Context(), wire.LoginRequest{User: presencetest.Ben, PIN: presencetest.BenPIN}); err != nil {
			t.Fatal(err)
		}
		if err := b.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * crowd * time.Second)
		begun := time.Now()
		if _, err := b.Store.Deliver(t.Context(), presencetest.Ben, im.Message{Body: "hello", From: xmpp("ana@x"), Origin: "o"}); err != nil {
			t.Fatal(err)
		}
		for next[wire.ExistsEvent](t, client, wire.Exists).Waiting == 0 {
		}
		if after := time.Since(begun); after > time.Minute {
			t.Errorf("he was told after %v", after)
		}
	})
}

// A deafStore tells its node nothing but what the test says.
type deafStore struct {
	sessions.Store
	changes chan sessions.Change
}

func (s deafStore) Watch(context.Context, string) (<-chan sessions.Change, error) {
	return s.changes, nil
}

// A node that may have missed something looks for what it owns at its next look around, and not at the next sweep: a session
// that was handed to it unheard is opened within seconds.
func TestResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		store := deafStore{b.Store, make(chan sessions.Change)}
		b.Adjust = func(s *presence.Server) { s.Sessions = store }
		b.Start()
		synctest.Wait()
		inc, err := b.Store.StartNode(t.Context(), "ps2", secondAddr, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		grant, err := b.Store.Claim(t.Context(), presencetest.Ben, "s", "ps2", inc)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(35 * time.Second) // a sweep has just been, which would find it too
		if _, err := b.Store.Transfer(t.Context(), presencetest.Ben, grant.Epoch, "ps1"); err != nil {
			t.Fatal(err)
		}
		store.changes <- sessions.Change{Resync: true}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := b.Server.Stats().Sessions; n != 1 {
			t.Errorf("%d sessions are open", n)
		}
		close(store.changes)
	})
}

// A session that was taken away unheard ends when the next message cannot be stored for it.
func TestFencedByAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		store := deafStore{b.Store, make(chan sessions.Change)}
		b.Adjust = func(s *presence.Server) { s.Sessions = store }
		b.Start()
		client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		if _, err := b.Store.StartNode(t.Context(), "ps2", secondAddr, time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Store.Transfer(t.Context(), presencetest.Ana, sessions.Epoch(reply.Epoch), "ps2"); err != nil {
			t.Fatal(err)
		}
		b.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
		synctest.Wait()
		select {
		case <-client.Done():
		default:
			t.Error("the client is still there")
		}
		if n := b.XMPP.Counts().Unacked; n != 1 {
			t.Errorf("%d messages are unacknowledged", n)
		}
		close(store.changes)
	})
}
