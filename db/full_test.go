package db

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestFullDatabase bounds the number of pages, so that SQLite finds no room.
func TestFullDatabase(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	pragma := func(statement string) {
		err := d.Write(context.Background(), func(tx *Tx) error { _, err := tx.Exec(statement); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	pragma(`PRAGMA max_page_count = 50`)
	acknowledged := fill(t, d)
	checkFull(t, d, acknowledged)
	pragma(`PRAGMA max_page_count = 100000`)
	checkRecovered(t, d, acknowledged)
}

// TestFullDisk is the same on a disk of 600 KiB.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=600k"); err != nil {
		t.Skipf("cannot mount a tmpfs (%v): run this test as root, or under `unshare -Urm`", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, Options{Source: filepath.Join(disk, "hark.db")})
	t.Cleanup(func() { d.Close() }) // before the disk goes
	acknowledged := fill(t, d)
	checkFull(t, d, acknowledged)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	checkRecovered(t, d, acknowledged)
}

const bulk = 4000 // bytes of a row

// fill writes from many goroutines until there is no room; it returns how many writes were acknowledged.
func fill(t *testing.T, d *DB) int {
	t.Helper()
	var next, acknowledged atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for next.Load() < 5000 {
				err := bulky(d, next.Add(1))
				if err == nil {
					acknowledged.Add(1)
					continue
				}
				if !errors.Is(err, ErrTemporary) {
					t.Errorf("the error is not temporary: %v", err)
				}
				return
			}
			t.Error("the disk does not get full")
		})
	}
	wg.Wait()
	for bulky(d, next.Add(1)) == nil { // what does not fit as a group may fit alone
		acknowledged.Add(1)
	}
	return int(acknowledged.Load())
}

func bulky(d *DB, n int64) error {
	return d.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO thing (n, body) VALUES ($1, $2)`, n, strings.Repeat("x", bulk))
		return err
	})
}

// checkFull: writing fails for now, reading goes on, and exactly what was acknowledged is there.
func checkFull(t *testing.T, d *DB, acknowledged int) {
	t.Helper()
	if acknowledged == 0 {
		t.Error("nothing was written before")
	}
	for range 3 {
		if err := bulky(d, 100000); !errors.Is(err, ErrTemporary) {
			t.Fatalf("error is %v", err)
		}
		if n := count(t, d); n != acknowledged {
			t.Fatalf("%d rows are there, %d were acknowledged", n, acknowledged)
		}
	}
}

func checkRecovered(t *testing.T, d *DB, acknowledged int) {
	t.Helper()
	if err := bulky(d, 100000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if n := count(t, d); n != acknowledged+1 {
		t.Errorf("%d rows are there, %d were acknowledged", n, acknowledged+1)
	}
}
