package db

import "slices"

// A txLock takes named locks for a transaction, shared or not.
type txLock func(t *Tx, names []string, shared bool) error

// Lock has the transaction wait until no other one holds a lock of that name, and holds it to its end. Take it before
// anything that others may wait for.
func (t *Tx) Lock(name string) error { return t.lock(t, []string{name}, false) }

// LockShared is Lock for many at once: transactions that share a lock do not wait for one another, only for those that
// Lock it. Whoever waits is served in turn, so that a stream of sharers does not keep a Lock out. Take all names in one
// call.
//
// What is read after it, in a statement of its own, holds until the commit where all who change it Lock the name.
func (t *Tx) LockShared(names ...string) error { return t.lock(t, names, true) }

// pgLock takes advisory locks: unlike a row's, they are fair, are there before the row is, and leave it to others to
// write. All take them in the same order, which keeps them from waiting in a ring.
func pgLock(t *Tx, names []string, shared bool) error {
	statement := `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`
	if shared {
		statement = `SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))`
	}
	names = slices.Clone(names)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if _, err := t.Exec(statement, name); err != nil {
			return err
		}
	}
	return nil
}

// noLock: the writes of SQLite come one after the other.
func noLock(*Tx, []string, bool) error { return nil }
