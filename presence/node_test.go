package presence_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
	"hark/sessions"
)

// A server that cannot renew its lease goes on for as long as the lease is beyond doubt (lease − grace since the start
// of the last good beat), and lets go of everything then; when the database is back the sessions come back by
// themselves, their logins resumed, and nothing is lost.
func TestFencing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := withStore(t)
		client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		time.Sleep(time.Minute)
		begun := time.Now() // the beat of this moment is the last good one, or the one up to 3 s ago
		s.silent.Store(true)
		time.Sleep(4 * time.Second)
		if got := send(t, client, "early", "xmpp:ben@x", "hello"); got.State != im.Sent {
			t.Errorf("while the lease holds: %+v", got)
		}
		if bye := next[wire.ByeEvent](t, client, wire.Bye); bye.Code != wire.Fenced {
			t.Errorf("%+v", bye)
		}
		<-client.Done()
		if held := time.Since(begun); held < 5*time.Second-time.Millisecond || held > 8*time.Second+time.Millisecond {
			t.Errorf("let go after %s", held)
		}
		synctest.Wait()
		if c := b.XMPP.Counts(); c.Online != 0 || c.Logouts != 0 {
			t.Errorf("at the network: %+v", c)
		}
		b.XMPP.Deliver("ben@x", presencetest.AnaID, "meanwhile")
		if _, err := b.Client().Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN}); !presence.HasCode(err, wire.TryLater) {
			t.Errorf("LOGIN while down: %v", err)
		}
		s.silent.Store(false)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if b.XMPP.Counts().Online != 1 {
			t.Error("the session did not come back by itself")
		}
		again := b.Client()
		back, err := again.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
		if err != nil || !back.Resumed || back.Epoch <= reply.Epoch || back.Waiting != 1 {
			t.Errorf("%+v, %v", back, err)
		}
	})
}

// The lease runs from when the database renewed it and not from when it said so: a server to which answers come late lets go
// as early as any other.
func TestFencingAfterLateAnswers(t *testing.T) {
	for name, wait := range map[string]time.Duration{"to the start": 0, "to a heartbeat": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := presencetest.Prepare(t)
				s := &store{Store: b.Store}
				s.late.Store(int64(2 * time.Second))
				b.Adjust = func(server *presence.Server) { server.Sessions = s }
				b.Start()
				client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
				time.Sleep(wait)
				s.silent.Store(true)
				next[wire.ByeEvent](t, client, wire.Bye)
				if after := time.Since(time.Unix(0, s.renewed.Load())); after > b.Server.Lease-sessions.Grace {
					t.Errorf("let go %v after the lease was renewed", after)
				}
			})
		})
	}
}

// A database that hangs in the middle of a heartbeat keeps nobody from letting go in time.
func TestFencingWhileTheDatabaseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := withStore(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		time.Sleep(time.Minute + time.Second) // between two heartbeats
		s.hangs.Store(true)
		time.Sleep(time.Until(time.Unix(0, s.renewed.Load()).Add(b.Server.Lease - sessions.Grace + time.Millisecond)))
		synctest.Wait()
		select {
		case <-client.Done():
		default:
			t.Error("the client is still there when the lease is in doubt")
		}
	})
}

// The planned stop: clients hear BYE, nobody logs out at the network, and the next start has the sessions again without
// anybody asking for them.
func TestRestart(t *testing.T) {
	b := presencetest.New(t)
	client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "before")
	waitFor(t, client, 1)
	bye := make(chan wire.ByeEvent, 1)
	go func() { bye <- next[wire.ByeEvent](t, client, wire.Bye) }()
	server := b.Server
	b.Stop()
	if e := <-bye; e.Code != wire.TryLater {
		t.Errorf("%+v", e)
	}
	if s := server.Stats(); s != (presence.Stats{}) {
		t.Errorf("left behind: %+v", s)
	}
	if _, err := server.Pipe(t.Context()); err == nil {
		t.Error("a stopped server takes a connection")
	}
	if c := b.XMPP.Counts(); c.Logouts != 0 || c.Online != 0 {
		t.Errorf("at the network: %+v", c)
	}
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "meanwhile")
	b.Start()
	b.Online(1)
	again := b.Client()
	back, err := again.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
	if err != nil || !back.Resumed {
		t.Fatalf("%+v, %v", back, err)
	}
	b.Until("both", func() bool { got, _ := bodies(t, again); return slices.Equal(got, []string{"before", "meanwhile"}) })
}

