package sessions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/cases"

	"hark/db"
	"hark/im"
)

// How many messages Read returns.
const (
	readDefault = 100
	readMax     = 500
)

// errEnough ends a read that has what it wants.
var errEnough = errors.New("enough")

// Read implements Store. Text is looked for in Go, so that every engine folds letters alike.
func (s *SQL) Read(ctx context.Context, user string, q Query) (found []Message, err error) {
	limit := min(q.Max, readMax)
	if limit <= 0 {
		limit = readDefault
	}
	where, args := q.where(user)
	matches := matcher(q.Text)
	err = s.db.Each(ctx, `SELECT `+messageColumns+` FROM message WHERE `+where, args, func(row db.Scanner) error {
		m, err := scanMessage(row)
		if err != nil || !matches(m.Body) {
			return err
		}
		if found = append(found, m); len(found) == limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, inside(err)
	}
	if q.newestFirst() {
		slices.Reverse(found)
	}
	return found, inside(s.db.Settle())
}

// where selects everything that q asks for but the text.
func (q Query) where(user string) (string, []any) {
	clauses, args := []string{"usr = $1", "NOT gone"}, []any{user}
	add := func(clause string, arg any) {
		args = append(args, arg)
		clauses = append(clauses, strings.ReplaceAll(clause, "$", fmt.Sprintf("$%d", len(args))))
	}
	if q.After != 0 {
		add("seq > $", q.After)
	}
	if q.Before != 0 {
		add("seq < $", q.Before)
	}
	if !q.With.IsZero() {
		add("(sender = $ OR recipient = $)", clean(q.With.String()))
	}
	if q.In {
		clauses = append(clauses, "NOT outgoing")
	}
	if q.Latest {
		clauses = append(clauses, latestOnes)
	}
	order := " ORDER BY seq"
	if q.newestFirst() {
		order += " DESC"
	}
	return strings.Join(clauses, " AND ") + order, args
}

// newestFirst tells that the last messages are wanted of those that there are.
func (q Query) newestFirst() bool { return q.Before != 0 || q.Latest }

// latestOnes selects the newest message with each person.
const latestOnes = `seq IN (
	SELECT max(seq) FROM (
		SELECT seq, CASE WHEN outgoing THEN recipient ELSE sender END AS person FROM message
		WHERE usr = $1 AND NOT gone AND seq > (SELECT last_seq FROM session WHERE usr = $1) - 500) AS recent
	GROUP BY person)`

// matcher tells whether a body contains the text, without regard to case.
func matcher(text string) func(body string) bool {
	if text == "" {
		return func(string) bool { return true }
	}
	fold := cases.Fold()
	text = fold.String(text)
	return func(body string) bool { return strings.Contains(fold.String(body), text) }
}

// Waiting implements Store.
func (s *SQL) Waiting(ctx context.Context, user, client string) (w Waiting, err error) {
	err = s.db.Row(ctx, `
		SELECT coalesce(c.missed, s.dropped), s.dropped_upto, (
			SELECT count(*) FROM message m WHERE m.usr = s.usr AND NOT m.outgoing AND NOT m.gone AND m.seq > coalesce(c.seq, 0)
		), coalesce((
			SELECT m.seq FROM message m WHERE m.usr = s.usr AND NOT m.outgoing AND NOT m.gone ORDER BY m.seq DESC LIMIT 1
		), 0)
		FROM session s LEFT JOIN cursor c ON c.usr = s.usr AND c.client = $2
		WHERE s.usr = $1`, user, client).Scan(&w.Dropped.Count, &w.Dropped.Upto, &w.Count, &w.Last)
	if errors.Is(err, db.ErrNoRows) {
		return Waiting{}, nil
	}
	if w.Dropped.Count == 0 {
		w.Dropped = Dropped{}
	}
	return w, inside(err)
}

// Unread implements Store.
func (s *SQL) Unread(ctx context.Context, user, client string) (map[im.Address]int, error) {
	counts := make(map[im.Address]int)
	err := s.db.Each(ctx, `
		SELECT sender, count(*) FROM message WHERE usr = $1 AND NOT outgoing AND NOT gone
			AND seq > coalesce((SELECT seq FROM cursor WHERE usr = $1 AND client = $2), 0)
		GROUP BY sender`, []any{user, client}, func(row db.Scanner) error {
		var sender string
		var n int
		if err := row.Scan(&sender, &n); err != nil {
			return err
		}
		var from im.Address
		err := from.UnmarshalText([]byte(sender))
		counts[from] = n
		return err
	})
	return counts, inside(err)
}

// Cursor implements Store.
func (s *SQL) Cursor(ctx context.Context, user, client string) (seq Seq, err error) {
	err = s.db.Row(ctx, `SELECT seq FROM cursor WHERE usr = $1 AND client = $2`, user, client).Scan(&seq)
	return seq, orNone(err)
}

// Advance implements Store. Passing what retention dropped settles that too: the client was told.
func (s *SQL) Advance(ctx context.Context, user, client string, seq Seq) error {
	at, err := s.Cursor(ctx, user, client)
	if err != nil {
		return err
	}
	if seq <= at {
		return inside(s.db.Settle()) // another client may have moved it just now
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(`
			INSERT INTO cursor AS c (usr, client, seq, missed)
			SELECT usr, CAST($2 AS TEXT), CAST($3 AS BIGINT), CASE WHEN dropped_upto > $3 THEN dropped ELSE 0 END
			FROM session WHERE usr = $1 AND last_seq >= $3
			ON CONFLICT (usr, client) DO UPDATE SET seq = excluded.seq,
				missed = CASE WHEN excluded.missed = 0 THEN 0 ELSE c.missed END
			WHERE c.seq < excluded.seq`, user, client, seq)
		if err != nil || n > 0 {
			return inside(err)
		}
		return beyondEnd(tx, user, seq)
	})
}

// beyondEnd refuses a number that the log has not come to; a cursor that was already further is no error.
func beyondEnd(tx *db.Tx, user string, seq Seq) error {
	var end Seq
	err := tx.Row(`SELECT last_seq FROM session WHERE usr = $1`, user).Scan(&end)
	if err == nil && seq <= end {
		return nil
	}
	return errors.Join(orNone(err), ErrNotFound)
}

// orNone makes no error of no rows.
func orNone(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return inside(err)
}
