package sessions

import (
	"context"
	"time"

	"hark/db"
)

// PutKeys implements Store.
func (s *SQL) PutKeys(ctx context.Context, user string, epoch Epoch, keys ...NewKey) error {
	return s.owned(ctx, user, epoch, func(tx *db.Tx) error {
		for _, k := range keys {
			if err := putKey(tx, user, k); err != nil {
				return err
			}
		}
		return nil
	})
}

// putKey adds a key, and drops the oldest ones of its kind and client.
func putKey(tx *db.Tx, user string, k NewKey) error {
	if err := insertKey(tx, user, k); err != nil {
		return err
	}
	_, err := tx.Exec(`
		DELETE FROM session_key WHERE usr = $1 AND kind = $2 AND client = $3 AND number <= (
			SELECT number FROM session_key WHERE usr = $1 AND kind = $2 AND client = $3
			ORDER BY number DESC LIMIT 1 OFFSET $4)`, user, k.Kind, k.Client, max(1, k.Keep))
	return inside(err)
}

// insertKey replaces a key that is lapsed or the session's own already; one that opens another live session stays, and
// is ErrDuplicate.
func insertKey(tx *db.Tx, user string, k NewKey) error {
	n, err := tx.Exec(`
		INSERT INTO session_key AS k (hash, usr, id, kind, client, caller, number, idle, used, ends)
		SELECT CAST($1 AS TEXT), usr, id, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT),
			1 + coalesce((SELECT max(number) FROM session_key o WHERE o.usr = s.usr), 0),
			CAST($6 AS BIGINT), hark_now(), hark_now() + $7
		FROM session s WHERE usr = $2 AND id <> ''
		ON CONFLICT (hash) DO UPDATE SET
			usr = excluded.usr, id = excluded.id, kind = excluded.kind, client = excluded.client, caller = excluded.caller,
			number = excluded.number, idle = excluded.idle, used = excluded.used, ends = excluded.ends
		WHERE k.id = excluded.id OR k.ends <= hark_now() OR k.used + k.idle <= hark_now()`,
		k.Hash, user, k.Kind, k.Client, k.Caller, k.Idle.Milliseconds(), k.Absolute.Milliseconds())
	if err != nil || n > 0 {
		return inside(err)
	}
	return noKey(tx, user)
}

// noKey finds out why a key was not put: the session has ended, or the key opens another one.
func noKey(tx *db.Tx, user string) error {
	var id string
	if err := tx.Row(`SELECT id FROM session WHERE usr = $1 AND id <> ''`, user).Scan(&id); err != nil {
		return found(err, ErrFenced)
	}
	return ErrDuplicate
}

// keyMark is how long ago a key must have been used to be marked as used again: the pages of a browser come in quick
// succession, and each mark is a write that reaches the disk.
const keyMark = 30 * time.Second

// UseKey implements Store.
func (s *SQL) UseKey(ctx context.Context, hash string) (r Record, k Key, err error) {
	k.Hash = hash
	var marked bool
	r, err = record(s.db.Row(ctx, `
		SELECT `+recordColumns+`, k.kind, k.client, k.caller, k.used + $2 > hark_now()
		FROM session_key k JOIN session s ON s.usr = k.usr AND s.id = k.id LEFT JOIN node n ON n.name = s.node
		WHERE k.hash = $1 AND k.ends > hark_now() AND k.used + k.idle > hark_now()`,
		hash, keyMark.Milliseconds()), &k.Kind, &k.Client, &k.Caller, &marked)
	if err == nil && !marked {
		err = s.markKey(ctx, hash)
	}
	if err != nil {
		return Record{}, Key{}, found(err, ErrNotFound)
	}
	return r, k, nil
}

// markKey marks a key as used now; ErrNotFound when it lapsed or was dropped meanwhile.
func (s *SQL) markKey(ctx context.Context, hash string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`
			UPDATE session_key SET used = hark_now() WHERE hash = $1 AND ends > hark_now() AND used + idle > hark_now()`, hash)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return inside(err)
	})
}

// DropKey implements Store.
func (s *SQL) DropKey(ctx context.Context, hash string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM session_key WHERE hash = $1`, hash)
		return inside(err)
	})
}
