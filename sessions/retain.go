package sessions

import (
	"context"
	"time"

	"hark/db"
	"hark/im"
)

// The bounds of a log when Retention leaves them open.
const (
	retainAge   = 30 * 24 * time.Hour
	retainRead  = 7 * 24 * time.Hour
	retainCount = 1000
	retainBytes = 1 << 20
)

func (r Retention) withDefaults() Retention {
	if r.Age == 0 {
		r.Age = retainAge
	}
	if r.Read == 0 {
		r.Read = retainRead
	}
	if r.Count == 0 {
		r.Count = retainCount
	}
	if r.Bytes == 0 {
		r.Bytes = retainBytes
	}
	return r
}

// Retain implements Store. For everybody it also clears away keys that have lapsed. Messages that still wait to be sent
// are never dropped.
func (s *SQL) Retain(ctx context.Context, user string, r Retention) (dropped int, err error) {
	r = r.withDefaults()
	users := []string{user}
	if user == "" {
		if users, err = s.overfull(ctx, r); err != nil {
			return 0, err
		}
		if err := s.dropLapsedKeys(ctx); err != nil {
			return 0, err
		}
	}
	for _, u := range users {
		n, err := s.retain(ctx, u, r)
		dropped += n
		if err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// overfull lists the users whose logs may be beyond the bounds.
func (s *SQL) overfull(ctx context.Context, r Retention) (users []string, err error) {
	err = s.db.Each(ctx, `
		SELECT usr FROM session WHERE kept > $1 OR bytes > $2 OR (oldest <> 0 AND oldest < hark_now() - $3)
			OR (kept > 0 AND oldest < hark_now() - $4 AND EXISTS (
				SELECT 1 FROM message WHERE usr = session.usr AND seq <= `+readByAll+` AND stored < hark_now() - $4
				AND NOT gone AND state <> $5))`,
		[]any{r.Count, r.Bytes, r.Age.Milliseconds(), r.Read.Milliseconds(), im.Queued}, func(row db.Scanner) error {
			var user string
			err := row.Scan(&user)
			users = append(users, user)
			return err
		})
	return users, inside(err)
}

func (s *SQL) dropLapsedKeys(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM session_key WHERE ends <= hark_now() OR used + idle <= hark_now()`)
		return inside(err)
	})
}

// retain applies the bounds to one user's log.
func (s *SQL) retain(ctx context.Context, user string, r Retention) (dropped int, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if _, _, err := mailbox(tx, user); err != nil {
			return err
		}
		read, err := dropRead(tx, user, r)
		if err != nil {
			return err
		}
		upto, err := boundary(tx, user, r)
		if err != nil {
			return err
		}
		rest, err := drop(tx, user, upto)
		if err != nil {
			return err
		}
		dropped = read + rest
		return forget(tx, user, r)
	})
	return dropped, err
}

// readByAll is the number up to which every kind of client of session.usr that ever acknowledged a message has done so.
const readByAll = `(SELECT min(cursor.seq) FROM cursor WHERE cursor.usr = session.usr)`

// dropRead empties what all have read and is beyond the age for that. Nobody missed it, so no mark is left.
func dropRead(tx *db.Tx, user string, r Retention) (dropped int, err error) {
	var upto Seq
	if err := tx.Row(`
		SELECT coalesce(max(seq), 0) FROM message WHERE usr = $1 AND NOT gone AND stored < hark_now() - $2
		AND seq <= (SELECT `+readByAll+` FROM session WHERE usr = $1)`, user, r.Read.Milliseconds()).Scan(&upto); err != nil {
		return 0, inside(err)
	}
	e, err := empty(tx, user, upto)
	return e.messages, err
}

// boundary finds the newest message that is beyond a bound; everything up to it goes.
func boundary(tx *db.Tx, user string, r Retention) (upto Seq, err error) {
	var count int
	var bytes int64
	err = tx.Each(`SELECT seq, size, stored < hark_now() - $2 FROM message WHERE usr = $1 AND NOT gone ORDER BY seq DESC`,
		[]any{user, r.Age.Milliseconds()}, func(row db.Scanner) error {
			var seq Seq
			var size int64
			var old bool
			if err := row.Scan(&seq, &size, &old); err != nil {
				return err
			}
			count++
			bytes += size
			if upto == 0 && (old || count > r.Count || bytes > r.Bytes) {
				upto = seq
			}
			return nil
		})
	return upto, inside(err)
}

// drop empties what is up to the number and not waiting to be sent, and keeps count for everybody who has not read it.
func drop(tx *db.Tx, user string, upto Seq) (dropped int, err error) {
	if _, err := tx.Exec(`
		UPDATE cursor SET missed = missed + (
			SELECT count(*) FROM message m WHERE m.usr = cursor.usr AND m.seq > cursor.seq AND m.seq <= $2
			AND NOT m.outgoing AND NOT m.gone)
		WHERE usr = $1`, user, upto); err != nil {
		return 0, inside(err)
	}
	e, err := empty(tx, user, upto)
	if err != nil || e.incoming == 0 {
		return e.messages, err
	}
	_, err = tx.Exec(`
		UPDATE session SET dropped = dropped + $2, dropped_upto = CASE WHEN dropped_upto < $3 THEN $3 ELSE dropped_upto END
		WHERE usr = $1`, user, e.incoming, e.last)
	return e.messages, inside(err)
}

// emptied is what was taken out of a log.
type emptied struct {
	messages, incoming int
	last               Seq // the last incoming one
}

// empty takes the texts out of what is up to the number and not waiting to be sent.
func empty(tx *db.Tx, user string, upto Seq) (e emptied, err error) {
	var bytes int64
	if err := tx.Row(`
		SELECT count(*), coalesce(sum(size), 0), coalesce(sum(CASE WHEN outgoing THEN 0 ELSE 1 END), 0),
			coalesce(max(CASE WHEN outgoing THEN 0 ELSE seq END), 0)
		FROM message WHERE usr = $1 AND seq <= $2 AND NOT gone AND state <> $3`, user, upto, im.Queued).
		Scan(&e.messages, &bytes, &e.incoming, &e.last); err != nil || e.messages == 0 {
		return e, inside(err)
	}
	if _, err := tx.Exec(`
		UPDATE message SET gone = TRUE, size = 0, body = '', name = '', attachments = '', choices = '', reply_to = '', reason = ''
		WHERE usr = $1 AND seq <= $2 AND NOT gone AND state <> $3`, user, upto, im.Queued); err != nil {
		return e, inside(err)
	}
	_, err = tx.Exec(`UPDATE session SET kept = kept - $2, bytes = bytes - $3 WHERE usr = $1`, user, e.messages, bytes)
	return e, inside(err)
}

// forget removes the emptied rows whose time is over, and notes how old the log is now.
func forget(tx *db.Tx, user string, r Retention) error {
	if _, err := tx.Exec(`DELETE FROM message WHERE usr = $1 AND gone AND stored < hark_now() - $2`,
		user, r.Age.Milliseconds()); err != nil {
		return inside(err)
	}
	_, err := tx.Exec(`
		UPDATE session SET oldest = coalesce((SELECT stored FROM message m WHERE m.usr = session.usr ORDER BY seq LIMIT 1), 0)
		WHERE usr = $1`, user)
	return inside(err)
}

// Purge implements Store.
func (s *SQL) Purge(ctx context.Context, user string) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		node, err := owner(tx, user)
		if err != nil {
			return err
		}
		for _, table := range []string{"session", "session_key", "message", "cursor", "resume", "user_state"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE usr = $1`, user); err != nil {
				return inside(err)
			}
		}
		return tellNode(tx, node, user)
	})
}
