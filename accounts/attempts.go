package accounts

import (
	"context"
	"time"

	"hark/db"
)

// lockedAt is how many failures in a row lock a bucket until the account gets a new PIN.
const lockedAt = 20

// delay is how long no try is taken after so many failures in a row (threat T1).
func delay(failures int) time.Duration {
	steps := []time.Duration{0, 0, 0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	if failures < len(steps) {
		return steps[failures]
	}
	return 24 * time.Hour
}

// When strangers have failed so often in an hour, at all accounts together, they are let through one at a time only.
const (
	slowFrom = 600
	slowStep = 5 * time.Second
)

// forgetAfter is how long tries at numbers that nobody has are remembered: long enough to lock such a number, too.
const forgetAfter = 45 * 24 * time.Hour

// Why an attempt is refused without its PIN having been looked at; for the log only.
var (
	errLocked = refusal("the account is locked for strangers")
	errBreath = refusal("another attempt of the same breath has failed")
)

// A refusal is an ErrRefused with a reason for the log.
type refusal string

func (r refusal) Error() string        { return "accounts: refused: " + string(r) }
func (r refusal) Is(target error) bool { return target == ErrRefused }

// An attempt is what is known of an account and of the bucket that a try counts in. An account that does not exist has
// buckets too, so that it behaves like one that does.
type attempt struct {
	user, bucket string
	kept         string // the hash of the PIN, "" when there is no such account
	failures     int
	next, now    int64 // milliseconds
}

// load reads the account and the bucket.
func (d *DB) load(ctx context.Context, user, bucket string) (attempt, error) {
	a := attempt{user: user, bucket: bucket}
	err := d.db.Row(ctx, `
		SELECT coalesce((SELECT pin FROM account WHERE usr = $1), ''),
			coalesce((SELECT failures FROM attempt WHERE usr = $1 AND bucket = $2), 0),
			coalesce((SELECT next FROM attempt WHERE usr = $1 AND bucket = $2), 0), hark_now()`, user, bucket).
		Scan(&a.kept, &a.failures, &a.next, &a.now)
	return a, inside(err)
}

// allowed refuses a try while the bucket is locked, or has to wait.
func (a attempt) allowed() error {
	if a.failures >= lockedAt {
		return errLocked
	}
	if a.now < a.next {
		return &TryLater{After: time.Duration(a.next-a.now) * time.Millisecond}
	}
	return nil
}

// reserve counts the try as failed before its PIN is looked at; forgive takes that back. So nobody can look at more PINs
// by asking many servers at once, or by letting one crash.
func (d *DB) reserve(ctx context.Context, a attempt) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		err := tx.Row(`
			INSERT INTO attempt AS a (usr, bucket, failures, next, last) VALUES ($1, $2, 0, 0, hark_now())
			ON CONFLICT (usr, bucket) DO UPDATE SET last = excluded.last
			RETURNING failures, next, last`, a.user, a.bucket).Scan(&a.failures, &a.next, &a.now)
		if err != nil {
			return inside(err)
		}
		if err := a.allowed(); err != nil {
			return err
		}
		if err := pace(tx, a); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE attempt SET failures = failures + 1, next = last + $3 WHERE usr = $1 AND bucket = $2`,
			a.user, a.bucket, delay(a.failures+1).Milliseconds())
		return inside(err)
	})
}

// pace counts a stranger's try among all strangers', and slows them down when they fail too often.
func pace(tx *db.Tx, a attempt) error {
	if a.bucket != strangers {
		return nil
	}
	minute := a.now / time.Minute.Milliseconds()
	var tries int
	var last int64
	err := tx.Row(`SELECT coalesce(sum(tries), 0), coalesce(max(last), 0) FROM guess WHERE minute > $1`, minute-60).Scan(&tries, &last)
	if err != nil {
		return inside(err)
	}
	if wait := last + slowStep.Milliseconds() - a.now; tries >= slowFrom && wait > 0 {
		return &TryLater{After: time.Duration(wait) * time.Millisecond}
	}
	var inMinute int
	err = tx.Row(`
		INSERT INTO guess AS g (minute, tries, last) VALUES ($1, 1, $2)
		ON CONFLICT (minute) DO UPDATE SET tries = g.tries + 1, last = excluded.last RETURNING tries`, minute, a.now).Scan(&inMinute)
	if err != nil || inMinute > 1 {
		return inside(err)
	}
	return tidy(tx, a.now)
}

// tidy runs once in a minute with tries: it forgets what counts no more, and what was tried at numbers nobody has.
func tidy(tx *db.Tx, now int64) error {
	if _, err := tx.Exec(`DELETE FROM guess WHERE minute <= $1`, now/time.Minute.Milliseconds()-60); err != nil {
		return inside(err)
	}
	_, err := tx.Exec(`DELETE FROM attempt WHERE last < $1 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.usr = attempt.usr)`,
		now-forgetAfter.Milliseconds())
	return inside(err)
}

// forgive clears the bucket after a good login, and takes the try back that reserve counted.
func (d *DB) forgive(ctx context.Context, a attempt, reserved bool, mark string) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM attempt WHERE usr = $1 AND bucket = $2`, a.user, a.bucket); err != nil {
			return inside(err)
		}
		if reserved && a.bucket == strangers {
			if _, err := tx.Exec(`
				UPDATE guess SET tries = tries - 1
				WHERE tries > 0 AND minute = (SELECT max(minute) FROM guess)`); err != nil {
				return inside(err)
			}
		}
		if mark == "" {
			return nil
		}
		return remember(tx, a.user, mark)
	})
}
