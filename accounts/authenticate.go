package accounts

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"hark/db"
)

// TicketLife is how long a ticket may be on its way.
const TicketLife = 30 * time.Second

// Authenticate implements Authenticator. Every refusal, for whatever reason, comes after the time that one look at a PIN
// takes; a database that cannot be asked is an error that is not ErrRefused.
func (d *DB) Authenticate(ctx context.Context, c Credentials) (ticket string, err error) {
	if !isNumber(c.User) {
		c.User = "" // one bucket for everything that cannot be a user number
	}
	if exists, err := d.authenticate(ctx, c); err != nil {
		return "", d.refuse(ctx, c, exists, err)
	}
	return d.Tickets.Issue(Claims{User: c.User}, TicketLife), nil
}

// isNumber tells whether the text has the form of a user number.
func isNumber(user string) bool {
	return len(user) == 7 && strings.Trim(user, "0123456789") == ""
}

// errWrong is the refusal of a PIN that was looked at.
var errWrong = refusal("wrong number or PIN")

// refuse waits where no PIN was looked at, and logs why. A number that nobody has is not logged: it may be a PIN keyed
// in the wrong place.
func (d *DB) refuse(ctx context.Context, c Credentials, exists bool, err error) error {
	if !errors.Is(err, ErrRefused) {
		return inside(err)
	}
	if err != errWrong {
		d.pause(ctx)
	}
	user := "unknown"
	if exists {
		user = c.User
	}
	d.log.Warn("login refused", "user", user, "door", c.Door, "why", err)
	return err
}

// authenticate lets one attempt at a time through to the account, and tells whether there is one.
func (d *DB) authenticate(ctx context.Context, c Credentials) (exists bool, err error) {
	bucket, err := d.bucketOf(ctx, c)
	if err != nil {
		return false, err
	}
	err = d.gates.pass(ctx, c.User, bucket, func() error {
		a, err := d.load(ctx, c.User, bucket)
		if err != nil {
			return err
		}
		exists = a.kept != ""
		return d.try(ctx, c, a)
	})
	return exists, err
}

// try looks at the PIN, if that is allowed now.
func (d *DB) try(ctx context.Context, c Credentials, a attempt) error {
	if err := a.allowed(); err != nil {
		return err
	}
	known := a.bucket != strangers
	if known && d.fits(c, a) {
		return d.welcome(ctx, c, a, false)
	}
	if err := d.reserve(ctx, a); err != nil {
		return err
	}
	if known || !d.fits(c, a) {
		if err := d.look(ctx, c, a); err != nil {
			return err
		}
	}
	return d.welcome(ctx, c, a, true)
}

// fits looks at the PIN the cheap way. For strangers that has to be counted before, like any other look: their tries are
// slowed down all together, and those that are refused for it must not have been looked at.
func (d *DB) fits(c Credentials, a attempt) bool {
	if a.kept == "" || !d.verifier.fits(a.user, c.PIN, a.kept) {
		return false
	}
	d.evaluated(a.user)
	return true
}

// look looks at the PIN the expensive way, also at the PIN of an account that does not exist; errWrong.
func (d *DB) look(ctx context.Context, c Credentials, a attempt) error {
	d.evaluated(a.user)
	good, err := d.hasher.verify(ctx, c.PIN, a.kept)
	if err != nil {
		return err
	}
	if !good {
		d.failed(a)
		return errWrong
	}
	d.verifier.remember(a.user, c.PIN, a.kept)
	return nil
}

// failed forgets the cheap way in when this failure was the one that locks.
func (d *DB) failed(a attempt) {
	if a.failures+1 >= lockedAt {
		d.verifier.drop(a.user)
	}
}

// welcome clears the failures and remembers the caller, if there is anything to write.
func (d *DB) welcome(ctx context.Context, c Credentials, a attempt, reserved bool) error {
	mark := ""
	if a.bucket == strangers && c.Caller != "" {
		mark = d.mark(c)
	}
	if !reserved && a.failures == 0 && mark == "" {
		return nil
	}
	return d.forgive(ctx, a, reserved, mark)
}

// Redeem checks a ticket and uses it up, at all nodes; node is the one that asks. ErrRefused. Where there are several nodes
// the database remembers it, also for one that starts again while the ticket lives.
func (d *DB) Redeem(ctx context.Context, ticket, node string) (Claims, error) {
	p, err := d.Tickets.redeem(ticket, node)
	if err == nil && d.db.Shared() {
		err = d.spend(ctx, p)
	}
	if err != nil {
		return Claims{}, err
	}
	return p.Claims, nil
}

// spend notes in the database that the ticket is used, and forgets those that nobody could use any more.
func (d *DB) spend(ctx context.Context, p payload) error {
	return d.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM spent_ticket WHERE ends < $1`, d.Tickets.now()-time.Hour.Milliseconds()); err != nil {
			return inside(err)
		}
		n, err := tx.Exec(`INSERT INTO spent_ticket (id, ends) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hex.EncodeToString(p.id[:]), p.ends)
		if err == nil && n == 0 {
			return errSpent
		}
		return inside(err)
	})
}

// Refer signs a ticket with which a user who has proved himself goes on at another node.
func (d *DB) Refer(_ context.Context, c Claims) (ticket string, err error) {
	return d.Tickets.Issue(c, TicketLife), nil
}
