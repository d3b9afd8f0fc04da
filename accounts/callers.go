package accounts

import (
	"context"
	"encoding/hex"
	"strings"

	"hark/db"
)

// BindCaller says that calls from this number are likely the user's: it saves keying the user number, and keeps a
// bucket of failed logins of its own. It never authenticates (threat T2). ErrNotFound when there is no such user.
func (d *DB) BindCaller(ctx context.Context, user, caller string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`
			INSERT INTO caller (caller, usr) SELECT CAST($2 AS TEXT), usr FROM account WHERE usr = $1
			ON CONFLICT (caller, usr) DO UPDATE SET usr = excluded.usr`, user, strings.TrimSpace(caller))
		return changed(n, err)
	})
}

// UnbindCaller takes BindCaller back; ErrNotFound.
func (d *DB) UnbindCaller(ctx context.Context, user, caller string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`DELETE FROM caller WHERE usr = $1 AND caller = $2`, user, strings.TrimSpace(caller))
		return changed(n, err)
	})
}

// Callers lists the caller ids bound to a user.
func (d *DB) Callers(ctx context.Context, user string) ([]string, error) {
	return d.texts(ctx, `SELECT caller FROM caller WHERE usr = $1 ORDER BY caller`, user)
}

// UsersOfCaller lists the users whom a caller id is bound to: none, one, or a household.
func (d *DB) UsersOfCaller(ctx context.Context, caller string) ([]string, error) {
	return d.texts(ctx, `SELECT usr FROM caller WHERE caller = $1 ORDER BY usr`, strings.TrimSpace(caller))
}

func (d *DB) texts(ctx context.Context, query, arg string) (all []string, err error) {
	err = d.db.Each(ctx, query, []any{arg}, func(row db.Scanner) error {
		var text string
		err := row.Scan(&text)
		all = append(all, text)
		return err
	})
	return all, inside(err)
}

// strangers is the bucket of everybody who has not shown before that he belongs to the account.
const strangers = ""

// bucketOf is where a caller's failures are counted: in his own when the account knows him.
func (d *DB) bucketOf(ctx context.Context, c Credentials) (string, error) {
	if c.Caller == "" {
		return strangers, nil
	}
	mark, number := d.mark(c), ""
	if c.Door == "phone" {
		number = strings.TrimSpace(c.Caller)
	}
	var known int
	err := d.db.Row(ctx, `
		SELECT (SELECT count(*) FROM known_caller WHERE usr = $1 AND mark = $2)
			+ (SELECT count(*) FROM caller WHERE usr = $1 AND caller = $3)`, c.User, mark, number).Scan(&known)
	if err != nil || known == 0 {
		return strangers, inside(err)
	}
	return mark, nil
}

// knownAtMost is how many callers an account knows; the one longest unused is forgotten.
const knownAtMost = 10

// remember makes the caller one that the account knows, or notes that it used him today.
func remember(tx *db.Tx, user, mark string) error {
	if _, err := tx.Exec(`
		INSERT INTO known_caller (usr, mark, used) VALUES ($1, $2, hark_now())
		ON CONFLICT (usr, mark) DO UPDATE SET used = excluded.used`, user, mark); err != nil {
		return inside(err)
	}
	_, err := tx.Exec(`
		DELETE FROM known_caller WHERE usr = $1 AND mark NOT IN (
			SELECT mark FROM known_caller WHERE usr = $1 ORDER BY used DESC, mark LIMIT $2)`, user, knownAtMost)
	return inside(err)
}

// mark is a keyed hash of the caller at his door.
func (d *DB) mark(c Credentials) string {
	return hex.EncodeToString(sum(d.markKey, c.Door, c.Caller)[:16])
}
