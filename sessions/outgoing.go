package sessions

import (
	"context"
	"errors"
	"time"

	"hark/db"
	"hark/im"
)

// sameID is for how long the id of an outgoing message stands for one message.
const sameID = 24 * time.Hour

// Journal implements Store.
func (s *SQL) Journal(ctx context.Context, user string, epoch Epoch, m im.Message) (seq Seq, fresh bool, err error) {
	m.Outgoing = true
	row, err := rowOf(m, im.Queued)
	if err != nil {
		return 0, false, err
	}
	err = s.owned(ctx, user, epoch, func(tx *db.Tx) error {
		fresh = false // when this runs again
		seq, err = journalled(tx, user, &row)
		if err != nil || seq != 0 {
			return err
		}
		end, now, err := grow(tx, user, epoch, []messageRow{row})
		if err != nil {
			return err
		}
		seqs, err := insertAll(tx, user, end, now, []messageRow{row})
		if err != nil {
			return err
		}
		seq, fresh = seqs[0], seqs[0] == end+1
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	return seq, fresh, nil
}

// journalled finds the message that already has the id, 0 when there is none. One that retention has emptied is taken
// for the same.
func journalled(tx *db.Tx, user string, r *messageRow) (seq Seq, err error) {
	if r.ID == "" {
		return 0, nil
	}
	var recipient, body, attachments, replyTo string
	var gone bool
	err = tx.Row(`
		SELECT seq, recipient, body, attachments, reply_to, gone FROM message
		WHERE usr = $1 AND outgoing AND id = $2 AND id <> '' AND stored > hark_now() - $3
		ORDER BY seq DESC LIMIT 1`, user, r.ID, sameID.Milliseconds()).
		Scan(&seq, &recipient, &body, &attachments, &replyTo, &gone)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, inside(err)
	case gone || (recipient == r.To.String() && body == r.Body && attachments == r.attachments && replyTo == r.ReplyTo):
		return seq, nil
	}
	return 0, ErrDuplicate
}

// Pending implements Store.
func (s *SQL) Pending(ctx context.Context, user string) (pending []Message, err error) {
	err = s.db.Each(ctx, `SELECT `+messageColumns+`, hark_now() FROM message WHERE usr = $1 AND state = 'queued' ORDER BY seq`, []any{user},
		func(row db.Scanner) error {
			var now int64
			m, err := scanMessage(row, &now)
			m.Age = time.UnixMilli(now).Sub(m.Stored)
			pending = append(pending, m)
			return err
		})
	return pending, inside(errors.Join(err, s.db.Settle()))
}

// rank orders the states of an outgoing message; only a step up is taken.
var rank = map[im.DeliveryState]int{"": 0, im.Queued: 1, im.Sent: 2, im.Delivered: 3, im.Read: 4, im.Failed: 5}

// forward tells whether a message may go from one state to another: up, and never to Failed once somebody has it.
func forward(from, to im.DeliveryState) bool {
	if to == im.Failed {
		return rank[from] < rank[im.Delivered]
	}
	return rank[from] < rank[to]
}

// Settle implements Store.
func (s *SQL) Settle(ctx context.Context, user string, epoch Epoch, id string, state im.DeliveryState, reason string) error {
	return s.owned(ctx, user, epoch, func(tx *db.Tx) error {
		var seq Seq
		var from im.DeliveryState
		err := tx.Row(`
			SELECT seq, state FROM message WHERE usr = $1 AND outgoing AND id = $2 AND id <> ''
			ORDER BY seq DESC LIMIT 1`, user, id).Scan(&seq, &from)
		if err != nil {
			return found(err, ErrNotFound)
		}
		if !forward(from, state) {
			return nil
		}
		_, err = tx.Exec(`UPDATE message SET state = $3, reason = $4 WHERE usr = $1 AND seq = $2`, user, seq, state, clean(reason))
		return inside(err)
	})
}
