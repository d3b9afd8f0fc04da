package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mattn/go-sqlite3"
)

// sqlite is the embedded engine: one writing connection, owned by the writer, and a pool that reads.
type sqlite struct {
	path   string
	log    *slog.Logger
	lock   *fileLock // nil for Admin
	write1 *sql.DB   // never more than one connection
	read   *sql.DB
	writer *writer
	hub    *hub
	marks  func(string) string
}

func openSQLite(ctx context.Context, path string, o Options) (_ *sqlite, err error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	keepFreeMemory()
	if err := setUpConnections(); err != nil {
		return nil, err
	}
	s := &sqlite{path: path, log: o.Log, hub: newHub(), marks: questionMarks()}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if o.Mode == Serve {
		if s.lock, err = takeLock(path + ".lock"); err != nil {
			return nil, err
		}
	}
	s.write1 = sql.OpenDB(connector{path, "&_txlock=immediate", o.Clock})
	s.write1.SetMaxOpenConns(1)
	if o.Mode == Serve {
		if err := freshLog(ctx, s.write1); err != nil {
			return nil, fmt.Errorf("db: %s: %w", path, classify(err))
		}
	}
	if err := s.migrate(ctx, o.Schema); err != nil {
		return nil, err
	}
	s.read = sql.OpenDB(connector{path, "&_query_only=1", o.Clock})
	s.read.SetMaxOpenConns(max(4, 2*runtime.GOMAXPROCS(0)))
	s.read.SetMaxIdleConns(max(4, 2*runtime.GOMAXPROCS(0)))
	s.writer = startWriter(newDisk(path, o.Sync), s.write1, s.marks, s.hub, s.log)
	return s, nil
}

// prepareFile makes the file's folder, and the file with mode 0600 before SQLite would make it with the umask's; SQLite gives the files it
// makes beside it the same mode.
func prepareFile(path string) error {
	if path == "" {
		return errors.New("db: no database is named")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	defer file.Close()
	if err := file.Chmod(0o600); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	return nil
}

// A connector opens connections.
type connector struct {
	path  string
	extra string           // further parameters of the driver
	clock func() time.Time // of hark_now(); nil is the system's
}

// Every commit is synced (FULL, or by the writer's disk): what was acknowledged survives a power cut. Deleted content is
// overwritten where that costs no further I/O.
const parameters = "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_foreign_keys=1&_secure_delete=FAST" +
	"&_stmt_cache_size=128&_cache_size=-16000&_mutex=no"

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	absolute, err := filepath.Abs(c.path)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	file := url.URL{Scheme: "file", Path: absolute}
	conn, err := (&sqlite3.SQLiteDriver{}).Open(file.String() + parameters + c.extra)
	if err != nil {
		return nil, classify(err)
	}
	if err := c.prepare(conn.(*sqlite3.SQLiteConn)); err != nil {
		conn.Close()
		return nil, fmt.Errorf("db: %w", classify(err))
	}
	return conn, nil
}

// prepare gives the connection the clock of a test. Copying the log into the database every 8,000 pages (32 MiB) rather than
// 1,000 writes a page that many commits touch fewer times; what this costs is the size of the log.
func (c connector) prepare(conn *sqlite3.SQLiteConn) error {
	if c.clock != nil {
		now := func() int64 { return c.clock().UnixMilli() }
		if err := conn.RegisterFunc("hark_now", now, true); err != nil {
			return err
		}
	}
	_, err := conn.Exec(`PRAGMA wal_autocheckpoint = 8000`, nil)
	return err
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (s *sqlite) write(ctx context.Context, do func(*Tx) error) error { return s.writer.do(ctx, do) }
func (s *sqlite) settle() error                                       { return s.writer.disk.settle() }
func (s *sqlite) failed() <-chan struct{}                             { return s.writer.disk.failed }
func (s *sqlite) reader() querier                                     { return s.read }
func (s *sqlite) rebind(query string) string                          { return s.marks(query) }
func (s *sqlite) single() bool                                        { return true }

// readContext: a watched context costs SQLite a goroutine for each query and for each row, longer than reading them.
func (s *sqlite) readContext(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func (s *sqlite) listen(ctx context.Context, channel string) (*Listener, error) {
	l := newListener()
	context.AfterFunc(ctx, s.hub.add(channel, l))
	return l, nil
}

func (s *sqlite) close() error {
	var errs []error
	if s.writer != nil {
		s.writer.stop()
		if s.settle() != nil {
			// The last connection to close copies the log into the database, unchecked. The program's end does not.
			return s.lock.release()
		}
	}
	for _, pool := range []*sql.DB{s.read, s.write1} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(append(errs, s.lock.release())...)
}
