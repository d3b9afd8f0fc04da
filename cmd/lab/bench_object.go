package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"hark/accounts"
	"hark/db"
	"hark/im"
	"hark/presence"
	"hark/sessions"
)

const (
	objects   = 1000
	objectAim = 4 << 10
)

// measureObject measures what a session object takes by itself: a presence server takes over the sessions of a node that
// has stopped, each with a login at two networks on which nothing happens and whose own connections take nothing. Counted
// are this process's heap and stacks in use, after a collection of garbage, before and after.
func measureObject(ctx context.Context) (_ figure, err error) {
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	database, err := db.Open(ctx, db.Options{Source: filepath.Join(dir, "hark.db"), Mode: db.Serve})
	if err != nil {
		return figure{}, err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	store := sessions.Open(database, nil)
	defer func() { err = errors.Join(err, store.Close()) }()
	server := &presence.Server{
		Name: "bench", Addr: "hark://127.0.0.1:7778", Sessions: store, Accounts: everybody{}, Secret: make([]byte, 32),
		Services: map[string]im.Service{im.XMPP: idleNetwork(im.XMPP), im.Hark: idleNetwork(im.Hark)},
		Lease:    time.Minute, BeatEvery: time.Second, RestorePace: time.Nanosecond,
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Run(ctx) }()
	defer func() { cancel(); err = errors.Join(err, <-stopped) }()
	before, err := openObjects(ctx, server, store, 0, warmSessions)
	if err != nil {
		return figure{}, err
	}
	after, err := openObjects(ctx, server, store, warmSessions, warmSessions+objects)
	if err != nil {
		return figure{}, err
	}
	each := (after - before) / objects
	return measured(fmt.Sprintf("sessions: the session object alone (%d, two networks each)", objects), "%s", kib(each)).
		against("≤ "+kib(objectAim), each <= objectAim), nil
}

// openObjects leaves the sessions of some users to the server, waits until it has opened them and has no more to do, and
// returns the memory in use.
func openObjects(ctx context.Context, server *presence.Server, store sessions.Store, from, to int) (int64, error) {
	inc, err := store.StartNode(ctx, "left", "hark://127.0.0.1:7779", time.Minute)
	if err != nil {
		return 0, err
	}
	for i := from; i < to; i++ {
		if _, err := store.Claim(ctx, fmt.Sprint(5_000_000+i), fmt.Sprint("session", i), "left", inc); err != nil {
			return 0, err
		}
	}
	if err := store.StopNode(ctx, "left", inc); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for least := 0; server.Stats().Sessions < to || runtime.NumGoroutine() > least; {
		least = runtime.NumGoroutine() // it falls while the sessions still have something to do
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d sessions are open: %w", server.Stats().Sessions, to, context.Cause(ctx))
		case <-time.After(2 * time.Second): // longer than a report waits
		}
	}
	return memoryInUse(), nil
}

// memoryInUse is this process's heap and stacks, once the collector has freed and shrunk what it can.
func memoryInUse() int64 {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// everybody is an account server to which every number is a user with one XMPP login.
type everybody struct{}

func (everybody) Authenticate(context.Context, accounts.Credentials) (string, error) {
	return "", accounts.ErrRefused
}

func (everybody) Redeem(context.Context, string, string) (accounts.Claims, error) {
	return accounts.Claims{}, accounts.ErrRefused
}

func (everybody) Logins(_ context.Context, user string) ([]im.Account, error) {
	return []im.Account{{User: user, Network: im.XMPP, ID: user + "@example.org", Password: "password of " + user}}, nil
}

func (everybody) Name(_ context.Context, user string) (string, error) { return "user " + user, nil }

// idleNetwork is a network of this name on which nothing happens; it is its own connection.
type idleNetwork string

func (n idleNetwork) Network() string { return string(n) }

func (n idleNetwork) Open(_ context.Context, _ im.Account, _ im.Resume, sink im.Sink) (im.Conn, error) {
	sink.Event(im.Event{Pos: 1, Body: im.Synced{}})
	return n, nil
}

func (idleNetwork) Send(context.Context, im.Outgoing) error        { return nil }
func (idleNetwork) SetPresence(context.Context, im.Presence) error { return nil }
func (idleNetwork) Ack(im.Position)                                {}
func (idleNetwork) Close(context.Context, im.CloseMode) error      { return nil }
func (idleNetwork) Resume() im.Resume                              { return nil }