// A second server of the same name is a restart of the first: it has the sessions, and the first, which still runs,
// lets go.
func TestNewerIncarnation(t *testing.T) {
	b := presencetest.New(t)
	old, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	second := copyOf(b, "ps1", "")
	run(t, second)
	client := dial(t, second)
	back, err := client.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
	if err != nil || !back.Resumed || back.Epoch != reply.Epoch+1 {
		t.Fatalf("%+v, %v", back, err)
	}
	if _, err := old.Send(t.Context(), wire.SendRequest{ID: "1", To: xmpp("ben@x"), Body: "stale"}); err == nil {
		t.Error("the old owner still sends")
	}
	<-old.Done()
	b.Until("one login", func() bool { return b.XMPP.Counts().Online == 1 })
	if got := b.XMPP.Received(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A session that somebody ended in the database ends here.
func TestEndedFromOutside(t *testing.T) {
	b := presencetest.New(t)
	client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	if err := b.Store.End(t.Context(), presencetest.Ana, sessions.Epoch(reply.Epoch)); err != nil {
		t.Fatal(err)
	}
	b.Until("the session is gone", func() bool { return b.Server.Stats().Sessions == 0 })
	<-client.Done()
}

// The client is referred to the node that owns its session, and the PIN goes to the first one only.
func TestReferral(t *testing.T) {
	b := presencetest.New(t)
	second := copyOf(b, "ps2", "hark://ps2.test:7778")
	run(t, second)
	first, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	defer first.Close()
	var dialled []string
	dialer := &presence.Dialer{Home: "hark://ps2.test:7778", Dial: func(ctx context.Context, url string) (net.Conn, error) {
		dialled = append(dialled, url)
		if url == "hark://127.0.0.1:7778" {
			return b.Server.Pipe(ctx)
		}
		return second.Pipe(ctx)
	}}
	client, back, err := dialer.Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if client.Hello().Node != "ps1" || back.Epoch != reply.Epoch || !back.Resumed {
		t.Errorf("at %s: %+v", client.Hello().Node, back)
	}
	if want := []string{"hark://ps2.test:7778", "hark://127.0.0.1:7778"}; !slices.Equal(dialled, want) {
		t.Errorf("dialled %q", dialled)
	}
	resumed, same, err := dialer.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
	if err != nil {
		t.Fatal(err)
	}
	if same.Session != reply.Session || same.Code != "" {
		t.Errorf("a token that was referred became %+v", same)
	}
	defer resumed.Close()
	_, err = dial(t, second).Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: "000000"})
	if !presence.HasCode(err, wire.AuthFailed) {
		t.Errorf("who is not checked learns where the session is: %v", err)
	}
}

// A stale record says that the session is at a node whose address now belongs to another: whoever is referred there
// asks nobody twice, and the operator reads of it (F14).
func TestStaleRecord(t *testing.T) {
	b := presencetest.New(t)
	inc, err := b.Store.StartNode(t.Context(), "gone", "hark://ps1.test:7778", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Store.Claim(t.Context(), presencetest.Ana, "s", "gone", inc); err != nil {
		t.Fatal(err)
	}
	dials := 0
	var log strings.Builder
	var loops atomic.Int64
	dialer := &presence.Dialer{Home: "hark://127.0.0.1:7778", Loops: &loops, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			dials++
			return b.Server.Pipe(ctx)
		}}
	_, _, err = dialer.Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
	if !errors.Is(err, presence.ErrLoop) || dials != 2 {
		t.Errorf("%v after %d servers", err, dials)
	}
	if strings.Count(log.String(), "a session is nowhere") != 1 {
		t.Errorf("the log says %q", log.String())
	}
	if n := loops.Load(); n != 1 {
		t.Errorf("%d loops are counted", n)
	}
}

