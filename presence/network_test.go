package presence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

var away = &im.Error{Class: im.Network, Err: errors.New("the server is away")}

// While the network is away a message is kept, the client hears so, and it goes out by itself, in order, once.
func TestQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		b.Online(1)
		b.XMPP.Fail(away)
		for next[wire.ServiceEvent](t, client, wire.Service).State != "retrying" {
		}
		var want []string
		for i := range 5 {
			id := fmt.Sprint("m", i)
			if got := send(t, client, id, "xmpp:ben@x", id); got.State != im.Queued {
				t.Errorf("%+v", got)
			}
			want = append(want, id)
		}
		time.Sleep(10 * time.Minute)
		b.XMPP.Fail(nil)
		time.Sleep(5*time.Minute + time.Second)
		var got []string
		for _, m := range b.XMPP.Received() {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the network got %q", got)
		}
		if pending, err := b.Store.Pending(t.Context(), presencetest.Ana); err != nil || len(pending) != 0 {
			t.Errorf("still pending: %v, %v", pending, err)
		}
	})
}

// A node that was stopped for longer than its lease, and goes on before it has noticed, hands nothing to the network: another
// node may have the session (F5).
func TestNothingIsSentInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		b.Online(1)
		b.XMPP.Fail(away)
		for next[wire.ServiceEvent](t, client, wire.Service).State != "retrying" {
		}
		send(t, client, "1", "xmpp:ben@x", "hello")
		b.Server.Doubt(b.Server.Lease)
		b.XMPP.Fail(nil)
		time.Sleep(10 * time.Minute)
		if got := b.XMPP.Received(); len(got) != 0 {
			t.Errorf("sent in doubt: %v", got)
		}
		if _, err := client.Send(t.Context(), wire.SendRequest{ID: "2", To: xmpp("ben@x"), Body: "again"}); !presence.HasCode(err, wire.TryLater) {
			t.Errorf("a new one: %v", err)
		}
		b.Server.Doubt(-b.Server.Lease)
		time.Sleep(2 * time.Second)
		if got := b.XMPP.Received(); len(got) != 1 || got[0].ID != "1" {
			t.Errorf("sent without doubt: %v", got)
		}
	})
}

// The network's server restarts a hundred times while a user writes: every message goes out, in order (F7).
func TestNetworkRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const restarts, each = 100, 3
		b := withoutBeats(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		b.Online(1)
		var want []string
		write := func() {
			for range each {
				id := fmt.Sprint("m", len(want))
				send(t, client, id, "xmpp:ben@x", id)
				want = append(want, id)
			}
		}
		for n := range restarts {
			write()
			b.XMPP.Fail(away)
			write()
			time.Sleep(time.Duration(n) * time.Second)
			b.XMPP.Fail(nil)
			write()
		}
		time.Sleep(5*time.Minute + time.Second)
		var got []string
		for _, m := range b.XMPP.Received() {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d messages the network got %d: %q", len(want), len(got), got)
		}
	})
}

// What the network has not confirmed is sent again, with the same id, on the next connection.
func TestUnconfirmedIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		b.XMPP.Confirm = true
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		b.Online(1)
		send(t, client, "m1", "xmpp:ben@x", "hello")
		send(t, client, "m2", "xmpp:ben@x", "hello")
		b.XMPP.Tell(presencetest.AnaID, im.Delivery{ID: "m1", State: im.Sent})
		synctest.Wait()
		b.XMPP.Fail(away)
		b.XMPP.Fail(nil)
		time.Sleep(2 * time.Second)
		if c, got := b.XMPP.Counts(), b.XMPP.Received(); c.Repeated != 1 || len(got) != 2 {
			t.Errorf("%+v, %+v", c, got)
		}
	})
}

// A stumbler is a network that does not take the first message that it is given.
type stumbler struct {
	im.Service
	stumbled *atomic.Bool
	err      *im.Error
}

