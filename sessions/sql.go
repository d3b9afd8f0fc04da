package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"hark/db"
)

// SQL is the Store on Hark's database, on every engine of package db.
type SQL struct {
	db     *db.DB
	log    *slog.Logger
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu       sync.Mutex // guards closed, and watchers against Close
	closed   bool
	watchers sync.WaitGroup
}

var _ Store = (*SQL)(nil)

// Open makes a Store on the database, which stays the caller's to close, after the Store. A nil log logs nothing.
func Open(database *db.DB, log *slog.Logger) *SQL {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &SQL{db: database, log: log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the watchers and waits for them.
func (s *SQL) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.watchers.Wait()
	return nil
}

// owned runs do in a transaction if nobody has a higher epoch; the row that says so stays locked to its end.
func (s *SQL) owned(ctx context.Context, user string, epoch Epoch, do func(*db.Tx) error) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := fence(tx, user, epoch); err != nil {
			return err
		}
		return do(tx)
	})
}

// fence refuses with ErrFenced unless epoch is the session's, and locks the session's row.
func fence(tx *db.Tx, user string, epoch Epoch) error {
	n, err := tx.Exec(`UPDATE session SET epoch = epoch WHERE usr = $1 AND epoch = $2`, user, epoch)
	return changed(n, err, ErrFenced)
}

// changed makes otherwise of a statement that changed no row.
func changed(n int64, err, otherwise error) error {
	if err == nil && n == 0 {
		return otherwise
	}
	return inside(err)
}

// inside says where an error comes from, once; nil stays nil.
func inside(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), "sessions: ") {
		return err
	}
	return fmt.Errorf("sessions: %w", err)
}

// found turns the database's "no rows" into otherwise.
func found(err, otherwise error) error {
	if errors.Is(err, db.ErrNoRows) {
		return otherwise
	}
	return inside(err)
}