// In the grace after the end of its lease nobody is referred to a node, and nobody has its session yet: later.
func TestNobodyIsReferredToTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.New(t)
		inc, err := b.Store.StartNode(t.Context(), "gone", "hark://gone.test:7778", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Store.Claim(t.Context(), presencetest.Ana, "s", "gone", inc); err != nil {
			t.Fatal(err)
		}
		login := func() error {
			_, err := b.Client().Login(t.Context(), wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN})
			return err
		}
		if err := login(); !presence.HasCode(err, wire.Referral) {
			t.Errorf("while it lives: %v", err)
		}
		time.Sleep(time.Second + sessions.Grace/2)
		if err := login(); !presence.HasCode(err, wire.TryLater) {
			t.Errorf("in the grace: %v", err)
		}
		time.Sleep(sessions.Grace)
		if err := login(); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

// The owner is dead: the next node that is asked takes the session over.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := withStore(t)
		second := copyOf(b, "ps2", "hark://ps2.test:7778")
		run(t, second)
		_, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		synctest.Wait()
		s.silent.Store(true)
		time.Sleep(13 * time.Second)
		back, err := dial(t, second).Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
		if err != nil || !back.Resumed || back.Epoch != reply.Epoch+1 {
			t.Errorf("%+v, %v", back, err)
		}
		synctest.Wait()
		if b.XMPP.Counts().Online != 1 {
			t.Error("not online at the second node")
		}
	})
}

// A dead node's sessions come back although nobody asks for them.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := withStore(t)
		second := copyOf(b, "ps2", "hark://ps2.test:7778")
		run(t, second)
		b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		s.silent.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := second.Stats().Sessions; n != 1 || b.XMPP.Counts().Online != 1 {
			t.Errorf("%d sessions, %+v", n, b.XMPP.Counts())
		}
	})
}

// Sessions that no client used for a week end.
func TestIdleSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		b.Login(presencetest.Ben, presencetest.BenPIN, "")
		time.Sleep(time.Hour)
		client.Close()
		time.Sleep(7*24*time.Hour - time.Hour)
		if n := b.Server.Stats().Sessions; n != 2 {
			t.Errorf("%d sessions within the week", n)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if n := b.Server.Stats().Sessions; n != 1 || b.XMPP.Counts().Logouts != 1 {
			t.Errorf("%d sessions after it, %+v", n, b.XMPP.Counts())
		}
	})
}

// A user's log keeps within the bounds that the server was given, with a mark of what was dropped.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := presencetest.Prepare(t)
		b.Adjust = func(s *presence.Server) { s.Retention = sessions.Retention{Count: 2} }
		b.Start()
		client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		synctest.Wait()
		for _, body := range []string{"one", "two", "three"} {
			b.XMPP.Deliver("ben@x", presencetest.AnaID, body)
		}
		waitFor(t, client, 3)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		back, err := b.Client().Resume(t.Context(), wire.ResumeRequest{Session: reply.Session})
		if err != nil || back.Waiting != 2 || back.Dropped != 1 {
			t.Errorf("%+v, %v", back, err)
		}
	})
}

// A database that another process serves is not touched.
func TestInUse(t *testing.T) {
	b := presencetest.New(t)
	server := copyOf(b, "ps2", "")
	server.Sessions = refusing{b.Store}
	if err := server.Run(t.Context()); !errors.Is(err, sessions.ErrInUse) {
		t.Errorf("%v", err)
	}
}

type refusing struct{ sessions.Store }

func (refusing) StartNode(context.Context, string, string, time.Duration) (sessions.Incarnation, error) {
	return 0, sessions.ErrInUse
}

// copyOf makes another server on the Bed's store and networks.
func copyOf(b *presencetest.Bed, name, addr string) *presence.Server {
	return &presence.Server{
		Name: name, Addr: addr, Sessions: b.Store, Accounts: b.Accounts, Services: b.Server.Services,
		Secret: b.Server.Secret, Log: slog.New(slog.DiscardHandler),
	}
}

// run runs a server until the test ends.
func run(t testing.TB, s *presence.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func dial(t testing.TB, s *presence.Server) *presence.Client {
	t.Helper()
	conn, err := s.Pipe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := presence.NewClient(conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
