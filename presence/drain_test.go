package presence_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
	"hark/sessions"
)

// A pair is a Bed and a second server on the same store, with a dialer that knows both.
type pair struct {
	*presencetest.Bed
	second *presence.Server
	stop   func() error
	dialer *presence.Dialer
}

const secondAddr = "hark://ps2.test:7778"

func newPair(t *testing.T) *pair {
	p := &pair{Bed: presencetest.New(t)}
	p.second = copyOf(p.Bed, "ps2", secondAddr)
	p.stop = runUntil(t, p.second)
	p.dialer = &presence.Dialer{Home: "hark://127.0.0.1:7778", Dial: p.dial}
	return p
}

func (p *pair) dial(ctx context.Context, url string) (net.Conn, error) {
	if url == secondAddr {
		return p.second.Pipe(ctx)
	}
	return p.Server.Pipe(ctx)
}

// A node that is to be emptied hands its sessions to another one; the client is told where to go, and finds the same
// session there with what came in between. New sessions begin at the other node, too.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		client, reply := p.Login(presencetest.Ana, presencetest.AnaPIN, "")
		p.Online(1)
		p.XMPP.Deliver("ben@x", presencetest.AnaID, "before")
		waitFor(t, client, 1)
		if err := p.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		bye := next[wire.ByeEvent](t, client, wire.Bye)
		if bye.Code != wire.Referral {
			t.Fatalf("%+v", bye)
		}
		moved, back, err := p.dialer.Follow(t.Context(), bye, "phone", "")
		if err != nil || !back.Resumed || back.Epoch <= reply.Epoch || back.Waiting != 1 || moved.Hello().Node != "ps2" {
			t.Fatalf("%+v, %v", back, err)
		}
		defer moved.Close()
		if again, _, err := p.dialer.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session}); err != nil {
			t.Errorf("by the token, from the drained node: %v", err)
		} else {
			again.Close()
		}
		ben, _, err := p.dialer.Login(t.Context(), wire.LoginRequest{User: presencetest.Ben, PIN: presencetest.BenPIN})
		if err != nil || ben.Hello().Node != "ps2" {
			t.Fatalf("a new session: %v", err)
		}
		ben.Close()
		synctest.Wait()
		if c := p.XMPP.Counts(); c.Online != 1 || c.Logouts != 0 {
			t.Errorf("at the network: %+v", c)
		}
		if n := p.Server.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions stayed", n)
		}
	})
}

// A session that nobody is looking at is opened by the node that it was handed to, at once.
func TestDrainWithoutClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		client, _ := p.Login(presencetest.Ana, presencetest.AnaPIN, "")
		client.Close()
		if err := p.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if here, there := p.Server.Stats().Sessions, p.second.Stats().Sessions; here != 0 || there != 1 {
			t.Errorf("%d sessions here, %d there", here, there)
		}
	})
}

// A node that stops hands its sessions over.
func TestStopHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		client, _, err := p.dialerAt(secondAddr).Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		synctest.Wait()
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		if bye := next[wire.ByeEvent](t, client, wire.Bye); bye.Code != wire.Referral {
			t.Errorf("%+v", bye)
		}
		synctest.Wait()
		if n := p.Server.Stats().Sessions; n != 1 || p.XMPP.Counts().Online != 1 {
			t.Errorf("%d sessions, %+v", n, p.XMPP.Counts())
		}
	})
}

// A lateStore is one in which every node has just died that sessions could be handed to.
type lateStore struct{ sessions.Store }

func (lateStore) Transfer(context.Context, string, sessions.Epoch, string) (sessions.Epoch, error) {
	return 0, sessions.ErrLapsed
}

// A session that could not be handed over is given up, for anybody to take.
func TestDrainToADeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		b.Adjust = func(s *presence.Server) { s.Sessions = lateStore{b.Store} }
		b.Start()
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		if _, err := b.Store.StartNode(t.Context(), "ps2", secondAddr, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := b.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if bye := next[wire.ByeEvent](t, client, wire.Bye); bye.Code != wire.TryLater {
			t.Errorf("%+v", bye)
		}
		synctest.Wait()
		if r, err := b.Store.Lookup(t.Context(), presencetest.Ana); err != nil || r.Node != "" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// A node that nobody can take over from goes on serving although it shall be empty.
func TestDrainAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.New(t)
		synctest.Wait()
		if err := b.Store.SetDraining(t.Context(), "ps1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		time.Sleep(10 * time.Second)
		if err := client.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A dead node's sessions are live again within lease and grace and a look around, whoever looks at them.
func TestTakeoverInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := withStore(t)
		run(t, copyOf(b, "ps2", secondAddr))
		b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		synctest.Wait()
		s.silent.Store(true)
		time.Sleep(b.Server.Lease + 2*time.Second + 2*b.Server.BeatEvery)
		synctest.Wait()
		if c := b.XMPP.Counts(); c.Online != 1 {
			t.Errorf("at the network: %+v", c)
		}
	})
}

func (p *pair) dialerAt(home string) *presence.Dialer {
	return &presence.Dialer{Home: home, Dial: p.dial}
}

// runUntil runs a server until the returned function is called, or the test ends.
func runUntil(t testing.TB, s *presence.Server) func() error {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var err error
	stopped := false
	stop := func() error {
		cancel()
		if !stopped {
			stopped, err = true, <-done
		}
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return stop
}
