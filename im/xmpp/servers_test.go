package xmpp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"mellium.im/sasl"
	mellium "mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"hark/im"
	"hark/im/xmpp"
)

// patience is how long something may take that takes milliseconds.
const patience = 20 * time.Second

// A diary keeps the events of a Conn.
type diary struct {
	mu     sync.Mutex
	cond   *sync.Cond
	events []im.Event
}

func newDiary() *diary {
	d := new(diary)
	d.cond = sync.NewCond(&d.mu)
	return d
}

// Event implements im.Sink.
func (d *diary) Event(e im.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	d.cond.Broadcast()
}

// find waits for the first event that fits.
func find[Body any](t testing.TB, d *diary, fits func(Body) bool) im.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.cond.Broadcast()
	})()
	d.mu.Lock()
	defer d.mu.Unlock()
	for seen := 0; ; {
		for ; seen < len(d.events); seen++ {
			if body, ok := d.events[seen].Body.(Body); ok && fits(body) {
				return d.events[seen]
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("no fitting %T among %+v", *new(Body), d.events)
		}
		d.cond.Wait()
	}
}

func anyRoster(im.Roster) bool   { return true }
func anyMessage(im.Message) bool { return true }
func anyState(im.State) bool     { return true }

// texts returns the bodies of the incoming messages.
func (d *diary) texts() []string {
	var list []string
	for _, m := range d.incoming() {
		list = append(list, m.Body)
	}
	return list
}

func (d *diary) incoming() []im.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []im.Message
	for _, e := range d.events {
		if m, ok := e.Body.(im.Message); ok && !m.Outgoing {
			list = append(list, m)
		}
	}
	return list
}

func (d *diary) last() im.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.events[len(d.events)-1]
}

func login(t testing.TB, s *xmpp.Service, a im.Account, resume im.Resume) (im.Conn, *diary) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := newDiary()
	c, err := s.Open(ctx, a, resume, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Close(ctx, im.Logout); err != nil {
			t.Error(err)
		}
	})
	return c, d
}

// TestCutIsNoNewLogin is the promise to the caller: the connection breaks, three messages are sent meanwhile, all three
// are there after Open, which took up the same login, and his contacts saw nothing of it.
func TestCutIsNoNewLogin(t *testing.T) { onEach(t, cutIsNoNewLogin) }

