package sessions

import (
	"context"
	"errors"
	"fmt"

	"hark/db"
	"hark/im"
)

// Append implements Store.
func (s *SQL) Append(ctx context.Context, user string, epoch Epoch, b Batch) ([]Seq, error) {
	rows, err := rowsOf(b.Messages)
	if err != nil {
		return nil, err
	}
	var seqs []Seq
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		end, now, err := grow(tx, user, epoch, rows)
		if err != nil {
			return err
		}
		if seqs, err = insertAll(tx, user, end, now, rows); err != nil {
			return err
		}
		if b.Visible != nil {
			tx.OnVisible(func() { b.Visible(seqs) })
		}
		if b.Resume == nil {
			return nil
		}
		return putResume(tx, user, b.Network, b.Resume)
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}

// rowsOf prepares messages that the network brought: what the user sent with another client was sent.
func rowsOf(msgs []im.Message) ([]messageRow, error) {
	rows := make([]messageRow, len(msgs))
	for i, m := range msgs {
		var state im.DeliveryState
		if m.Outgoing {
			state = im.Sent
		}
		var err error
		if rows[i], err = rowOf(m, state); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// grow fences, locks the log, and makes room for the rows in its numbers; it returns the end before them and the time.
func grow(tx *db.Tx, user string, epoch Epoch, rows []messageRow) (end Seq, now int64, err error) {
	n := len(rows)
	err = tx.Row(`
		UPDATE session SET last_seq = last_seq + $3, kept = kept + $3, bytes = bytes + $4,
			oldest = CASE WHEN oldest = 0 THEN hark_now() ELSE oldest END
		WHERE usr = $1 AND epoch = $2 RETURNING last_seq, hark_now()`, user, epoch, n, sizeOf(rows)).Scan(&end, &now)
	return end - Seq(n), now, found(err, ErrFenced)
}

func sizeOf(rows []messageRow) (bytes int) {
	for _, r := range rows {
		bytes += r.size
	}
	return bytes
}

// insertAll puts the rows behind end, and gives back the room of those that were there already.
func insertAll(tx *db.Tx, user string, end Seq, now int64, rows []messageRow) ([]Seq, error) {
	seqs := make([]Seq, len(rows))
	var known []messageRow
	for i := range rows {
		seq, fresh, err := insert(tx, user, end+1, now, &rows[i])
		if err != nil {
			return nil, err
		}
		if seqs[i] = seq; fresh {
			end++
		} else {
			known = append(known, rows[i])
		}
	}
	if len(known) == 0 {
		return seqs, nil
	}
	_, err := tx.Exec(`UPDATE session SET last_seq = last_seq - $2, kept = kept - $2, bytes = bytes - $3 WHERE usr = $1`,
		user, len(known), sizeOf(known))
	return seqs, inside(err)
}

// insert puts one row under the number seq, unless it is known: then it returns the number it has.
func insert(tx *db.Tx, user string, seq Seq, now int64, r *messageRow) (_ Seq, fresh bool, err error) {
	if r.Outgoing && r.ID != "" && r.state == im.Sent {
		if known, err := echo(tx, user, r); known != 0 || err != nil {
			return known, false, err
		}
	}
	n, err := tx.Exec(`
		INSERT INTO message (usr, seq, outgoing, origin, id, sender, recipient, name, body, attachments, reply_to, sent, state, stored, size, choices, markable)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`,
		user, seq, r.Outgoing, r.Origin, r.ID, r.From.String(), r.To.String(), r.Name, r.Body, r.attachments, r.ReplyTo,
		r.sent, r.state, now, r.size, r.choices, r.Markable)
	if err != nil || n == 1 {
		return seq, true, inside(err)
	}
	err = tx.Row(`SELECT seq FROM message WHERE usr = $1 AND outgoing = $2 AND origin = $3 AND origin <> ''`,
		user, r.Outgoing, r.Origin).Scan(&seq)
	return seq, false, found(err, fmt.Errorf("sessions: the log of a user has a message beyond its end (number %d)", seq))
}

// echo finds the message that Hark itself sent and the network now reports back (a carbon copy, the archive): it was
// sent, then. It returns 0 when there is none.
func echo(tx *db.Tx, user string, r *messageRow) (seq Seq, err error) {
	var state im.DeliveryState
	err = tx.Row(`
		SELECT seq, state FROM message
		WHERE usr = $1 AND outgoing AND id = $2 AND id <> '' AND recipient = $3 AND (gone OR body = $4)
		ORDER BY seq DESC LIMIT 1`, user, r.ID, r.To.String(), r.Body).Scan(&seq, &state)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil || state != im.Queued {
		return seq, inside(err)
	}
	_, err = tx.Exec(`UPDATE message SET state = $3 WHERE usr = $1 AND seq = $2`, user, seq, im.Sent)
	return seq, inside(err)
}

// Deliver implements Store.
func (s *SQL) Deliver(ctx context.Context, toUser string, m im.Message) (seq Seq, err error) {
	m.Outgoing = false
	row, err := rowOf(m, "")
	if err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		epoch, node, err := mailbox(tx, toUser)
		if err != nil {
			return err
		}
		end, now, err := grow(tx, toUser, epoch, []messageRow{row})
		if err != nil {
			return err
		}
		seqs, err := insertAll(tx, toUser, end, now, []messageRow{row})
		if err != nil {
			return err
		}
		seq = seqs[0]
		return tellNode(tx, node, toUser)
	})
	return seq, err
}

// mailbox locks the user's row, making it when this is the first thing that is known of him.
func mailbox(tx *db.Tx, user string) (epoch Epoch, node string, err error) {
	err = tx.Row(`INSERT INTO session AS s (usr) VALUES ($1) ON CONFLICT (usr) DO UPDATE SET epoch = s.epoch RETURNING epoch, node`,
		user).Scan(&epoch, &node)
	return epoch, node, inside(err)
}