func (s stumbler) Open(ctx context.Context, a im.Account, resume im.Resume, sink im.Sink) (im.Conn, error) {
	conn, err := s.Service.Open(ctx, a, resume, sink)
	if err != nil {
		return nil, err
	}
	return stumblerConn{conn, s}, nil
}

type stumblerConn struct {
	im.Conn
	network stumbler
}

func (c stumblerConn) Send(ctx context.Context, m im.Outgoing) error {
	if !c.network.stumbled.Swap(true) {
		return c.network.err
	}
	return c.Conn.Send(ctx, m)
}

// What comes behind a message that did not go out waits for it.
func TestNothingOvertakes(t *testing.T) {
	for class, err := range map[string]*im.Error{"network": away, "throttled": {Class: im.Throttled, Err: errors.New("slowly")}} {
		t.Run(class, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := presencetest.Prepare(t)
				b.Adjust = func(s *presence.Server) { s.Services[im.XMPP] = stumbler{b.XMPP, new(atomic.Bool), err} }
				b.Start()
				client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
				b.Online(1)
				b.XMPP.Fail(away)
				synctest.Wait()
				for _, id := range []string{"m1", "m2", "m3"} {
					send(t, client, id, "xmpp:ben@x", id)
				}
				b.XMPP.Fail(nil)
				time.Sleep(5 * time.Minute)
				var got string
				for _, m := range b.XMPP.Received() {
					got += m.ID
				}
				if got != "m1m2m3" {
					t.Errorf("the network got %q", got)
				}
			})
		})
	}
}

// A message that could not go out for a day is given up, with a word.
func TestQueuedTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		b.Online(1)
		b.XMPP.Fail(away)
		synctest.Wait()
		send(t, client, "m1", "xmpp:ben@x", "hello")
		time.Sleep(24*time.Hour + time.Minute)
		b.XMPP.Fail(nil)
		time.Sleep(5*time.Minute + time.Second)
		if d := next[im.Delivery](t, client, wire.Delivery); d.State != im.Failed || d.Reason == "" {
			t.Errorf("%+v", d)
		}
		if got := b.XMPP.Received(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// How long a message has waited is the database's to say: it goes out though this machine's clock has jumped ahead by two
// days since it was written.
func TestQueuedBeforeTheClockJumped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		b.Online(1)
		b.XMPP.Fail(away)
		synctest.Wait()
		r, err := b.Store.Lookup(t.Context(), presencetest.Ana)
		if err != nil {
			t.Fatal(err)
		}
		m := im.Message{ID: "m1", To: im.Address{Network: "xmpp", ID: "ben@x"}, Body: "hello", Sent: time.Now().Add(-48 * time.Hour)}
		if _, _, err := b.Store.Journal(t.Context(), presencetest.Ana, r.Epoch, m); err != nil {
			t.Fatal(err)
		}
		b.XMPP.Fail(nil)
		time.Sleep(5*time.Minute + time.Second)
		if got := b.XMPP.Received(); len(got) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// The pauses double from 1 s to 5 min, within which chance decides; a network that asks for more gets more.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		b := presencetest.Prepare(t)
		b.XMPP.Fail(away)
		b.Adjust = func(s *presence.Server) {
			s.Lease, s.BeatEvery = 1000*time.Hour, 900*time.Hour
			s.Jitter = func(d time.Duration) time.Duration {
				if d != 30*time.Second { // the sweep's
					pauses = append(pauses, d)
				}
				return d / 2
			}
		}
		b.Start()
		b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}
		for i := range want {
			want[i] *= time.Second
		}
		if len(pauses) < len(want) || !slices.Equal(pauses[:len(want)], want) {
			t.Errorf("%v", pauses)
		}
		opens := b.XMPP.Counts().Opens
		b.XMPP.Fail(&im.Error{Class: im.Throttled, Retry: time.Hour, Err: errors.New("slow down")})
		time.Sleep(10 * time.Minute)
		if n := b.XMPP.Counts().Opens; n != opens+1 {
			t.Errorf("%d attempts although told to wait an hour", n-opens)
		}
		b.XMPP.Fail(nil)
		time.Sleep(time.Hour)
		if b.XMPP.Counts().Online != 1 {
			t.Error("not online an hour later")
		}
	})
}

