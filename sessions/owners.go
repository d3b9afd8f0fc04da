package sessions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"hark/db"
)

// replaceable is the condition under which anybody may replace a session's owner: there is none, or his lease ended
// more than $1 milliseconds ago. Tables: session s, node n (of the owner, outer joined).
const replaceable = `(s.node = '' OR coalesce(CASE WHEN n.inc = s.inc THEN n.lease_until ELSE n.prior_end END, 0) + $1 < hark_now())`

// lockStatement locks the user's row, makes it when there is none, and returns the owner. It comes before the claim:
// under PostgreSQL's READ COMMITTED a statement that waits for a row goes on with the other tables as they were when it
// began, and would take a node that has started meanwhile for dead.
const lockStatement = `
	INSERT INTO session AS s (usr) VALUES ($1)
	ON CONFLICT (usr) DO UPDATE SET claim = s.claim
	RETURNING node`

// claimStatement takes the session. It returns no row when the claiming incarnation is dead or the owner is alive. A
// heartbeat that commits while it runs is not seen: that is what Grace is for.
const claimStatement = `
	UPDATE session AS s SET
		id    = CASE WHEN id = '' THEN $3          ELSE id    END,
		begun = CASE WHEN id = '' THEN epoch + 1   ELSE begun END,
		since = CASE WHEN id = '' THEN hark_now()  ELSE since END,
		node  = $4, inc = $5, epoch = epoch + 1, claim = $6
	WHERE usr = $2
	AND EXISTS (SELECT 1 FROM node WHERE name = $4 AND inc = $5 AND lease_until > hark_now())
	AND (s.node = '' OR (s.node = $4 AND s.inc < $5) OR NOT EXISTS (
		SELECT 1 FROM node n WHERE n.name = s.node
		AND CASE WHEN n.inc = s.inc THEN n.lease_until ELSE n.prior_end END + $1 >= hark_now()))
	RETURNING epoch, id, begun`

// Claim implements Store.
func (s *SQL) Claim(ctx context.Context, user, session, node string, inc Incarnation) (Grant, error) {
	var grant Grant
	token := rand.Text()
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		grant, err = claim(tx, user, session, node, inc, token)
		return err
	})
	if errors.Is(err, db.ErrTemporary) {
		if grant, ok := s.claimed(ctx, user, token); ok {
			return grant, nil
		}
	}
	if err != nil {
		return Grant{}, err
	}
	return grant, nil
}

func claim(tx *db.Tx, user, session, node string, inc Incarnation, token string) (g Grant, err error) {
	var before string
	if err := tx.Row(lockStatement, user).Scan(&before); err != nil {
		return g, inside(err)
	}
	if err := holdNodes(tx, before, node); err != nil {
		return g, err
	}
	var begun Epoch
	err = tx.Row(claimStatement, Grace.Milliseconds(), user, session, node, inc, token).Scan(&g.Epoch, &g.Session, &begun)
	if errors.Is(err, db.ErrNoRows) {
		return g, refusal(tx, user, node, inc)
	}
	if err != nil {
		return g, inside(err)
	}
	g.Resumed = begun < g.Epoch
	if before == node { // its own earlier incarnation: it knows
		return g, nil
	}
	return g, tellNode(tx, before, user)
}

// refusal finds out why a claim got nothing.
func refusal(tx *db.Tx, user, node string, inc Incarnation) error {
	if err := alive(tx.Row(aliveQuery, node, inc)); err != nil {
		return err
	}
	held, err := record(tx.Row(recordQuery+`s.usr = $1`, user))
	if err != nil {
		return err
	}
	return &Held{Owner: held}
}

// claimed settles an unknown outcome: was it this claim that made the owner?
func (s *SQL) claimed(ctx context.Context, user, token string) (g Grant, ok bool) {
	var begun Epoch
	err := s.db.Row(ctx, `SELECT epoch, id, begun FROM session WHERE usr = $1 AND claim = $2`, user, token).
		Scan(&g.Epoch, &g.Session, &begun)
	g.Resumed = begun < g.Epoch
	return g, err == nil
}

