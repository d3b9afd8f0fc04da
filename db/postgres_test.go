package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/db"
	"hark/db/dbtest"
)

func openPG(t *testing.T, source string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func execPG(d *db.DB, statement string, args ...any) error {
	return d.Write(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	})
}

func TestPostgres(t *testing.T) {
	server := dbtest.Postgres(t)
	t.Run("nodes that start together migrate once", func(t *testing.T) {
		source := server.Fresh(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { openPG(t, source) })
		}
		wg.Wait()
		d := openPG(t, source)
		if !d.Shared() || !d.Exclusive() {
			t.Error("it is not shared")
		}
		now, err := d.Now(t.Context())
		if off := time.Since(now); err != nil || off < -time.Minute || off > time.Minute {
			t.Errorf("its clock is %s off, %v", off, err)
		}
	})
	t.Run("a newer schema is refused in words", func(t *testing.T) {
		source := server.Fresh(t)
		d := openPG(t, source)
		if err := execPG(d, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
			t.Fatal(err)
		}
		_, err := db.Open(t.Context(), db.Options{Source: source})
		if !errors.Is(err, db.ErrTooNew) || !strings.Contains(err.Error(), "schema 99") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("notes reach other processes after the commit", func(t *testing.T) { notesReach(t, server) })
	t.Run("after the connection broke comes a resync", func(t *testing.T) { resync(t, server) })
	t.Run("deadlocks are resolved", func(t *testing.T) { deadlocks(t, server.Fresh(t)) })
	t.Run("a stalled process keeps no row from others", func(t *testing.T) { stalls(t, server.Fresh(t)) })
	t.Run("a slow server is waited for until the deadline", func(t *testing.T) { slow(t, server.Fresh(t)) })
	t.Run("a server that is away is temporary", func(t *testing.T) {
		d := openPG(t, server.Fresh(t))
		server.Stop(t)
		if err := execPG(d, `SELECT 1`); !errors.Is(err, db.ErrTemporary) {
			t.Errorf("writing: %v", err)
		}
		if _, err := d.Now(t.Context()); !errors.Is(err, db.ErrTemporary) {
			t.Errorf("reading: %v", err)
		}
		server.Start(t)
		if err := execPG(d, `SELECT 1`); err != nil {
			t.Errorf("with the server back: %v", err)
		}
	})
}

func notesReach(t *testing.T, server *dbtest.Server) {
	source := server.Fresh(t)
	a, b := openPG(t, source), openPG(t, source)
	l, err := b.Listen(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	notify := func(fail error, channel, payload string) {
		err := a.Write(context.Background(), func(tx *db.Tx) error { return errors.Join(tx.Notify(channel, payload), fail) })
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	notify(errors.New("undone"), "c", "never")
	notify(nil, "another", "x")
	notify(nil, "c", "heard")
	got, lost, err := l.Next(t.Context())
	if fmt.Sprint(got) != "[heard]" || lost || err != nil {
		t.Errorf("heard %v, %v, %v", got, lost, err)
	}
}

func resync(t *testing.T, server *dbtest.Server) {
	d := openPG(t, server.Fresh(t))
	l, err := d.Listen(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	server.Deafen(t)
	if _, lost, err := l.Next(t.Context()); !lost || err != nil {
		t.Errorf("lost is %v, %v", lost, err)
	}
}

// deadlocks lets two writers take two rows in opposite orders.
func deadlocks(t *testing.T, source string) {
	d := openPG(t, source)
	if err := execPG(d, `CREATE TABLE pair AS SELECT n, 0 AS hits FROM generate_series(0, 1) AS n`); err != nil {
		t.Fatal(err)
	}
	var both, wg sync.WaitGroup
	both.Add(2)
	for first := range 2 {
		var once sync.Once
		wg.Go(func() {
			err := d.Write(context.Background(), func(tx *db.Tx) error {
				if _, err := tx.Exec(`UPDATE pair SET hits = hits + 1 WHERE n = $1`, first); err != nil {
					return err
				}
				once.Do(func() { both.Done(); both.Wait() })
				_, err := tx.Exec(`UPDATE pair SET hits = hits + 1 WHERE n = $1`, 1-first)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var hits int
	if err := d.Row(t.Context(), `SELECT sum(hits) FROM pair`).Scan(&hits); err != nil || hits != 4 {
		t.Errorf("%d hits, %v", hits, err)
	}
}

// stalls lets one process hang in the middle of a transaction: another one gets the row, and the first hears that its own
// was undone.
func stalls(t *testing.T, source string) {
	a, b := openPG(t, source), openPG(t, source)
	if err := execPG(a, `CREATE TABLE held AS SELECT 0 AS hits`); err != nil {
		t.Fatal(err)
	}
	has, resume, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- a.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE held SET hits = hits + 10`)
			close(has)
			<-resume
			return err
		})
	}()
	<-has
	if err := execPG(b, `UPDATE held SET hits = hits + 1`); err != nil {
		t.Errorf("the row was not to be had: %v", err)
	}
	close(resume)
	if err := <-ended; !errors.Is(err, db.ErrTemporary) {
		t.Errorf("the stalled one heard %v", err)
	}
	var hits int
	if err := a.Row(t.Context(), `SELECT hits FROM held`).Scan(&hits); err != nil || hits != 1 {
		t.Errorf("%d hits, %v", hits, err)
	}
}

// slow has writes wait for a row that another has: one whose caller has gone is carried out all the same, and one whose
// deadline is over is given up, long before any other bound, since it may be a heartbeat.
func slow(t *testing.T, source string) {
	holder, d := openPG(t, source+"&idle_in_transaction_session_timeout=0"), openPG(t, source)
	if err := execPG(d, `CREATE TABLE held AS SELECT 0 AS hits`); err != nil {
		t.Fatal(err)
	}
	hit := func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE held SET hits = hits + 1`)
		return err
	}
	has, resume, ended := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		ended <- holder.Write(context.Background(), func(tx *db.Tx) error {
			err := hit(tx)
			close(has)
			<-resume
			return err
		})
	}()
	<-has
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := d.Write(ctx, hit); !errors.Is(err, db.ErrTemporary) {
		t.Errorf("behind the deadline: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the deadline of 200 ms was kept after %v", took)
	}
	begins := make(chan struct{})
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		ended <- d.Write(ctx, func(tx *db.Tx) error { close(begins); return hit(tx) })
	}()
	<-begins
	cancel()
	close(resume)
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
	var hits int
	if err := d.Row(t.Context(), `SELECT hits FROM held`).Scan(&hits); err != nil || hits != 2 {
		t.Errorf("%d hits, %v", hits, err)
	}
}
