package sessions_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/db"
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
