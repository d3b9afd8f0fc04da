package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgres is the engine for several nodes: a pool, and one connection that listens.
type postgres struct {
	pool *sql.DB
	log  *slog.Logger
	hub  *hub
	ear  *ear
}

// stallParam has the server undo a transaction whose process has said nothing for stalled. A process that hangs between
// two statements, or whose machine is gone without a word, would keep its rows from all others for as long.
const (
	stallParam = "idle_in_transaction_session_timeout"
	stalled    = 3 * time.Second
)

// postgresConfig reads the URL of a database, and bounds how long it is waited for.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err) // pgx leaves the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 3 * time.Second
	}
	return config, nil
}

func openPostgres(ctx context.Context, url string, o Options) (_ *postgres, err error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	if _, chosen := config.RuntimeParams[stallParam]; !chosen {
		config.RuntimeParams[stallParam] = strconv.Itoa(int(stalled.Milliseconds()))
	}
	connector := gate{stdlib.GetConnector(*config), make(chan struct{}, connectsAtOnce)}
	p := &postgres{pool: sql.OpenDB(connector), log: o.Log, hub: newHub()}
	p.pool.SetMaxOpenConns(32)
	p.pool.SetMaxIdleConns(16)
	defer func() {
		if err != nil {
			p.pool.Close()
		}
	}()
	if err := p.migrate(ctx, config.Database, o.Schema); err != nil {
		return nil, err
	}
	p.ear = startEar(config, p.hub, p.log)
	return p, nil
}

// connectsAtOnce is how many connections are made at the same time. A standby that has just been promoted finds all nodes at
// its door, each with as many requests as it has users: all let in at once, none gets through within its time.
const connectsAtOnce = 4

// A gate makes connections, connectsAtOnce of them at a time.
type gate struct {
	driver.Connector
	room chan struct{}
}

// Connect implements driver.Connector.
func (g gate) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case g.room <- struct{}{}:
		defer func() { <-g.room }()
		return g.Connector.Connect(ctx)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// clockSQL makes the database's clock where it is not yet there.
const clockSQL = `CREATE FUNCTION hark_now() RETURNS BIGINT LANGUAGE SQL VOLATILE AS
	'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)'`

// migrationLock is an advisory lock: of several nodes that start together, one migrates. ("hark" in ASCII.)
const migrationLock = 0x6861726b

// migrate makes the clock and brings the schema up to date, each step in a transaction of its own. A copy is the
// operator's to make (pg_dump): schema changes of PostgreSQL are undone with their transaction.
func (p *postgres) migrate(ctx context.Context, name string, schema fs.FS) error {
	conn, err := p.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("db: connecting to %s: %w", name, classify(err))
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("db: %w", classify(err))
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock)
	var clock bool
	if err := conn.QueryRowContext(ctx, `SELECT to_regproc('hark_now') IS NOT NULL`).Scan(&clock); err != nil {
		return fmt.Errorf("db: %w", classify(err))
	}
	if !clock {
		if _, err := conn.ExecContext(ctx, clockSQL); err != nil {
			return fmt.Errorf("db: making the clock: %w", classify(err))
		}
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, p.pool, schema, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	have, want, err := versions(ctx, provider, name)
	if err != nil || have == want {
		return err
	}
	return apply(ctx, provider, name, p.log)
}

// retries is how often a transaction is begun again that the server broke off to undo a deadlock.
const retries = 5

func (p *postgres) write(ctx context.Context, do func(*Tx) error) (err error) {
	for try := range retries {
		if err = p.once(ctx, do); !deadlock(err) {
			return err
		}
		pause := time.NewTimer(rand.N(time.Duration(try+1) * 10 * time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
	return err
}

// longest is how long a transaction may take that has begun, when its caller has no deadline before that.
const longest = 10 * time.Second

var errSlow = fmt.Errorf("%w: PostgreSQL has not carried out a transaction in time", ErrTemporary)

// unbroken is the context of a transaction: it outlives ctx, but not the deadline that ctx has. A server that hangs must not
// keep a heartbeat for longer than the node is sure of its lease.
func unbroken(ctx context.Context) (context.Context, context.CancelFunc) {
	last := time.Now().Add(longest)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(last) {
		last = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), last)
}

// once runs do in one transaction. Once it has begun, it is not given up half-way when ctx is cancelled.
func (p *postgres) once(ctx context.Context, do func(*Tx) error) error {
	conn, err := p.pool.Conn(ctx)
	if err != nil {
		return classify(cause(ctx, err))
	}
	defer conn.Close()
	ctx, cancel := unbroken(ctx)
	defer cancel()
	begun, err := conn.BeginTx(ctx, nil)
	if err == nil {
		tx := &Tx{ctx: ctx, on: begun, rebind: p.rebind, notify: pgNotify, lock: pgLock}
		if err = do(tx); err != nil {
			begun.Rollback()
		} else if err = begun.Commit(); err == nil {
			tx.show()
		}
	}
	if err != nil && ctx.Err() != nil {
		return errSlow
	}
	return classify(err)
}

// deadlock: a serialization failure or a deadlock that the server has undone.
func deadlock(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// temporaryState tells whether an SQLSTATE has a cause outside of the program: connections, resources, an operator, a
// standby that does not write.
func temporaryState(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "58":
		return true
	}
	switch code {
	case "57P01", "57P02", "57P03", "25006", "25P03", "55P03":
		return true
	}
	return false
}

func (p *postgres) settle() error                                   { return nil }
func (p *postgres) failed() <-chan struct{}                         { return nil }
func (p *postgres) reader() querier                                 { return p.pool }
func (p *postgres) readContext(ctx context.Context) context.Context { return ctx }
func (p *postgres) rebind(query string) string                      { return query }
func (p *postgres) single() bool                                    { return false }

func (p *postgres) listen(ctx context.Context, channel string) (*Listener, error) {
	l := newListener()
	remove := p.hub.add(channel, l)
	if err := p.ear.ready(ctx); err != nil {
		remove()
		return nil, err
	}
	context.AfterFunc(ctx, remove)
	return l, nil
}

func (p *postgres) close() error {
	p.ear.stop()
	return p.pool.Close()
}
