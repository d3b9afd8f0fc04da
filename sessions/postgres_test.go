package sessions_test

import (
	"context"
	"testing"
	"time"

	"hark/db"
	"hark/db/dbtest"
	"hark/sessions/sessionstest"
)

// TestPostgres runs the suite on one database, which each case finds empty.
func TestPostgres(t *testing.T) {
	server := dbtest.Postgres(t)
	database, err := db.Open(t.Context(), db.Options{Source: server.Fresh(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	exec := func(statement string, args ...any) {
		err := database.Write(context.Background(), func(tx *db.Tx) error {
			_, err := tx.Exec(statement, args...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE test_clock AS SELECT hark_now() AS ms`)
	exec(`CREATE OR REPLACE FUNCTION hark_now() RETURNS BIGINT LANGUAGE SQL VOLATILE AS 'SELECT ms FROM test_clock'`)
	sessionstest.Run(t, func(t *testing.T) sessionstest.Harness {
		exec(`TRUNCATE node, session, session_key, message, cursor, resume, user_state`)
		return sessionstest.Harness{
			Store: openStore(t, database), Other: openStore(t, database),
			Advance: func(by time.Duration) { exec(`UPDATE test_clock SET ms = ms + $1`, by.Milliseconds()) },
			Cut:     func(lose func()) { server.Deafen(t); lose() },
		}
	})
}