func cutIsNoNewLogin(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	p := startProxy(t, r.Addr)
	account.Server = p.Addr
	c, d := login(t, r.service(), account, nil)
	c.Ack(find(t, d, anyRoster).Pos)
	if err := friend.Sees(t.Context(), im.Available); err != nil {
		t.Fatal(err)
	}
	before := friend.sawLeave() // of the time before the login
	p.cut()
	if s := find(t, d, anyState).Body.(im.State); s.Err == nil || s.Err.Class != im.Network {
		t.Errorf("State says %v", s.Err)
	}
	for i := range 3 {
		if err := friend.Send(t.Context(), im.Outgoing{ID: fmt.Sprint(i), To: account.Address(), Body: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	var log bytes.Buffer
	s := r.service()
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	_, d = login(t, s, account, c.Resume())
	for i := range 3 {
		find(t, d, func(m im.Message) bool { return m.Body == fmt.Sprint(i) })
	}
	t.Logf("three messages %s after Open began", time.Since(begin))
	got := d.texts()
	if onEjabberd(t) { // 23.01 routes anew what came to the old connection while the new one took over, so it may come last
		slices.Sort(got)
	}
	if strings.Join(got, " ") != "0 1 2" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(log.String(), "resumed=true") {
		t.Errorf("the login was not taken up: %s", log.String())
	}
	if n := friend.sawLeave() - before; n != 0 {
		t.Errorf("the friend saw the user go away %d times", n)
	}
}

// TestAppearing: messages keep coming while the user logs in, for the first time and then again without resuming the
// stream. Some wait at the server, some come live, and none is lost in between. What comes twice has the same origin, by
// which a session knows it.
func TestAppearing(t *testing.T) {
	const pairs = 4
	for name := range servers {
		t.Run(name, func(t *testing.T) {
			r := startRealmOn(t, name, pairs)
			for range pairs {
				account, friend := r.pair(t)
				t.Run(account.ID, func(t *testing.T) {
					t.Parallel()
					origins := map[string]string{}
					resume := appear(t, r, account, friend, "first", nil, origins)
					appear(t, r, account, friend, "again", forgetStream(t, resume), origins)
				})
			}
		})
	}
}

// appear logs in while the friend sends, checks that all came, each with one origin, and returns where to go on.
func appear(t *testing.T, r *realm, account im.Account, friend *peer, which string, resume im.Resume, origins map[string]string) im.Resume {
	t.Helper()
	const n = 150
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(which, i))
	}
	var sender sync.WaitGroup
	sender.Go(func() {
		for _, body := range want {
			if err := friend.Send(t.Context(), im.Outgoing{ID: body, To: account.Address(), Body: body}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	c, d := login(t, r.service(), account, resume)
	sender.Wait()
	for _, body := range want {
		find(t, d, func(m im.Message) bool { return m.Body == body })
	}
	find(t, d, func(im.Synced) bool { return true })
	for _, m := range d.incoming() {
		if first, again := origins[m.Body]; again && first != m.Origin {
			t.Errorf("%s came with the origins %s and %s", m.Body, first, m.Origin)
		}
		origins[m.Body] = m.Origin
	}
	c.Ack(d.last().Pos)
	if err := c.Close(t.Context(), im.Keep); err != nil {
		t.Fatal(err)
	}
	return c.Resume()
}

// forgetStream takes out of a resume state what resumes the stream.
func forgetStream(t *testing.T, resume im.Resume) im.Resume {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(resume, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "sm")
	resume, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return resume
}

// TestLongAbsence: the server was restarted and much more came than one page of the archive holds.
func TestLongAbsence(t *testing.T) { onEach(t, longAbsence) }

func longAbsence(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	c, d := login(t, r.service(), account, nil)
	send := func(i int) {
		t.Helper()
		if err := friend.Send(t.Context(), im.Outgoing{ID: fmt.Sprint(i), To: account.Address(), Body: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	send(0)
	c.Ack(find(t, d, anyMessage).Pos)
	if err := c.Close(t.Context(), im.Keep); err != nil {
		t.Fatal(err)
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	friend.awaitOnline(t)
	const n = 130
	var want []string
	for i := 1; i <= n; i++ {
		send(i)
		want = append(want, fmt.Sprint(i))
	}
	_, d = login(t, r.service(), account, c.Resume())
	for _, body := range want {
		find(t, d, func(m im.Message) bool { return m.Body == body })
	}
	got := d.texts()
	if onEjabberd(t) { // its threads archive each for itself, and 29 may come after 31
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// TestOldState resumes from a state that is older than what was acknowledged since, as a database that was put back brings
// it; nothing may be missing. Prosody refuses. ejabberd 23.01 goes on without what it was told was kept, but has handled
// more of ours (receipts here) than the state knows of.
func TestOldState(t *testing.T) { onEach(t, oldState) }

func oldState(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	c, d := login(t, r.service(), account, nil)
	find(t, d, anyRoster) // the friend is to get receipts
	var old im.Resume
	for i := range 3 {
		if err := friend.Send(t.Context(), im.Outgoing{ID: fmt.Sprint(i), To: account.Address(), Body: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
		e := find(t, d, func(m im.Message) bool { return m.Body == fmt.Sprint(i) })
		c.Ack(e.Pos)
		if i == 0 {
			old = e.Resume
		}
	}
	if err := c.Close(t.Context(), im.Keep); err != nil {
		t.Fatal(err)
	}
	_, d = login(t, r.service(), account, old)
	find(t, d, func(m im.Message) bool { return m.Body == "2" })
	if got := strings.Join(d.texts(), " "); got != "1 2" {
		t.Errorf("got %s", got)
	}
}

// another is a second client of the same account, made of the library alone, with carbon copies on.
func another(t *testing.T, r *realm, account im.Account, resource string) *mellium.Session {
	t.Helper()
	p := &peer{jid: account.ID + "/" + resource, password: account.Password, server: r.Addr, roots: r.Roots}
	session, conn, err := p.login(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = session.Serve(nil)
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	for _, s := range []string{"<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>", "<presence/>"} {
		if err := session.Send(t.Context(), tokens("%s", s)); err != nil {
			t.Fatal(err)
		}
	}
	return session
}

// TestCarbons: what the user writes with another client, and what goes to that client only, is seen.
func TestCarbons(t *testing.T) { onEach(t, carbons) }

func carbons(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	_, d := login(t, r.service(), account, nil)
	find(t, d, anyRoster)
	desk := another(t, r, account, "desk")
	if err := desk.Send(t.Context(), tokens("<message to='%s' type='chat' id='d1'><body>from my desk</body></message>", friend.jid)); err != nil {
		t.Fatal(err)
	}
	m := find(t, d, anyMessage).Body.(im.Message)
	if !m.Outgoing || m.Body != "from my desk" || m.To != friend.Address() || m.From != account.Address() || m.ID != "d1" {
		t.Errorf("got %+v", m)
	}
	if err := friend.raw(t.Context(), "<message to='%s' type='chat' id='d2'><body>to your desk</body></message>", desk.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	m = find(t, d, func(m im.Message) bool { return !m.Outgoing }).Body.(im.Message)
	if m.Body != "to your desk" || m.From != friend.Address() {
		t.Errorf("got %+v", m)
	}
}

// TestTakenOver: another client with the same resource ends the Conn for good.
func TestTakenOver(t *testing.T) { onEach(t, takenOver) }

func takenOver(t *testing.T, r *realm) {
	account, _ := r.pair(t)
	_, d := login(t, r.service(), account, nil)
	find(t, d, anyRoster)
	_, other := login(t, r.service(), account, nil)
	s := find(t, d, anyState).Body.(im.State)
	if s.Err == nil || s.Err.Class != im.Conflict || s.Err.Retryable() {
		t.Errorf("State says %v", s.Err)
	}
	find(t, other, anyRoster)
}

// TestFreshLoginReplaces: a login without a resume state takes the place of the one that was kept, so that contacts do
// not see the user twice.
func TestFreshLoginReplaces(t *testing.T) { onEach(t, freshLoginReplaces) }

func freshLoginReplaces(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	c, d := login(t, r.service(), account, nil)
	find(t, d, anyRoster)
	if err := c.Close(t.Context(), im.Keep); err != nil {
		t.Fatal(err)
	}
	c, _ = login(t, r.service(), account, nil)
	if err := friend.Sees(t.Context(), im.Available); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context(), im.Logout); err != nil {
		t.Fatal(err)
	}
	if err := friend.Sees(t.Context(), im.Offline); err != nil {
		t.Error(err)
	}
}

// TestWaitingMessages: what came while the user was never logged in is there after the first login.
func TestWaitingMessages(t *testing.T) { onEach(t, waitingMessages) }

func waitingMessages(t *testing.T, r *realm) {
	account, friend := r.pair(t)
	for i := range 3 {
		if err := friend.Send(t.Context(), im.Outgoing{ID: fmt.Sprint(i), To: account.Address(), Body: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	friend.settle(t)
	_, d := login(t, r.service(), account, nil)
	want := []string{"0", "1", "2"}
	for _, body := range want {
		find(t, d, func(m im.Message) bool { return m.Body == body })
	}
	got := d.texts()
	if onEjabberd(t) {
		slices.Sort(got) // its threads store them each for itself, and it hands them over in the order that came about
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// TestInvisibleIsHonest: Prosody alone cannot hide anybody, and the user hears of it.
func TestInvisibleIsHonest(t *testing.T) {
	r := startRealm(t, 1)
	account, friend := r.pair(t)
	c, _ := login(t, r.service(), account, nil)
	var refused *im.Error
	if err := c.SetPresence(t.Context(), im.Presence{Show: im.Invisible}); !errors.As(err, &refused) || refused.Class != im.Policy {
		t.Errorf("got %v", err)
	}
	if err := friend.Sees(t.Context(), im.Available); err != nil {
		t.Error(err)
	}
}

func TestRefusedLogins(t *testing.T) {
	r := startRealm(t, 1)
	account, _ := r.pair(t)
	with := func(change func(*xmpp.Service, *im.Account)) (*xmpp.Service, im.Account) {
		s, a := r.service(), account
		change(s, &a)
		return s, a
	}
	for name, c := range map[string]struct {
		change func(*xmpp.Service, *im.Account)
		class  im.Class
	}{
		"certificate of a stranger": {func(s *xmpp.Service, _ *im.Account) { s.TLS = nil }, im.Config},
		"certificate of another":    {func(s *xmpp.Service, _ *im.Account) { s.TLS.ServerName = "example.org" }, im.Config},
		"unknown user":              {func(_ *xmpp.Service, a *im.Account) { a.ID = "nobody@localhost" }, im.Credential},
		"no user":                   {func(_ *xmpp.Service, a *im.Account) { a.ID = "localhost" }, im.Config},
		"not an address":            {func(_ *xmpp.Service, a *im.Account) { a.ID = "@@" }, im.Config},
		"server without a port":     {func(_ *xmpp.Service, a *im.Account) { a.Server = "localhost" }, im.Config},
		"another domain": {func(s *xmpp.Service, a *im.Account) {
			s.TLS.ServerName, a.ID = "localhost", "user0@elsewhere.example.org"
		}, im.Config},
		"direct TLS where there is none": {func(_ *xmpp.Service, a *im.Account) {
			a.Options = map[string]string{xmpp.OptionTLS: "direct"}
		}, im.Config},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			s, a := with(c.change)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := s.Open(ctx, a, nil, newDiary())
			var e *im.Error
			if !errors.As(err, &e) || e.Class != c.class {
				t.Errorf("got %v, not %s", err, c.class)
			}
			if err != nil && strings.Contains(err.Error(), account.Password) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

// TestDirectTLS logs in at a server that begins with TLS and only takes passwords in the clear: another server than
// Prosody, made of the library's other half.
func TestDirectTLS(t *testing.T) {
	r := startRealm(t, 1)
	cert, err := tls.LoadX509KeyPair(r.CAFile, strings.Replace(r.CAFile, "cert.pem", "key.pem", 1))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"xmpp-client"}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				session, err := mellium.ReceiveSession(t.Context(), conn, mellium.Secure, mellium.NewNegotiator(serverSide))
				if err == nil {
					_ = session.Serve(nil)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	account := im.Account{Network: im.XMPP, ID: "ana@localhost", Password: "secret", Server: l.Addr().String(),
		Options: map[string]string{xmpp.OptionTLS: "direct"}}
	s := r.service()
	var refused *im.Error
	if _, err := s.Open(t.Context(), account, nil, newDiary()); !errors.As(err, &refused) || refused.Class != im.Config {
		t.Errorf("a server that wants the password in the clear: %v", err)
	}
	s.AllowPlain = true
	c, d := login(t, s, account, nil)
	if err := c.Send(t.Context(), im.Outgoing{ID: "1", To: xmppAddress("ben@localhost"), Body: "x"}); err != nil {
		t.Error(err)
	}
	find(t, d, func(d im.Delivery) bool { return d.ID == "1" && d.State == im.Sent })
	if err := c.Close(t.Context(), im.Logout); err != nil {
		t.Error(err)
	}
	if e := d.last(); e.Resume != nil {
		t.Errorf("a state %s after the logout", e.Resume)
	}
}

func serverSide(*mellium.Session, *mellium.StreamConfig) mellium.StreamConfig {
	allow := func(n *sasl.Negotiator) bool {
		user, password, _ := n.Credentials()
		return string(user) == "ana" && string(password) == "secret"
	}
	return mellium.StreamConfig{Features: []mellium.StreamFeature{
		mellium.SASLServer(allow, sasl.Plain),
		mellium.BindCustom(func(jid.JID, string) (jid.JID, error) { return jid.MustParse("ana@localhost/hark"), nil }),
	}}
}