// owner returns the name of the node that owns the user's session, "" for nobody.
func owner(tx *db.Tx, user string) (node string, err error) {
	err = tx.Row(`SELECT node FROM session WHERE usr = $1`, user).Scan(&node)
	return node, found(err, nil)
}

const (
	recordColumns = `s.usr, s.id, s.node, coalesce(n.addr, ''), s.inc, s.epoch, s.since,
		coalesce(n.inc = s.inc AND n.lease_until > hark_now(), FALSE)`
	recordQuery = `SELECT ` + recordColumns + ` FROM session s LEFT JOIN node n ON n.name = s.node WHERE `
)

// record reads recordColumns, and what was selected behind them.
func record(row db.Scanner, more ...any) (r Record, err error) {
	var since int64
	err = row.Scan(append([]any{&r.User, &r.Session, &r.Node, &r.Addr, &r.Inc, &r.Epoch, &since, &r.Alive}, more...)...)
	r.Since = time.UnixMilli(since).UTC()
	return r, found(err, ErrNotFound)
}

func (s *SQL) records(ctx context.Context, where string, args ...any) (all []Record, err error) {
	err = s.db.Each(ctx, recordQuery+where, args, func(row db.Scanner) error {
		r, err := record(row)
		all = append(all, r)
		return err
	})
	return all, err
}

// Lookup implements Store.
func (s *SQL) Lookup(ctx context.Context, user string) (Record, error) {
	return record(s.db.Row(ctx, recordQuery+`s.usr = $1 AND s.id <> ''`, user))
}

// Owned implements Store.
func (s *SQL) Owned(ctx context.Context, node string) ([]Record, error) {
	if node == "" {
		return s.records(ctx, `s.id <> '' ORDER BY s.usr`)
	}
	return s.records(ctx, `s.id <> '' AND s.node = $1 ORDER BY s.usr`, node)
}

// Orphans implements Store.
func (s *SQL) Orphans(ctx context.Context, max int) ([]Record, error) {
	return s.records(ctx, `s.id <> '' AND `+replaceable+` ORDER BY s.usr LIMIT $2`, Grace.Milliseconds(), max)
}

// Release implements Store. Releasing again with the same epoch does nothing.
func (s *SQL) Release(ctx context.Context, user string, epoch Epoch) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE session SET node = '', inc = 0 WHERE usr = $1 AND epoch = $2`, user, epoch)
		return changed(n, err, ErrFenced)
	})
}

// Transfer implements Store.
func (s *SQL) Transfer(ctx context.Context, user string, epoch Epoch, toNode string) (next Epoch, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := fence(tx, user, epoch); err != nil {
			return err
		}
		from, err := owner(tx, user)
		if err != nil {
			return err
		}
		if err := holdNodes(tx, toNode); err != nil {
			return err
		}
		err = tx.Row(`
			UPDATE session SET epoch = epoch + 1, node = n.name, inc = n.inc FROM node n
			WHERE usr = $1 AND id <> '' AND n.name = $2 AND n.lease_until > hark_now()
			RETURNING epoch`, user, toNode).Scan(&next)
		if errors.Is(err, db.ErrNoRows) {
			return noTransfer(tx, user, toNode)
		}
		return errors.Join(inside(err), tellNode(tx, from, user), tellNode(tx, toNode, user))
	})
	return next, err
}

// noTransfer finds out why: a session that has ended has no owner to hand it on.
func noTransfer(tx *db.Tx, user, toNode string) error {
	if _, err := record(tx.Row(recordQuery+`s.usr = $1 AND s.id <> ''`, user)); err != nil {
		return fmt.Errorf("%w: the session has ended", ErrFenced)
	}
	return fmt.Errorf("%w: %s", ErrLapsed, toNode)
}

// End implements Store. Ending again with the same epoch does nothing.
func (s *SQL) End(ctx context.Context, user string, epoch Epoch) error {
	return s.owned(ctx, user, epoch, func(tx *db.Tx) error {
		node, err := owner(tx, user)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM session_key WHERE usr = $1`, user); err != nil {
			return inside(err)
		}
		if _, err := tx.Exec(`UPDATE session SET id = '', node = '', inc = 0 WHERE usr = $1`, user); err != nil {
			return inside(err)
		}
		return tellNode(tx, node, user)
	})
}
