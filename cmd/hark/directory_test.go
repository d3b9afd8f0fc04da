package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
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

// TestNumbersAreNotFoundByTime is threat T3 for who writes to numbers: a message to one that nobody has is taken after the
// same time, within 5 %, as one to a user. A machine that is busy with other things gets several chances.
func TestNumbersAreNotFoundByTime(t *testing.T) {
	const tries = 200
	q := newQuarters(t)
	ana, ben := q.add(t, "Ana"), q.add(t, "Ben")
	free := "0" + ben.number[1:] // they begin with another digit
	apart := 0.0
	for chance := range 25 {
		var took [2][]time.Duration
		for n := range tries {
			for i, number := range []string{ben.number, free} {
				began := time.Now()
				if err := ana.Send(t.Context(), toNumber(number, fmt.Sprint(chance, "-", n))); err != nil {
					t.Fatal(err)
				}
				took[i] = append(took[i], time.Since(began))
			}
		}
		slices.Sort(took[0])
		slices.Sort(took[1])
		known, unknown := took[0][tries/2], took[1][tries/2]
		apart = math.Abs(float64(known-unknown)) / float64(known)
		t.Logf("the median of %d messages is %s to a number that exists and %s to one that does not: %.1f %% apart", tries, known, unknown, 100*apart)
		if apart < 0.05 {
			return
		}
	}
	t.Errorf("the two are %.1f %% apart", 100*apart)
}

// TestContacts looks at who is told by name to whom: those who wrote. The others stay numbers, whether somebody has them or
// nobody.
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
