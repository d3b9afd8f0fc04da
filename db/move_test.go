package db_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"hark/db"
	"hark/db/dbtest"
)

// What is in a SQLite database stands in PostgreSQL afterwards, every value of every kind; a second copy is refused.
func TestCopy(t *testing.T) {
	from := openPG(t, filepath.Join(t.TempDir(), "hark.db"))
	to := openPG(t, dbtest.Postgres(t).Fresh(t))
	must(t, from.Write(t.Context(), func(tx *db.Tx) error {
		for _, statement := range []string{
			`INSERT INTO node (name, addr, inc, lease_until, prior_end, draining) VALUES ('a:1', 'harks://a:1', 3, 17, 5, TRUE)`,
			`INSERT INTO account (usr, name, language, pin, pin_digits, made) VALUES ('4711001', 'Ana', 'en', 'argon2id', 8, 5)`,
			`INSERT INTO resume (usr, network, state) VALUES ('1', 'xmpp', x'00ff10')`,
			`INSERT INTO message (usr, seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, stored, size, gone)
			 VALUES ('1', 1, FALSE, 'o', '', 'xmpp:ana@x', '', 'Ana', 'Grüße 👋 "quoted"' || char(10), '', '', -5, '', 9007199254740993, 1, TRUE)`,
			`INSERT INTO message (usr, seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, stored, size, gone)
			 VALUES ('1', 2, TRUE, '', 'i', '', '', '', '', '', '', 0, 'queued', 1, 1, FALSE)`,
		} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	}))
	copied, err := db.Copy(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, c := range copied {
		rows[c.Table] = c.Rows
	}
	if rows["message"] != 2 || rows["resume"] != 1 || rows["node"] != 1 || rows["account"] != 1 || rows["session"] != 0 || len(rows) < 13 {
		t.Errorf("%v", copied)
	}
	if _, err := db.Copy(t.Context(), from, to); !errors.Is(err, db.ErrNotEmpty) {
		t.Errorf("a second time: %v", err)
	}
}

// A row that PostgreSQL cannot hold is named, and nothing of the copy stays.
func TestCopyRefused(t *testing.T) {
	from := openPG(t, filepath.Join(t.TempDir(), "hark.db"))
	to := openPG(t, dbtest.Postgres(t).Fresh(t))
	must(t, from.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO cursor (usr, client, seq) VALUES ('ok', 'phone', 1), ('b' || char(0), 'phone', 1)`)
		return err
	}))
	if _, err := db.Copy(t.Context(), from, to); err == nil {
		t.Fatal("copied a NUL")
	}
	var n int
	must(t, to.Row(t.Context(), `SELECT count(*) FROM cursor`).Scan(&n))
	if n != 0 {
		t.Errorf("%d rows stayed", n)
	}
}

// A row that arrives as another one, or not at all, is noticed: every row is compared.
func TestCopyCompares(t *testing.T) {
	from := openPG(t, filepath.Join(t.TempDir(), "hark.db"))
	must(t, execPG(from, `INSERT INTO cursor (usr, client, seq) VALUES ('ana', 'phone', 1), ('ben', 'web', 7)`))
	server := dbtest.Postgres(t)
	for name, does := range map[string]string{"another": `NEW.seq := 6; RETURN NEW;`, "none": `RETURN NULL;`} {
		to := openPG(t, server.Fresh(t))
		must(t, execPG(to, `CREATE FUNCTION harm() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN `+does+` END'`))
		must(t, execPG(to, `CREATE TRIGGER harm BEFORE INSERT ON cursor FOR EACH ROW WHEN (NEW.seq = 7) EXECUTE FUNCTION harm()`))
		if _, err := db.Copy(t.Context(), from, to); err == nil || !strings.Contains(err.Error(), "cursor (usr ben") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
