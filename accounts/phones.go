package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/db"
)

// A Phone is the telephone at which a user is called.
type Phone struct {
	Number    string `json:"number"`    // as it is dialled
	Proven    bool   `json:"proven"`    // the user's PIN was keyed in a call that Hark made to it
	Ring      bool   `json:"ring"`      // it is called when a message comes
	QuietFrom int    `json:"quietFrom"` // hours of the day between which it is not called;
	QuietTo   int    `json:"quietTo"`   // the same twice is no such time
	Daily     int    `json:"daily"`     // most calls a day because of messages
	Rung      int64  `json:"rung"`      // the number of the message that it was last called for
	Test      bool   `json:"test"`      // it is to be called to be proven
}

// testDelay is how long after TestPhone the call is made, so that whoever asked for it can hang up.
const testDelay = 20 * time.Second

// testsDaily is how many calls a day are made to prove telephones of one user.
const testsDaily = 5

// ErrTooOften: no more such calls are made for this user today.
var ErrTooOften = errors.New("accounts: no more calls are made for this user today")

const phoneQuery = `SELECT number, proven, ring, quiet_from, quiet_to, daily, rung, test FROM phone WHERE usr = $1`

// Phone returns the user's telephone; ErrNotFound when there is none.
func (d *DB) Phone(ctx context.Context, user string) (p Phone, err error) {
	var proven, ring, test int64
	err = d.db.Row(ctx, phoneQuery, user).Scan(&p.Number, &proven, &ring, &p.QuietFrom, &p.QuietTo, &p.Daily, &p.Rung, &test)
	p.Proven, p.Ring, p.Test = proven != 0, ring != 0, test != 0
	return p, found(err)
}

// SetPhone keeps Ring, the quiet hours and Daily of a telephone that is known; ErrNotFound.
func (d *DB) SetPhone(ctx context.Context, user string, p Phone) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		return changed(tx.Exec(`UPDATE phone SET ring = $2, quiet_from = $3, quiet_to = $4, daily = $5 WHERE usr = $1`,
			user, bit(p.Ring), p.QuietFrom, p.QuietTo, p.Daily))
	})
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// TestPhone replaces the user's telephone by another, which has to be proven and is called for that once. ErrNotFound
// when there is no such user, ErrTooOften. Whether the number may be dialled is decided by the caller of this.
func (d *DB) TestPhone(ctx context.Context, user, number string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		if err := d.spendCall(tx, user, "test", testsDaily); err != nil {
			return err
		}
		return changed(tx.Exec(`
			INSERT INTO phone (usr, number, test) SELECT usr, CAST($2 AS TEXT), hark_now() + $3 FROM account WHERE usr = $1
			ON CONFLICT (usr) DO UPDATE SET number = excluded.number, proven = 0, ring = 0, test = excluded.test`,
			user, strings.TrimSpace(number), testDelay.Milliseconds()))
	})
}

// BindPhone gives the user a telephone that an administrator vouches for, such as a line of his own switch. ErrNotFound.
func (d *DB) BindPhone(ctx context.Context, user, number string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		return changed(tx.Exec(`
			INSERT INTO phone (usr, number, proven) SELECT usr, CAST($2 AS TEXT), hark_now() FROM account WHERE usr = $1
			ON CONFLICT (usr) DO UPDATE SET number = excluded.number, proven = excluded.proven, test = 0`, user, strings.TrimSpace(number)))
	})
}

// ProvePhone notes that the user's PIN was keyed in a call of ours to the number. fresh tells that it was not proven
// before; from then on the user is called there when a message comes.
func (d *DB) ProvePhone(ctx context.Context, user, number string) (fresh bool, err error) {
	err = d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE phone SET proven = hark_now(), ring = 1 WHERE usr = $1 AND number = $2 AND proven = 0`, user, number)
		fresh = n > 0
		return inside(err)
	})
	return fresh, err
}

// DropPhone forgets the user's telephone, if it has that number; with "" whatever it is.
func (d *DB) DropPhone(ctx context.Context, user, number string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM phone WHERE usr = $1 AND ($2 = '' OR number = $2)`, user, number)
		return inside(err)
	})
}

// PhonesToCall lists the users with a telephone that is to be called now to be proven, and those who want to be called
// when a message comes.
func (d *DB) PhonesToCall(ctx context.Context) (tests, rings []string, err error) {
	if tests, err = d.users(ctx, `SELECT usr FROM phone WHERE test <> 0 AND test <= hark_now() ORDER BY usr`); err != nil {
		return nil, nil, err
	}
	rings, err = d.users(ctx, `SELECT usr FROM phone WHERE ring = 1 AND proven <> 0 ORDER BY usr`)
	return tests, rings, err
}

func (d *DB) users(ctx context.Context, query string) (all []string, err error) {
	err = d.db.Each(ctx, query, nil, func(row db.Scanner) error {
		var user string
		err := row.Scan(&user)
		all = append(all, user)
		return err
	})
	return all, inside(err)
}

// TakeTest takes the call that is due to prove a telephone; false when another node took it. It is made once.
func (d *DB) TakeTest(ctx context.Context, user string) (ok bool, err error) {
	err = d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE phone SET test = 0 WHERE usr = $1 AND test <> 0 AND test <= hark_now()`, user)
		ok = n > 0
		return inside(err)
	})
	return ok, err
}

// TakeRing takes the call because of a message; false when another node took it, or the user has been called for a later
// one. ErrTooOften when the user was called often enough today; the message then counts as called for.
func (d *DB) TakeRing(ctx context.Context, user string, message int64) (ok bool, err error) {
	often := false
	err = d.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE phone SET rung = $2 WHERE usr = $1 AND rung < $2 AND ring = 1 AND proven <> 0`, user, message)
		if ok = n > 0; !ok || err != nil {
			return inside(err)
		}
		var daily int
		if err := tx.Row(`SELECT daily FROM phone WHERE usr = $1`, user).Scan(&daily); err != nil {
			return inside(err)
		}
		err = d.spendCall(tx, user, "ring", daily)
		often = errors.Is(err, ErrTooOften)
		if often {
			return nil
		}
		return err
	})
	if often {
		return false, ErrTooOften
	}
	return ok && err == nil, err
}

// TakeTalk counts a call that the user has made to somebody else; ErrTooOften when there were daily of them today.
func (d *DB) TakeTalk(ctx context.Context, user string, daily int) error {
	return d.db.Write(ctx, func(tx *db.Tx) error { return d.spendCall(tx, user, "talk", daily) })
}

// spendCall counts one call of a kind for the user, unless there were most today.
func (d *DB) spendCall(tx *db.Tx, user, kind string, most int) error {
	if most <= 0 {
		return ErrTooOften
	}
	today, err := d.today(tx)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`
		INSERT INTO dialled (usr, kind, day, n) VALUES ($1, $2, $3, 1)
		ON CONFLICT (usr, kind) DO UPDATE SET
			n = CASE WHEN dialled.day = excluded.day THEN dialled.n + 1 ELSE 1 END, day = excluded.day
		WHERE dialled.day <> excluded.day OR dialled.n < $4`, user, kind, today, most)
	if err == nil && n == 0 {
		return ErrTooOften
	}
	return inside(err)
}

// today numbers the days as they begin here, by the database's clock.
func (d *DB) today(tx *db.Tx) (day int64, err error) {
	var now int64
	if err := tx.Row(`SELECT hark_now()`).Scan(&now); err != nil {
		return 0, inside(err)
	}
	_, offset := time.UnixMilli(now).In(d.zone).Zone()
	return (now/1000 + int64(offset)) / (24 * 60 * 60), nil
}
