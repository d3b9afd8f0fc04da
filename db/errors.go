package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// What this package fails with, to be compared with errors.Is.
var (
	// ErrInUse: another process serves this database. The text names its process id.
	ErrInUse = errors.New("db: in use by another hark")
	// ErrTemporary: the disk is full, an I/O error, the server away. Nothing was acknowledged; trying again may help, except
	// when the disk did not sync (see DB.Failure).
	ErrTemporary = errors.New("db: temporary failure")
	// ErrTooNew: a newer hark has changed the schema. The text says what to do.
	ErrTooNew = errors.New("db: made by a newer hark")
	// ErrNoRows: Row.Scan found nothing.
	ErrNoRows = sql.ErrNoRows
	// ErrClosed: the database was closed.
	ErrClosed = errors.New("db: closed")
)

// classify marks those errors of the driver as temporary that may go away by themselves.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrTemporary) || !temporary(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrTemporary, err)
}

func temporary(err error) bool {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return true
	}
	var lite sqlite3.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return temporaryCode(lite.Code)
	case errors.As(err, &pg):
		return temporaryState(pg.Code)
	}
	return disconnected(err)
}

// disconnected tells whether the connection to PostgreSQL could not be made or broke.
func disconnected(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) { // these look like network errors
		return false
	}
	if pgconn.SafeToRetry(err) { // "conn closed", found before anything was sent
		return true
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// temporaryCode tells whether a SQLite result code has a cause outside of the program.
func temporaryCode(code sqlite3.ErrNo) bool {
	switch code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrNomem,
		sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrProtocol:
		return true
	}
	return false
}

// cause prefers the reason for which a context ended over what the driver makes of it.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
