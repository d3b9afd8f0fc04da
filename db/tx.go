package db

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// A querier is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Scanner reads the columns of one row.
type Scanner interface{ Scan(dest ...any) error }

// A Tx is a transaction that DB.Write runs. It is for the goroutine of the function it was given to, and only until
// that function returns.
type Tx struct {
	ctx     context.Context
	on      querier
	rebind  func(string) string
	notes   []note
	notify  func(*Tx, note) error
	visible []func()
	lock    txLock
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	result, err := t.on.ExecContext(t.ctx, t.rebind(query), args...)
	if err != nil {
		return 0, classify(err)
	}
	return result.RowsAffected()
}

// Row runs a statement that returns at most one row; Scan gives ErrNoRows when there is none.
func (t *Tx) Row(query string, args ...any) Scanner {
	return row{t.on.QueryRowContext(t.ctx, t.rebind(query), args...)}
}

// Each calls scan for every row of the result.
func (t *Tx) Each(query string, args []any, scan func(Scanner) error) error {
	return each(t.ctx, t.on, t.rebind(query), args, scan)
}

// Notify tells those who listen to the channel, in every process, once the transaction is committed.
func (t *Tx) Notify(channel, payload string) error {
	return t.notify(t, note{channel, payload})
}

// OnVisible has f called once others can read what the transaction has written: on SQLite before that is on the disk, and
// always before Write returns. f must be quick, and must not use the database.
func (t *Tx) OnVisible(f func()) { t.visible = append(t.visible, f) }

// show calls what waits for the commit.
func (t *Tx) show() {
	for _, f := range t.visible {
		f()
	}
}

// row classifies what Scan fails with.
type row struct{ *sql.Row }

func (r row) Scan(dest ...any) error { return classify(r.Row.Scan(dest...)) }

func each(ctx context.Context, on querier, query string, args []any, scan func(Scanner) error) error {
	rows, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return classify(cause(ctx, err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return classify(cause(ctx, rows.Err()))
}

// questionMarks turns $1 into ?1. SQLite takes $1 too, but as a name, and numbers names by their first appearance.
func questionMarks() func(string) string {
	var known sync.Map
	return func(query string) string {
		if text, ok := known.Load(query); ok {
			return text.(string)
		}
		text := strings.ReplaceAll(query, "$", "?")
		known.Store(query, text)
		return text
	}
}
