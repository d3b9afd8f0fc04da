package sessions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hark/db"
	"hark/im"
)

// MaxState is the longest value of SetState, in bytes.
const MaxState = 64 << 10

// ResumeState implements Store. A connection that resumes from it acknowledges with it what the network then forgets.
func (s *SQL) ResumeState(ctx context.Context, user, network string) (im.Resume, error) {
	state, err := blob(s.db.Row(ctx, `SELECT state FROM resume WHERE usr = $1 AND network = $2`, user, network))
	if err = errors.Join(err, inside(s.db.Settle())); err != nil {
		return nil, err
	}
	return state, nil
}

// SetResume implements Store.
func (s *SQL) SetResume(ctx context.Context, user string, epoch Epoch, network string, resume im.Resume) error {
	return s.owned(ctx, user, epoch, func(tx *db.Tx) error {
		if resume != nil {
			return putResume(tx, user, network, resume)
		}
		_, err := tx.Exec(`DELETE FROM resume WHERE usr = $1 AND network = $2`, user, network)
		return inside(err)
	})
}

func putResume(tx *db.Tx, user, network string, resume im.Resume) error {
	_, err := tx.Exec(`
		INSERT INTO resume (usr, network, state) VALUES ($1, $2, $3)
		ON CONFLICT (usr, network) DO UPDATE SET state = excluded.state`, user, network, []byte(resume))
	return inside(err)
}

// SetState implements Store.
func (s *SQL) SetState(ctx context.Context, user, key string, value []byte) error {
	if len(value) > MaxState {
		return tooLong(key)
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if value == nil {
			_, err := tx.Exec(`DELETE FROM user_state WHERE usr = $1 AND key = $2`, user, key)
			return inside(err)
		}
		_, err := tx.Exec(`
			INSERT INTO user_state (usr, key, value) VALUES ($1, $2, $3)
			ON CONFLICT (usr, key) DO UPDATE SET value = excluded.value`, user, key, value)
		return inside(err)
	})
}

// SwapState implements Store.
func (s *SQL) SwapState(ctx context.Context, user, key string, old, value []byte) error {
	if len(value) > MaxState {
		return tooLong(key)
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := swapState(tx, user, key, old, value)
		return changed(n, err, ErrChanged)
	})
}

// swapState returns how many facts were as they should be, 0 or 1. Each of its statements is atomic by itself, also
// between two transactions of PostgreSQL.
func swapState(tx *db.Tx, user, key string, old, value []byte) (n int64, err error) {
	switch {
	case old == nil && value == nil:
		err = tx.Row(`SELECT 1 - count(*) FROM user_state WHERE usr = $1 AND key = $2`, user, key).Scan(&n)
		return n, err
	case old == nil:
		return tx.Exec(`INSERT INTO user_state (usr, key, value) VALUES ($1, $2, $3) ON CONFLICT (usr, key) DO NOTHING`, user, key, value)
	case value == nil:
		return tx.Exec(`DELETE FROM user_state WHERE usr = $1 AND key = $2 AND value = $3`, user, key, old)
	}
	return tx.Exec(`UPDATE user_state SET value = $4 WHERE usr = $1 AND key = $2 AND value = $3`, user, key, old, value)
}

func tooLong(key string) error {
	return fmt.Errorf("sessions: the state %q is longer than %d bytes", key, MaxState)
}

// GetState implements Store.
func (s *SQL) GetState(ctx context.Context, user, key string) ([]byte, error) {
	return blob(s.db.Row(ctx, `SELECT value FROM user_state WHERE usr = $1 AND key = $2`, user, key))
}

// GetStates implements Store.
func (s *SQL) GetStates(ctx context.Context, user string, keys ...string) (map[string][]byte, error) {
	args, places := []any{user}, make([]string, len(keys))
	for i, key := range keys {
		args = append(args, key)
		places[i] = fmt.Sprintf("$%d", len(args))
	}
	return s.states(ctx, `SELECT key, value FROM user_state WHERE usr = $1 AND key IN (`+strings.Join(places, ", ")+`)`, args...)
}

// States returns all facts of a user. It is for administrators.
func (s *SQL) States(ctx context.Context, user string) (map[string][]byte, error) {
	return s.states(ctx, `SELECT key, value FROM user_state WHERE usr = $1`, user)
}

func (s *SQL) states(ctx context.Context, query string, args ...any) (map[string][]byte, error) {
	found := make(map[string][]byte)
	err := s.db.Each(ctx, query, args, func(row db.Scanner) error {
		var key string
		value := []byte{}
		if err := row.Scan(&key, &value); err != nil {
			return err
		}
		found[key] = value
		return nil
	})
	return found, inside(err)
}

// blob reads one column of bytes: nil when there is no row, empty but not nil when there is one with nothing in it.
func blob(row db.Scanner) ([]byte, error) {
	value := []byte{}
	err := row.Scan(&value)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, inside(err)
	}
	if value == nil {
		value = []byte{}
	}
	return value, nil
}
