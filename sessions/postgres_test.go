package sessions_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"hark/db"
	"hark/db/dbtest"
	"hark/sessions"
	"hark/sessions/sessionstest"
)

// TestPostgres runs the suite on one database, which each case finds empty.
func TestPostgres(t *testing.T) {
	server := dbtest.Postgres(t)
	url := server.Fresh(t)
	database := openPostgres(t, url)
	exec := func(statement string) { server.Exec(t, dbtest.Name(url), statement) }
	exec(standingClock)
	sessionstest.Run(t, func(t *testing.T) sessionstest.Harness {
		exec(`TRUNCATE node, session, session_key, message, cursor, resume, user_state`)
		return sessionstest.Harness{
			Store: openStore(t, database), Other: openStore(t, database),
			Advance: func(by time.Duration) { exec(leap(by)) },
			Cut:     func(lose func()) { server.Deafen(t); lose() },
			Break:   func() { server.Break(t) },
		}
	})
}

// A claim that waits for the session's row while another node starts and takes the session finds that node alive.
func TestClaimWaits(t *testing.T) {
	ctx := t.Context()
	server := dbtest.Postgres(t)
	url := server.Fresh(t)
	store := openStore(t, openPostgres(t, url))
	raw, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	slow, err := store.StartNode(ctx, "slow", "harks://slow", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := raw.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statement string) {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO session (usr, id, epoch) VALUES ('ana', 's', 1)`)
	claimed := make(chan error, 1)
	go func() {
		_, err := store.Claim(ctx, "ana", "s", "slow", slow)
		claimed <- err
	}()
	for waiting(t, raw) == 0 {
	}
	if _, err := store.StartNode(ctx, "quick", "harks://quick", time.Minute); err != nil {
		t.Fatal(err)
	}
	exec(`UPDATE session SET node = 'quick', inc = 1 WHERE usr = 'ana'`)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if held, ok := errors.AsType[*sessions.Held](<-claimed); !ok || held.Owner.Node != "quick" {
		t.Errorf("the claim of a live owner's session: %v", held)
	}
}

// A node does not start again while a claim is under way that was decided by its incarnation before, as the claimer or
// as the owner: the claim would take effect after the start.
func TestStartWaitsForClaim(t *testing.T) {
	server := dbtest.Postgres(t)
	url := server.Fresh(t)
	store := openStore(t, openPostgres(t, url))
	server.Exec(t, dbtest.Name(url), claimsPause)
	raw, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, node := range []string{"claimer", "owner"} {
		t.Run(node, func(t *testing.T) { startWaits(t, store, raw, node) })
	}
}

// startWaits starts the node, claimer or owner, in the middle of a claim.
func startWaits(t *testing.T, store sessions.Store, raw *sql.DB, node string) {
	ctx := t.Context()
	start := func(node string) (sessions.Incarnation, error) {
		return store.StartNode(ctx, node, "harks://"+node, time.Minute)
	}
	claim := func(claimer string, inc sessions.Incarnation) error {
		_, err := store.Claim(ctx, "user of "+node, "s", claimer, inc)
		return err
	}
	owner, err1 := start("owner")
	claimer, err2 := start("claimer")
	if err := errors.Join(err1, err2, claim("owner", owner), store.StopNode(ctx, "owner", owner)); err != nil {
		t.Fatal(err)
	}
	pause, err := raw.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pause.Rollback()
	if _, err := pause.Exec(`SELECT pg_advisory_xact_lock(1)`); err != nil {
		t.Fatal(err)
	}
	claimed, started := make(chan error, 1), make(chan error, 1)
	go func() { claimed <- claim("claimer", claimer) }()
	for waiting(t, raw) < 1 {
	}
	go func() {
		_, err := start(node)
		started <- err
	}()
	for waiting(t, raw) < 2 {
		select {
		case err := <-started:
			t.Fatalf("the %s started in the middle of the claim, %v", node, err)
		default:
		}
	}
	if err := errors.Join(pause.Commit(), <-claimed, <-started); err != nil {
		t.Errorf("claiming while the %s starts: %v", node, err)
	}
}

// waiting counts the connections that wait for a lock.
func waiting(t *testing.T, raw *sql.DB) (count int) {
	t.Helper()
	err := raw.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`).Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// claimsPause has each claim wait, once it is decided, for whoever holds advisory lock 1.
const claimsPause = `
	CREATE FUNCTION test_pause() RETURNS TRIGGER LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';
	CREATE TRIGGER test_pause AFTER UPDATE ON session FOR EACH ROW WHEN (NEW.epoch > OLD.epoch) EXECUTE FUNCTION test_pause()`

// TestFailover kills the primary while sessions are claimed, released and looked up, and promotes the standby: what the
// nodes saw before and after is one history, and no session ever has two owners (F6).
func TestFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("two servers of PostgreSQL take some seconds: leave out -short")
	}
	primary := dbtest.Postgres(t)
	standby, err := primary.Standby()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Close(); err != nil {
			t.Error(err)
		}
	})
	url := primary.Fresh(t)
	database := openPostgres(t, primary.Either(standby, url))
	primary.Exec(t, dbtest.Name(url), standingClock)
	now := primary
	h := sessionstest.Harness{
		Store: openStore(t, database), Other: openStore(t, database),
		Advance: func(by time.Duration) { now.Exec(t, dbtest.Name(url), leap(by)) },
	}
	sessionstest.Linear(t, h, func() {
		if err := primary.Kill(); err != nil {
			t.Error(err)
		}
		if err := standby.Promote(); err != nil {
			t.Error(err)
		}
		now = standby
	})
}

func openPostgres(t testing.TB, url string) *db.DB {
	t.Helper()
	database, err := db.Open(context.Background(), db.Options{Source: url})
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

// standingClock replaces the database's clock by one that stands still; leap moves it.
const standingClock = `
	CREATE TABLE test_clock AS SELECT hark_now() AS ms;
	CREATE OR REPLACE FUNCTION hark_now() RETURNS BIGINT LANGUAGE SQL VOLATILE AS 'SELECT ms FROM test_clock'`

func leap(by time.Duration) string {
	return fmt.Sprintf(`UPDATE test_clock SET ms = ms + %d`, by.Milliseconds())
}
