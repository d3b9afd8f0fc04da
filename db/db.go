package db

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Mode says what a process wants of the database.
type Mode int

const (
	// Serve is for the one process that serves a SQLite database: it takes the lock beside the file.
	Serve Mode = iota
	// Admin is for short commands; it works beside a running server.
	Admin
)

// Options say which database, and how.
type Options struct {
	Source string           // path of a SQLite file, or postgres://…
	Mode   Mode             // Serve or Admin
	Clock  func() time.Time // the database's clock, for tests; nil is the system's, also in a bubble of testing/synctest. SQLite only
	Log    *slog.Logger     // nil logs nothing

	Schema fs.FS                // the migrations, for tests; nil is the program's own
	Sync   func(*os.File) error // of SQLite's log, for tests; nil is os.File's
}

// DB is an open database. All methods may be called from any goroutine.
type DB struct {
	engine engine
	mode   Mode
}

// An engine is what SQLite and PostgreSQL do differently.
type engine interface {
	write(ctx context.Context, do func(*Tx) error) error
	// settle waits until what can be read is on the disk, where that is not always so.
	settle() error
	// failed is closed when nothing can be written any more until the program starts again; nil: that cannot be.
	failed() <-chan struct{}
	reader() querier
	// readContext is the context to read under: an engine that reads in microseconds need not watch it.
	readContext(ctx context.Context) context.Context
	rebind(query string) string
	listen(ctx context.Context, channel string) (*Listener, error)
	// single tells whether only one process may serve the database.
	single() bool
	close() error
}

// Open opens the database, making it when there is none, and brings its schema up to date, after a copy of what was
// there. Errors: ErrInUse, ErrTooNew, ErrTemporary.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Schema == nil {
		o.Schema = Schema()
	}
	if o.Sync == nil {
		o.Sync = (*os.File).Sync
	}
	e, err := openEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	return &DB{engine: e, mode: o.Mode}, nil
}

func openEngine(ctx context.Context, o Options) (engine, error) {
	if isPostgres(o.Source) {
		return openPostgres(ctx, o.Source, o)
	}
	return openSQLite(ctx, o.Source, o)
}

func isPostgres(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}

// Exclusive tells whether this process may act as a node: it serves the database, or the engine knows no owner.
func (d *DB) Exclusive() bool { return d.mode == Serve || !d.engine.single() }

// Shared tells whether several nodes may serve the database.
func (d *DB) Shared() bool { return !d.engine.single() }

// Write runs do in a transaction and returns when its commit is on the disk; an error of do undoes what it did. It does not
// give up half-way: once do has begun, the outcome is waited for even when ctx is cancelled, so a failure means that nothing
// was written. There are three ErrTemporary whose outcome is unknown: from a lost PostgreSQL server, from one that was too
// slow for ctx's deadline, and from a disk that did not sync what was committed (see Failure).
func (d *DB) Write(ctx context.Context, do func(*Tx) error) error {
	return d.engine.write(ctx, do)
}

// Settle returns when everything that could be read before is on the disk. Who tells the world what he has read calls it:
// on SQLite a power cut can undo a commit that others have read, as long as its Write has not returned.
func (d *DB) Settle() error { return d.engine.settle() }

// Failure waits until the disk has failed in a way after which nothing is written any more until the program starts again,
// and returns why; nil when ctx ends before.
func (d *DB) Failure(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.engine.failed():
		return d.engine.settle()
	}
}

// Row reads one row of what is committed; Scan gives ErrNoRows when there is none.
func (d *DB) Row(ctx context.Context, query string, args ...any) Scanner {
	query = d.engine.rebind(query)
	return row{d.engine.reader().QueryRowContext(d.engine.readContext(ctx), query, args...)}
}

// Each reads rows of what is committed and calls scan for each of them, until ctx ends.
func (d *DB) Each(ctx context.Context, query string, args []any, scan func(Scanner) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return each(d.engine.readContext(ctx), d.engine.reader(), d.engine.rebind(query), args, func(row Scanner) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return scan(row)
	})
}

// Listen hears what transactions notify on the channel, from now on until ctx ends.
func (d *DB) Listen(ctx context.Context, channel string) (*Listener, error) {
	return d.engine.listen(ctx, channel)
}

// Now is the database's time, in milliseconds.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	var ms int64
	if err := d.Row(ctx, `SELECT hark_now()`).Scan(&ms); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}

// Close lets the writes that wait finish, stops the goroutines, and gives back the lock.
func (d *DB) Close() error { return d.engine.close() }
