package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// things is a schema for tests, of one table.
var things = fstest.MapFS{"00001_things.sql": file(`CREATE TABLE thing (n BIGINT PRIMARY KEY, body TEXT NOT NULL DEFAULT '');`)}

func file(sql string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql + "\n")}
}

// path is a database's in a fresh folder.
func path(t testing.TB) string { return filepath.Join(t.TempDir(), "hark.db") }

// open opens a database that the test closes at its end.
func open(t testing.TB, o Options) *DB {
	t.Helper()
	if o.Schema == nil {
		o.Schema = things
	}
	d, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// openErr opens a database and wants a failure.
func openErr(t testing.TB, o Options, want error) string {
	t.Helper()
	if o.Schema == nil {
		o.Schema = things
	}
	d, err := Open(context.Background(), o)
	if err == nil {
		d.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
	return err.Error()
}

func put(d *DB, n int) error {
	return d.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO thing (n) VALUES ($1)`, n)
		return err
	})
}

func count(t testing.TB, d *DB) (n int) {
	t.Helper()
	if err := d.Row(context.Background(), `SELECT count(*) FROM thing`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSecondServerIsRefusedInWords(t *testing.T) {
	name := path(t)
	first := open(t, Options{Source: name})
	words := openErr(t, Options{Source: name}, ErrInUse)
	if !strings.Contains(words, "process "+strconv.Itoa(os.Getpid())) || !strings.Contains(words, name) {
		t.Errorf("the refusal does not say who and which: %s", words)
	}
	if err := put(first, 1); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, open(t, Options{Source: name})); n != 1 {
		t.Errorf("the next server finds %d rows", n)
	}
}

func TestAdminWorksBesideTheServer(t *testing.T) {
	name := path(t)
	server := open(t, Options{Source: name})
	admin := open(t, Options{Source: name, Mode: Admin})
	if !server.Exclusive() || admin.Exclusive() {
		t.Error("only the server may act as a node")
	}
	for n, d := range []*DB{server, admin, server, admin} {
		if err := put(d, n); err != nil {
			t.Fatal(err)
		}
	}
	if count(t, server) != 4 || count(t, admin) != 4 {
		t.Error("they do not see each other's rows")
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	name := path(t)
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	d := open(t, Options{Source: name})
	if err := put(d, 1); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(name + "*")
	if err != nil || len(files) != 4 {
		t.Fatalf("files: %v, %v; want database, log, shared memory and lock", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	d := open(t, Options{Source: path(t), Clock: func() time.Time { return now }})
	got, err := d.Now(context.Background())
	if err != nil || !got.Equal(now) {
		t.Errorf("now is %v, %v", got, err)
	}
	now = now.Add(time.Hour)
	err = d.Write(context.Background(), func(tx *Tx) error {
		var ms int64
		if err := tx.Row(`SELECT hark_now()`).Scan(&ms); err != nil || ms != now.UnixMilli() {
			t.Errorf("now is %v, %v", ms, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	real := open(t, Options{Source: path(t)})
	before := time.Now().Truncate(time.Millisecond)
	if got, err := real.Now(context.Background()); err != nil || got.Before(before) || got.After(time.Now()) {
		t.Errorf("without a clock of the test's, now is %v, %v", got, err)
	}
}

func TestPlaceholdersAreNumbered(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	var got string
	if err := d.Row(context.Background(), `SELECT $2 || $1 || $2`, "a", "b").Scan(&got); err != nil || got != "bab" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := d.Row(context.Background(), `SELECT n FROM thing`).Scan(&got); !errors.Is(err, ErrNoRows) {
		t.Errorf("no row gives %v", err)
	}
}

// TestPlansAreKept looks at a plan that SQLite, left to itself, makes anew for the value that is bound: of a pattern that
// begins with letters it searches an index.
func TestPlansAreKept(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	err := d.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(`CREATE TABLE word (text TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var id, parent, unused int
	var plan string
	err = d.Row(t.Context(), `EXPLAIN QUERY PLAN SELECT text FROM word WHERE text LIKE $1`, "ab%").Scan(&id, &parent, &unused, &plan)
	if err != nil || !strings.HasPrefix(plan, "SCAN") {
		t.Errorf("the plan is %q (%v): it depends on the value", plan, err)
	}
}

// TestOneFailsNotTheOthers puts many writes into one group; every third fails after it has written.
func TestOneFailsNotTheOthers(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	boom := errors.New("boom")
	release := occupy(t, d)
	var wg sync.WaitGroup
	for n := range 60 {
		wg.Go(func() {
			err := d.Write(context.Background(), func(tx *Tx) error {
				if _, err := tx.Exec(`INSERT INTO thing (n) VALUES ($1)`, n); err != nil {
					return err
				}
				switch n % 3 {
				case 1:
					return boom
				case 2:
					_, err := tx.Exec(`INSERT INTO thing (n) VALUES ($1)`, n) // twice the same
					return err
				}
				return nil
			})
			if (err == nil) != (n%3 == 0) || errors.Is(err, boom) != (n%3 == 1) || errors.Is(err, ErrTemporary) {
				t.Errorf("write %d: %v", n, err)
			}
		})
	}
	waitQueued(t, d, 60)
	release()
	wg.Wait()
	if n := count(t, d); n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
}

// occupy keeps the writer busy until release is called.
func occupy(t testing.TB, d *DB) (release func()) {
	t.Helper()
	begun, end, done := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		done <- d.Write(context.Background(), func(*Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return sync.OnceFunc(func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// waitQueued waits until n writes stand in the queue.
func waitQueued(t testing.TB, d *DB, n int) {
	t.Helper()
	queue := d.engine.(*sqlite).writer.queue
	for deadline := time.Now().Add(10 * time.Second); len(queue) < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d writes are queued", len(queue), n)
		}
	}
}

func TestWithdrawnWriteIsNeverDone(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	release := occupy(t, d)
	defer release()
	why := errors.New("hung up")
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error)
	go func() {
		done <- d.Write(ctx, func(*Tx) error { t.Error("it ran"); return nil })
	}()
	waitQueued(t, d, 1)
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
	release()
	if err := d.Write(ctx, func(*Tx) error { t.Error("it ran"); return nil }); !errors.Is(err, why) {
		t.Errorf("error is %v", err)
	}
	if err := put(d, 1); err != nil {
		t.Error(err)
	}
}

func TestBegunWriteIsWaitedFor(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	ctx, cancel := context.WithCancel(context.Background())
	err := d.Write(ctx, func(tx *Tx) error {
		cancel()
		_, err := tx.Exec(`INSERT INTO thing (n) VALUES (1)`)
		return err
	})
	if err != nil || count(t, d) != 1 {
		t.Errorf("error %v, %d rows", err, count(t, d))
	}
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	name := path(t)
	d := open(t, Options{Source: name})
	release := occupy(t, d)
	results := make(chan error, 20)
	for n := range 20 {
		go func() { results <- put(d, n) }()
	}
	waitQueued(t, d, 20)
	closed := make(chan error)
	go func() { closed <- d.Close() }()
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if err := put(d, 99); !errors.Is(err, ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	if n := count(t, open(t, Options{Source: name})); n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
}

func TestNotifyTellsAfterCommitOnly(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	l, err := d.Listen(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	notify := func(fail error, payloads ...string) {
		t.Helper()
		err := d.Write(context.Background(), func(tx *Tx) error {
			for _, p := range payloads {
				if err := tx.Notify("c", p); err != nil {
					return err
				}
			}
			return errors.Join(fail, tx.Notify("another", "x"))
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	notify(errors.New("undone"), "never")
	notify(nil, "one", "two")
	notify(nil, "one", "three")
	got, resync, err := l.Next(t.Context())
	if fmt.Sprint(got) != "[one two three]" || resync || err != nil {
		t.Errorf("heard %v, %v, %v", got, resync, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, _, err := l.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("then %v, %v", got, err)
	}
}
