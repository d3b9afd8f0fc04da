package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"hark/db"
)

// DB is the Account Information Server on Hark's database. All methods may be called from any goroutine.
type DB struct {
	Tickets *Tickets // signs what Authenticate returns

	db       *db.DB
	log      *slog.Logger
	hasher   *hasher
	verifier *verifier
	gates    *gates
	sealKey  []byte // of passwords
	markKey  []byte // of caller ids

	zone *time.Location // whose days bounds a day count: the machine's, as the hours of rest are

	pause     func(context.Context) // hasher.pause; tests have no time for it
	evaluated func(user string)     // told of every PIN that is compared, for tests
}

var _ Authenticator = (*DB)(nil)

// Options are what a DB may be given besides its database and keys.
type Options struct {
	Log  *slog.Logger // nil logs nothing
	Cost Cost         // of hashing a PIN; zero is the right one but for tests
}

// Open makes a DB on the database, which stays the caller's to close. It fails when the keys are not the ones with which
// the database was begun: then no PIN would work and no password could be read.
func Open(ctx context.Context, database *db.DB, keys *Keys, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkKeys(ctx, database, keys); err != nil {
		return nil, err
	}
	d := &DB{
		Tickets: &Tickets{Key: keys.Derive("tickets")},
		db:      database, log: o.Log, hasher: newHasher(keys.Derive("pepper"), o.Cost), verifier: newVerifier(), gates: newGates(),
		sealKey: keys.Derive("logins"), markKey: keys.Derive("callers"),
		zone: time.Local, evaluated: func(string) {},
	}
	d.pause = d.hasher.pause
	return d, nil
}

// checkKeys compares the keys with those that the database was begun with, or notes them in a new one.
func checkKeys(ctx context.Context, database *db.DB, keys *Keys) error {
	var begun string
	err := database.Row(ctx, `SELECT value FROM key_check WHERE name = 'accounts'`).Scan(&begun)
	if errors.Is(err, db.ErrNoRows) {
		err = database.Write(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO key_check (name, value) VALUES ('accounts', $1) ON CONFLICT DO NOTHING`, keys.check()); err != nil {
				return err
			}
			return tx.Row(`SELECT value FROM key_check WHERE name = 'accounts'`).Scan(&begun)
		})
	}
	if err != nil {
		return inside(err)
	}
	if begun != keys.check() {
		return fmt.Errorf("accounts: the key file %s is not the one that this database was begun with; put that one back", keys.path)
	}
	return nil
}

// inside says where an error comes from, once; nil stays nil.
func inside(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "accounts: ") {
		return err
	}
	return fmt.Errorf("accounts: %w", err)
}

// found turns the database's "no rows" into ErrNotFound.
func found(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return ErrNotFound
	}
	return inside(err)
}

// changed makes ErrNotFound of a statement that changed no row.
func changed(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return inside(err)
}
