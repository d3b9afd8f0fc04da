package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"
)

// groupMax is how many writes one commit carries at most. A busy server's commits each wait for the disk about as long,
// whether they carry few or many.
const groupMax = 1024

// A request is one write that waits for its commit.
type request struct {
	do    func(*Tx) error
	taken atomic.Bool // by the writer, or by the caller who gave up
	done  chan error
	tx    *Tx // of the last run
}

// A writer is the goroutine that owns SQLite's only writing connection.
type writer struct {
	pool     *sql.DB
	marks    func(string) string
	hub      *hub
	log      *slog.Logger
	queue    chan *request
	stopping chan struct{}
	stopOnce sync.Once
	finished chan struct{}
	conn     *sql.Conn // nil until needed, and after it broke
	disk     *disk
}

func startWriter(d *disk, pool *sql.DB, marks func(string) string, h *hub, log *slog.Logger) *writer {
	w := &writer{
		pool: pool, disk: d, marks: marks, hub: h, log: log,
		queue: make(chan *request, groupMax), stopping: make(chan struct{}), finished: make(chan struct{}),
	}
	go w.serve()
	return w
}

// do queues a write and waits for its commit. A caller whose context ends withdraws the write if it has not begun.
func (w *writer) do(ctx context.Context, do func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	r := &request{do: do, done: make(chan error, 1)}
	select {
	case w.queue <- r:
	case <-w.stopping:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return context.Cause(ctx)
		}
	case <-w.finished:
		if r.taken.CompareAndSwap(false, true) {
			return ErrClosed
		}
	}
	return <-r.done
}

// stop lets the queued writes finish and waits for the goroutine. It may be called again.
func (w *writer) stop() {
	w.stopOnce.Do(func() { close(w.stopping) })
	<-w.finished
}

func (w *writer) serve() {
	defer close(w.finished)
	defer w.drop()
	for {
		select {
		case r := <-w.queue:
			w.commit(w.gather(r))
		case <-w.stopping:
			w.drain()
			return
		}
	}
}

func (w *writer) drain() {
	for {
		select {
		case r := <-w.queue:
			w.commit(w.gather(r))
		default:
			return
		}
	}
}

// gather takes what waits behind the first request, without waiting for more.
func (w *writer) gather(first *request) []*request {
	group := []*request{first}
	for len(group) < groupMax {
		select {
		case r := <-w.queue:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// commit runs the group in one transaction and answers everybody in it who still waits.
func (w *writer) commit(group []*request) {
	group = slices.DeleteFunc(group, func(r *request) bool { return !r.taken.CompareAndSwap(false, true) })
	results := make([]error, len(group))
	err := w.transaction(group, results)
	if err != nil {
		w.log.Error("database writes failed", "writes", len(group), "err", err)
	}
	for i, r := range group {
		if results[i] == nil {
			results[i] = err
		}
		r.done <- results[i]
	}
}

// transaction fails when nothing of the group was written; results hold what single writes failed with. It tries the
// group without savepoints first, since making and dropping one costs as much as a small write does.
func (w *writer) transaction(group []*request, results []error) error {
	if all, err := w.together(group, results); all || err != nil {
		return err
	}
	return w.apart(group, results)
}

// together writes all of the group, or nothing when one of it fails; then all is false.
func (w *writer) together(group []*request, results []error) (all bool, err error) {
	if err := w.begin(); err != nil {
		return false, classify(err)
	}
	for _, r := range group {
		if w.run(r) != nil {
			w.rollback()
			return false, nil
		}
	}
	return true, w.end(group, results)
}

// apart writes each of the group behind a savepoint of its own, so that one that fails leaves the others alone.
func (w *writer) apart(group []*request, results []error) error {
	if err := w.begin(); err != nil {
		return classify(err)
	}
	for i, r := range group {
		results[i] = w.item(r)
		if results[i] != nil && w.aborted() {
			return classify(results[i])
		}
	}
	return w.end(group, results)
}

// item runs one write behind a savepoint.
func (w *writer) item(r *request) error {
	if err := w.exec("SAVEPOINT item"); err != nil {
		return classify(err)
	}
	err := w.run(r)
	if err == nil {
		return classify(w.exec("RELEASE item"))
	}
	if undo := w.exec("ROLLBACK TO item"); undo == nil {
		w.exec("RELEASE item")
	}
	return err
}

// run runs one write in the transaction that is open.
func (w *writer) run(r *request) error {
	r.tx = &Tx{ctx: context.Background(), on: w.conn, rebind: w.marks, notify: (*Tx).keepNote, lock: noLock}
	return classify(r.do(r.tx))
}

func (t *Tx) keepNote(n note) error {
	t.notes = append(t.notes, n)
	return nil
}

func (w *writer) begin() error {
	if w.disk.err != nil {
		return w.disk.err
	}
	if err := w.open(); err != nil {
		w.drop()
		return err
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		w.drop()
		return err
	}
	return nil
}

// open opens the connection, if there is none. Its commits do not sync the log: the disk does that.
func (w *writer) open() (err error) {
	if w.conn != nil {
		return nil
	}
	if w.conn, err = w.pool.Conn(context.Background()); err != nil {
		return err
	}
	if err := w.exec("PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	return w.disk.open()
}

func (w *writer) exec(statement string) error {
	_, err := w.conn.ExecContext(context.Background(), statement)
	return err
}

// end commits, or leaves nothing; it tells of the writes that succeeded.
func (w *writer) end(group []*request, results []error) error {
	return w.disk.keep(func() error {
		err := w.exec("COMMIT")
		if err != nil {
			w.rollback()
		}
		return classify(err)
	}, func() {
		for i, r := range group {
			if results[i] == nil {
				w.hub.publish(r.tx.notes)
				r.tx.show()
			}
		}
	})
}

// aborted tells whether SQLite has undone the whole transaction by itself, as it does when the disk is full.
func (w *writer) aborted() bool {
	over := false
	err := w.conn.Raw(func(conn any) error {
		over = conn.(*sqlite3.SQLiteConn).AutoCommit()
		return nil
	})
	return over || err != nil
}

// rollback leaves a connection fit for the next transaction, or none.
func (w *writer) rollback() {
	if w.aborted() {
		return
	}
	if err := w.exec("ROLLBACK"); err != nil {
		w.log.Error("database rollback failed", "err", err)
		w.drop()
	}
}

// drop closes the connection; the next write opens another.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	w.disk.close()
	w.conn.Raw(func(any) error { return driver.ErrBadConn }) // the pool closes what it is told is bad
	w.conn = nil
}
