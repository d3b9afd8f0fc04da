package db

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// A disk has SQLite's commits reach the disk. SQLite could do that by itself, but then nobody could read a commit before: the
// writer commits to the log (WAL) without a sync, which makes it readable, and the log is synced after that.
//
// A sync that fails leaves nothing to trust: the system may have dropped what it could not write, and a later sync says
// nothing about it. So nothing is written any more after that, as PostgreSQL does it. At the next start SQLite reads the log up
// to where its checksums are right, and freshLog begins another one.
type disk struct {
	path   string   // of the log
	log    *os.File // nil while there is no connection, which keeps the log from being made anew
	sync   func(*os.File) error
	busy   sync.RWMutex  // held from before a commit until it is on the disk
	failed chan struct{} // closed when a sync has failed
	err    error         // why; the writer sets it while it holds busy
}

func newDisk(database string, sync func(*os.File) error) *disk {
	return &disk{path: database + "-wal", sync: sync, failed: make(chan struct{})}
}

// freshLog copies what the log holds into the database, so that nothing is written behind a part of it that may be missing on
// the disk. A reader keeps it from that.
func freshLog(ctx context.Context, pool *sql.DB) error {
	_, err := pool.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

func (d *disk) open() (err error) {
	d.log, err = os.Open(d.path)
	return err
}

func (d *disk) close() {
	if d.log != nil {
		d.log.Close() // it was only read from and synced
		d.log = nil
	}
}

// keep commits, has it told that this can be read, and syncs it. Only the writer calls it, and not after a failed sync.
func (d *disk) keep(commit func() error, tell func()) error {
	d.busy.Lock()
	defer d.busy.Unlock()
	if err := commit(); err != nil {
		return err
	}
	tell()
	runtime.Gosched() // who was told goes first: what comes now takes long
	if err := d.sync(d.log); err != nil {
		d.err = fmt.Errorf("%w: the disk has not kept what was written, and Hark must be started again: %w", ErrTemporary, err)
		close(d.failed)
	}
	return d.err
}

// settle waits until everything that could be read before is on the disk. Anybody may call it.
func (d *disk) settle() error {
	d.busy.RLock()
	defer d.busy.RUnlock()
	return d.err
}
