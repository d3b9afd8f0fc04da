// Package presencetest runs a whole presence server in a test: a real session store on SQLite in a temporary folder, an
// IM network and an account server in memory, and clients over net.Pipe.
package presencetest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"hark/db"
	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/sessions"
)

// Ana and Ben are the users that a Bed begins with. Ana also has a login at the network "xmpp"; Ben does not.
const (
	Ana    = "4711001"
	AnaPIN = "493817"
	AnaID  = "ana@example.org" // at "xmpp"
	Ben    = "4711002"
	BenPIN = "605128"
)

// A Bed is a presence server with all that it needs.
type Bed struct {
	testing.TB
	Server   *presence.Server // the running one
	Store    sessions.Store
	Accounts *Accounts
	XMPP     *Network
	// Adjust changes a server before it starts; set it before Start.
	Adjust func(*presence.Server)

	database *db.DB
	stop     context.CancelFunc
	stopped  chan error
}

// New makes a Bed and starts its server; all ends with the test.
func New(t testing.TB) *Bed {
	b := Prepare(t)
	b.Start()
	return b
}

// Prepare makes a Bed whose server is not started yet.
func Prepare(t testing.TB) *Bed {
	t.Helper()
	database, err := db.Open(t.Context(), db.Options{Source: filepath.Join(t.TempDir(), "hark.db"), Clock: time.Now}) // which synctest replaces
	if err != nil {
		t.Fatal(err)
	}
	store := sessions.Open(database, nil)
	b := &Bed{TB: t, Store: store, Accounts: &Accounts{}, XMPP: &Network{Name: im.XMPP}, database: database}
	b.Accounts.Set(Ana, User{PIN: AnaPIN, Name: "Ana", Logins: []im.Account{{Network: im.XMPP, ID: AnaID, Password: "x"}}})
	b.Accounts.Set(Ben, User{PIN: BenPIN, Name: "Ben"})
	t.Cleanup(func() {
		b.Stop()
		if err := errors.Join(store.Close(), database.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Start starts a server on the Bed's store.
func (b *Bed) Start() {
	b.Helper()
	b.Server = &presence.Server{
		Name: "ps1", Addr: "hark://127.0.0.1:7778", Sessions: b.Store, Accounts: b.Accounts,
		Services: map[string]im.Service{im.XMPP: b.XMPP, im.Hark: &Local{Store: b.Store, Accounts: b.Accounts}},
		Secret:   []byte("a secret that outlives the server"),
		// A test may send as much as it likes.
		SendEvery: -1,
		Log:       slog.New(slog.NewTextHandler(output{b}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if b.Adjust != nil {
		b.Adjust(b.Server)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.stop, b.stopped = cancel, make(chan error, 1)
	go func() { b.stopped <- b.Server.Run(ctx) }()
}

// Stop shuts the server down as SIGTERM does.
func (b *Bed) Stop() {
	b.Helper()
	if b.stop == nil {
		return
	}
	b.stop()
	if err := <-b.stopped; err != nil {
		b.Errorf("the server stopped with %v", err)
	}
	b.stop = nil
}

// Dialer finds the Bed's server.
func (b *Bed) Dialer() *presence.Dialer {
	return &presence.Dialer{Home: "pipe:", Pipe: func(ctx context.Context) (net.Conn, error) { return b.Server.Pipe(ctx) }}
}

// Client connects without logging in; the client is closed with the test.
func (b *Bed) Client() *presence.Client {
	b.Helper()
	conn, err := b.Server.Pipe(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	client, err := presence.NewClient(conn, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close() })
	return client
}

// Login logs in as a telephone; kind "" is one.
func (b *Bed) Login(user, pin, kind string) (*presence.Client, wire.SessionReply) {
	b.Helper()
	client := b.Client()
	reply, err := client.Login(b.Context(), wire.LoginRequest{User: user, PIN: pin, Client: kind, Caller: "+49301234"})
	if err != nil {
		b.Fatal(err)
	}
	return client, reply
}

// Until waits until a condition holds; what makes it hold takes milliseconds.
func (b *Bed) Until(what string, holds func() bool) {
	b.Helper()
	for range 2000 {
		if holds() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatalf("still not: %s", what)
}

// Online waits until the network sees a login of so many users.
func (b *Bed) Online(n int) {
	b.Helper()
	b.Until("online at the network", func() bool { return b.XMPP.Counts().Online == n })
}

// output is a test's log.
type output struct{ testing.TB }

// Write implements io.Writer.
func (o output) Write(line []byte) (int, error) {
	o.Logf("%s", line)
	return len(line), nil
}
