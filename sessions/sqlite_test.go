package sessions_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/db"
	"hark/im"
	"hark/sessions"
	"hark/sessions/sessionstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A clock stands still until it is moved.
type clock struct{ now atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.now.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time           { return time.Unix(0, c.now.Load()) }
func (c *clock) Advance(by time.Duration) { c.now.Add(int64(by)) }

func openSQLite(t testing.TB, now func() time.Time) *db.DB {
	t.Helper()
	database, err := db.Open(context.Background(), db.Options{Source: filepath.Join(t.TempDir(), "hark.db"), Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	return database
}

func openStore(t testing.TB, database *db.DB) *sessions.SQL {
	store := sessions.Open(database, nil)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestSQLite(t *testing.T) {
	sessionstest.Run(t, func(t *testing.T) sessionstest.Harness {
		clock := newClock()
		database := openSQLite(t, clock.Now)
		return sessionstest.Harness{Store: openStore(t, database), Other: openStore(t, database), Advance: clock.Advance}
	})
}

// TestAppendIsOneTransaction: where the state from which a connection resumes cannot be stored, its message is not either.
func TestAppendIsOneTransaction(t *testing.T) {
	ctx := t.Context()
	database := openSQLite(t, nil)
	store := openStore(t, database)
	inc, err := store.StartNode(ctx, "a", "harks://a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := store.Claim(ctx, "ana", "s", "a", inc)
	if err != nil {
		t.Fatal(err)
	}
	err = database.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`CREATE TRIGGER no_state BEFORE INSERT ON resume BEGIN SELECT raise(ABORT, 'no state'); END`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(ctx, "ana", grant.Epoch, sessions.Batch{Messages: []im.Message{{Origin: "o", Body: "hello"}}, Network: "xmpp", Resume: im.Resume("r")}); err == nil {
		t.Error("it succeeds")
	}
	if found, err := store.Read(ctx, "ana", sessions.Query{}); len(found) != 0 || err != nil {
		t.Errorf("there is %+v, %v", found, err)
	}
}
