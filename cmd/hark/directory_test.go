package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/accounts"
	"hark/db"
	"hark/im"
	"hark/im/local"
	"hark/sessions"
)

// quarters are the users of a database and the service between them.
type quarters struct {
	local.Service
	users *accounts.DB
	store *sessions.SQL
	inc   sessions.Incarnation
}

// A tenant is one of them, online, with a session.
type tenant struct {
	im.Conn
	number string
	epoch  sessions.Epoch
}

func newQuarters(t *testing.T) *quarters {
	t.Helper()
	dir := t.TempDir()
	database, err := db.Open(t.Context(), db.Options{Source: filepath.Join(dir, "hark.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	keys, err := accounts.LoadKeys(filepath.Join(dir, "hark.key"))
	if err != nil {
		t.Fatal(err)
	}
	q := &quarters{}
	if q.users, err = accounts.Open(t.Context(), database, keys, accounts.Options{}); err != nil {
		t.Fatal(err)
	}
	q.store = sessions.Open(database, nil)
	t.Cleanup(func() { q.store.Close() })
	q.Directory, q.Deliverer = directory{q.users, q.store}, deliverer{q.store}
	if q.inc, err = q.store.StartNode(t.Context(), "n1", "hark://127.0.0.1:7778", time.Hour); err != nil {
		t.Fatal(err)
	}
	return q
}

func (q *quarters) add(t *testing.T, name string) tenant {
	t.Helper()
	u, _, err := q.users.Add(t.Context(), accounts.NewUser{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := q.store.Claim(t.Context(), u.Number, "session of "+name, "n1", q.inc)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := q.Open(t.Context(), im.Account{User: u.Number, Network: im.Hark, ID: u.Number}, nil, im.SinkFunc(func(im.Event) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background(), im.Logout) })
	return tenant{conn, u.Number, grant.Epoch}
}

func toNumber(number, id string) im.Outgoing {
	return im.Outgoing{ID: id, To: im.Address{Network: im.Hark, ID: number}, Body: "Is anybody there?"}
}

// TestContacts looks at who is told by name to whom: those who wrote. The others stay numbers.
func TestContacts(t *testing.T) {
	q := newQuarters(t)
	ana, ben, carla := q.add(t, "Ana"), q.add(t, "Ben"), q.add(t, "Carla")
	const free = "0000000"
	for i, number := range []string{free, ben.number, carla.number} {
		m := toNumber(number, fmt.Sprint(i))
		if _, _, err := q.store.Journal(t.Context(), ana.number, ana.epoch, im.Message{ID: m.ID, To: m.To, Body: m.Body, Outgoing: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ben.Send(t.Context(), toNumber(ana.number, "b")); err != nil {
		t.Fatal(err)
	}
	got, err := q.Directory.Contacts(t.Context(), ana.number)
	want := []local.Contact{{User: free}, {User: ben.number, Name: "Ben", Wrote: true}, {User: carla.number}}
	slices.SortFunc(want, func(a, b local.Contact) int { return strings.Compare(a.User, b.User) })
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Ana's contacts are %+v, %v, not %+v", got, err, want)
	}
}
