package sessions

import (
	"context"
	"fmt"
	"time"

	"hark/db"
)

// StartNode implements Store.
func (s *SQL) StartNode(ctx context.Context, node, addr string, ttl time.Duration) (inc Incarnation, err error) {
	if !s.db.Exclusive() {
		return 0, fmt.Errorf("%w: it was opened for administration only", ErrInUse)
	}
	err = s.changeNode(ctx, node, func(tx *db.Tx) error {
		return inside(tx.Row(`
			INSERT INTO node AS n (name, addr, inc, lease_until, prior_end) VALUES ($1, $2, 1, hark_now() + $3, 0)
			ON CONFLICT (name) DO UPDATE SET
				addr = excluded.addr, inc = n.inc + 1, lease_until = excluded.lease_until, draining = FALSE,
				prior_end = CASE WHEN n.lease_until < hark_now() THEN n.lease_until ELSE hark_now() END
			RETURNING inc`, node, addr, ttl.Milliseconds()).Scan(&inc))
	})
	return inc, err
}

// Beat implements Store.
func (s *SQL) Beat(ctx context.Context, node string, inc Incarnation, ttl time.Duration) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`
			UPDATE node SET lease_until = hark_now() + $3
			WHERE name = $1 AND inc = $2 AND lease_until > hark_now()`, node, inc, ttl.Milliseconds())
		return changed(n, err, ErrLapsed)
	})
}

// StopNode implements Store. Stopping an incarnation that is over already does nothing.
func (s *SQL) StopNode(ctx context.Context, node string, inc Incarnation) error {
	return s.changeNode(ctx, node, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE node SET lease_until = 0 WHERE name = $1 AND inc = $2`, node, inc)
		return inside(err)
	})
}

// SetDraining implements Store.
func (s *SQL) SetDraining(ctx context.Context, node string, draining bool) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`UPDATE node SET draining = $2 WHERE name = $1`, node, draining)
		return changed(n, err, ErrNotFound)
	})
}

// Nodes implements Store.
func (s *SQL) Nodes(ctx context.Context) (nodes []Node, err error) {
	err = s.db.Each(ctx, `
		SELECT name, addr, inc, lease_until, lease_until > hark_now(), draining,
			(SELECT count(*) FROM session s WHERE s.node = n.name)
		FROM node n ORDER BY name`, nil, func(row db.Scanner) error {
		var n Node
		var until int64
		err := row.Scan(&n.Name, &n.Addr, &n.Inc, &until, &n.Alive, &n.Draining, &n.Sessions)
		n.LeaseUntil = time.UnixMilli(until).UTC()
		nodes = append(nodes, n)
		return err
	})
	return nodes, inside(err)
}

// changeNode begins or ends an incarnation, when all transactions that hold the node are over.
func (s *SQL) changeNode(ctx context.Context, node string, do func(*db.Tx) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(nodeLock(node)); err != nil {
			return inside(err)
		}
		return do(tx)
	})
}

// holdNodes keeps the nodes ("" is none) in their incarnations to the end of the transaction: their start and stop wait
// for it. Without it a claim that is decided but not yet committed could take effect after its own node, or the owner's,
// has started again, which others have seen already. It comes before the statement that reads the nodes, and behind the
// lock of the session's row. A heartbeat does not wait: it changes no decision, thanks to Grace.
func holdNodes(tx *db.Tx, nodes ...string) error {
	var locks []string
	for _, node := range nodes {
		if node != "" {
			locks = append(locks, nodeLock(node))
		}
	}
	return inside(tx.LockShared(locks...))
}

// nodeLock names the lock that guards a node's incarnation.
func nodeLock(node string) string { return "node " + node }

// alive refuses with ErrLapsed unless the incarnation's lease holds.
func alive(row db.Scanner) error {
	var one int
	return found(row.Scan(&one), ErrLapsed)
}

const aliveQuery = `SELECT 1 FROM node WHERE name = $1 AND inc = $2 AND lease_until > hark_now()`