// A login that the network refuses is not tried again by itself; the user hears of it, and his next login with another
// password is tried.
func TestBadCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		for class, state := range map[im.Class]string{
			im.Credential: "badcredentials", im.Conflict: "conflict", im.Config: "offline",
		} {
			b.XMPP.Fail(&im.Error{Class: class, Err: errors.New("no")})
			client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
			synctest.Wait()
			opens := b.XMPP.Counts().Opens
			time.Sleep(24 * time.Hour)
			if n := b.XMPP.Counts().Opens; n != opens {
				t.Errorf("%s: tried %d times again", class, n-opens)
			}
			again, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
			networks, err := again.Networks(t.Context())
			if err != nil || len(networks) != 2 || networks[1].State != state || networks[1].Address != presencetest.AnaID {
				t.Errorf("%s: %+v, %v", class, networks, err)
			}
			if class == im.Credential {
				reply, err := again.Send(t.Context(), wire.SendRequest{ID: "1", To: xmpp("ben@x"), Body: "x"})
				if err != nil || reply.State != im.Queued {
					t.Errorf("SEND: %+v, %v", reply, err)
				}
			}
			b.XMPP.Fail(nil)
			b.Accounts.Set(presencetest.Ana, presencetest.User{PIN: presencetest.AnaPIN, Name: "Ana", Logins: []im.Account{
				{Network: im.XMPP, ID: presencetest.AnaID, Password: "new for " + string(class)},
			}})
			b.Login(presencetest.Ana, presencetest.AnaPIN, "")
			synctest.Wait()
			if b.XMPP.Counts().Online != 1 {
				t.Errorf("%s: not online with the new password", class)
			}
			again.Logout(t.Context())
			client.Close()
			synctest.Wait()
		}
	})
}

// A login that another client took over is taken back when the user comes to Hark again.
func TestConflict(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.XMPP.Fail(&im.Error{Class: im.Conflict, Err: errors.New("taken over")})
	for next[wire.ServiceEvent](t, client, wire.Service).State != "conflict" {
	}
	b.XMPP.Fail(nil)
	b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
}

// Status reaches the network, and the next connection, and outlives a restart.
func TestStatus(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	shown := func(want im.Presence) {
		t.Helper()
		b.Until(fmt.Sprint("shown ", want), func() bool { return b.XMPP.Shown(presencetest.AnaID) == want })
	}
	shown(im.Presence{Show: im.Available})
	if err := client.Status(t.Context(), wire.StatusRequest{Show: im.Busy, Text: "on the phone"}); err != nil {
		t.Fatal(err)
	}
	shown(im.Presence{Show: im.Busy, Text: "on the phone"})
	if err := client.Status(t.Context(), wire.StatusRequest{Show: im.Offline}); !presence.HasCode(err, wire.Syntax) {
		t.Errorf("offline: %v", err)
	}
	client.Close()
	b.Stop()
	b.Accounts.Set(presencetest.Ana, presencetest.User{PIN: presencetest.AnaPIN, Logins: []im.Account{{Network: im.XMPP, ID: "other"}}})
	b.Start()
	b.Until("shown again", func() bool { return b.XMPP.Shown("other") == im.Presence{Show: im.Busy, Text: "on the phone"} })
}

func TestTyping(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.Until("online", func() bool {
		networks, err := client.Networks(t.Context())
		return err == nil && networks[1].State == "online"
	})
	if err := client.Typing(t.Context(), wire.TypingRequest{To: xmpp("ben@x"), On: true}); err != nil {
		t.Fatal(err)
	}
	if s := next[im.ChatState](t, client, wire.Typing); s.From != xmpp("ben@x") || !s.Typing {
		t.Errorf("%+v", s)
	}
	if err := client.Typing(t.Context(), wire.TypingRequest{To: im.Address{Network: im.Hark, ID: presencetest.Ben}}); err != nil {
		t.Errorf("where the network cannot: %v", err)
	}
}
