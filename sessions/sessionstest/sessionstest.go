// Package sessionstest is the conformance suite of sessions.Store: one case for every rule of its law. Every engine
// passes it.
package sessionstest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hark/im"
	"hark/sessions"
)

// A Harness is a fresh, empty database.
type Harness struct {
	Store   sessions.Store         // one node's handle on it
	Other   sessions.Store         // another node's handle on the same database
	Advance func(by time.Duration) // moves the database's clock, which otherwise stands still
	Cut     func(lose func())      // breaks the engine's notifications while lose runs; nil where they cannot break
	Break   func()                 // breaks all connections to the engine; nil where there are none
}

// A rule is one case of the suite.
type rule struct {
	name string
	run  func(t *testing.T, h Harness)
}

// Run checks every rule, each on a Harness of its own.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	topics := []struct {
		name  string
		rules []rule
	}{
		{"node", nodeRules}, {"owner", ownerRules}, {"race", raceRules}, {"key", keyRules}, {"log", logRules},
		{"outgoing", outgoingRules}, {"read", readRules}, {"cursor", cursorRules}, {"retention", retentionRules},
		{"state", stateRules}, {"watch", watchRules}, {"model", modelRules}, {"linear", linearRules},
	}
	for _, topic := range topics {
		for _, r := range topic.rules {
			t.Run(topic.name+"/"+r.name, func(t *testing.T) { r.run(t, open(t)) })
		}
	}
}

// What most cases use.
const (
	user = "4711001"
	ttl  = 10 * time.Second
)

// must fails the test unless err is nil.
func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr fails the test unless err is want.
func wantErr(t tb, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// wantHeld fails the test unless err is *sessions.Held by the node; it returns the owner's record.
func wantHeld(t testing.TB, err error, node string) sessions.Record {
	t.Helper()
	var held *sessions.Held
	if !errors.As(err, &held) {
		t.Fatalf("error is %v, want *Held by %s", err, node)
	}
	if held.Owner.Node != node || !held.Owner.Alive && held.Owner.Node == "" {
		t.Fatalf("held by %+v, want node %s", held.Owner, node)
	}
	return held.Owner
}

// equal fails the test unless got is want.
func equal[T comparable](t tb, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// start starts a node with a lease of ttl.
func start(t testing.TB, s sessions.Store, node string) sessions.Incarnation {
	t.Helper()
	inc, err := s.StartNode(context.Background(), node, "harks://"+node+":7778", ttl)
	must(t, err)
	return inc
}

// claim claims a session that must be had.
func claim(t tb, s sessions.Store, user, session, node string, inc sessions.Incarnation) sessions.Grant {
	t.Helper()
	grant, err := s.Claim(context.Background(), user, session, node, inc)
	must(t, err)
	return grant
}

// owned starts node "a" and claims the user's session "s1" for it.
func owned(t testing.TB, h Harness) sessions.Epoch {
	t.Helper()
	return claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a")).Epoch
}

// incoming is message n from Ben.
func incoming(n int) im.Message {
	return im.Message{
		Origin: fmt.Sprintf("o%d", n), ID: fmt.Sprintf("i%d", n), Body: fmt.Sprintf("message %d", n),
		From: im.Address{Network: "xmpp", ID: "ben@example.org"}, To: im.Address{Network: "xmpp", ID: "ana@example.org"},
	}
}

// reply is message n to Ben.
func reply(n int) im.Message {
	m := incoming(n)
	m.Origin, m.ID, m.Outgoing, m.From, m.To = "", fmt.Sprintf("out%d", n), true, m.To, m.From
	return m
}

// appendN appends messages from..to from Ben, one call each.
func appendN(t testing.TB, s sessions.Store, epoch sessions.Epoch, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		_, err := s.Append(context.Background(), user, epoch, sessions.Batch{Messages: []im.Message{incoming(n)}})
		must(t, err)
	}
}

// bodies lists what Read returns for the query.
func bodies(t testing.TB, s sessions.Store, q sessions.Query) (all []string) {
	t.Helper()
	msgs, err := s.Read(context.Background(), user, q)
	must(t, err)
	for _, m := range msgs {
		all = append(all, m.Body)
	}
	return all
}

// tb is what *testing.T, *testing.B and *rapid.T have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
