// Package imtest is the conformance suite that every im.Service passes. It holds a case for every sentence of package
// im's documentation that a service can keep or break, and looks from both ends: at the events that the service gives,
// and at what an independent client of the network sees.
//
// A service runs it against the real thing:
//
//	imtest.Run(t, imtest.Harness{Can: …, New: func(t *testing.T) imtest.Pair { … }})
package imtest

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/im"
)

// patience is how long a case waits for something to happen; what it waits for takes milliseconds.
const patience = 20 * time.Second

// A Harness says what a service can do, and makes what a case needs.
type Harness struct {
	Can Abilities
	// Disorder tells that the network hands over in any order what came while the user was away, or while he appears.
	Disorder bool
	// New makes two accounts that know each other and that nothing has happened to yet. It is called once a case; what
	// it starts ends with the test.
	New func(t *testing.T) Pair
}

// Abilities are what not every network has. Cases for what is missing are not run.
type Abilities struct {
	Credentials bool // a login can be refused: Pair.Wrong
	Servers     bool // the server can be away: Pair.Away, Pair.Silent
	Sent        bool // the network acknowledges messages
	Receipts    bool // the other side's client says that it has the message
	Read        bool // the Conn is an im.Marker
	Typing      bool // the Conn is an im.Typer
	Contacts    bool // the Conn is an im.RosterEditor
	Resume      bool // the login goes on after Close(Keep): Pair.Cut, Pair.Restart
}

// A Pair is a user of the service and somebody he knows.
type Pair struct {
	Service im.Service
	Account im.Account // logs in at Service
	Peer    Peer       // is online
	Nobody  im.Address // an address that nobody has
	// Inbox gives the incoming messages where they do not come through the Sink; nil when they do.
	Inbox <-chan im.Message

	Wrong  im.Account // Account with a wrong password
	Away   im.Account // at a server that is not there
	Silent im.Account // at a server that takes the connection and says nothing

	Cut     func() // breaks all connections of the account, without a word
	Restart func() // restarts the server; logins that waited to be resumed are gone, and the peer is online again

	// Foreign are the goroutines that may begin in a case without being the service's, say those of a restarted server.
	Foreign []goleak.Option
}

// A Peer is somebody at the other end, with a client that has nothing to do with the service under test.
type Peer interface {
	Address() im.Address
	// Send sends a message to the user, asking for a receipt where the network knows such a thing.
	Send(ctx context.Context, m im.Outgoing) error
	// Receive waits for the next message from the user.
	Receive(ctx context.Context) (im.Message, error)
	// Show publishes the peer's presence.
	Show(ctx context.Context, s im.Show) error
	// Sees waits until the peer sees the user so.
	Sees(ctx context.Context, s im.Show) error
	// Told waits until the user's client has reported on a message of the peer, and returns how far it has come. Only
	// called with the abilities Receipts and Read.
	Told(ctx context.Context, id string) (im.DeliveryState, error)
	// Types tells the user that the peer begins or stops typing. Only called with the ability Typing.
	Types(ctx context.Context, on bool) error
}

// A bench is one running case.
type bench struct {
	*testing.T
	Pair
	disorder bool
	ctx      context.Context
}

// A testCase is one promise of package im.
type testCase struct {
	name  string
	needs func(Abilities) bool // nil: everybody has it
	run   func(*bench)
}

// Run runs every case that the service has the abilities for.
func Run(t *testing.T, h Harness) {
	for _, group := range [][]testCase{loginCases, messageCases, reportCases, peopleCases, resumeCases} {
		for _, c := range group {
			if c.needs == nil || c.needs(h.Can) {
				t.Run(c.name, func(t *testing.T) { runCase(t, h, c) })
			}
		}
	}
}

// runCase runs one case and checks that it leaves no goroutine.
func runCase(t *testing.T, h Harness, c testCase) {
	pair := h.New(t)
	foreign := append([]goleak.Option{goleak.IgnoreCurrent()}, pair.Foreign...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	c.run(&bench{T: t, Pair: pair, disorder: h.Disorder, ctx: ctx})
	cancel()
	if err := goleak.Find(foreign...); err != nil {
		t.Error(err)
	}
}
