package db

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestVisibleBeforeTheDisk: what is committed can be read, and is told, while the disk takes its time; Write and Settle
// wait for it.
func TestVisibleBeforeTheDisk(t *testing.T) {
	release, visible := make(chan struct{}), make(chan struct{})
	var synced atomic.Bool
	d := open(t, Options{Source: path(t), Sync: func(f *os.File) error {
		<-release
		synced.Store(true)
		return f.Sync()
	}})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		err := d.Write(context.Background(), func(tx *Tx) error {
			tx.OnVisible(func() { close(visible) })
			_, err := tx.Exec(`INSERT INTO thing (n) VALUES (1)`)
			return err
		})
		if err != nil || !synced.Load() {
			t.Errorf("Write returned before the sync, or with an error: %v", err)
		}
	})
	<-visible
	waiting.Go(func() {
		if err := d.Settle(); err != nil || !synced.Load() {
			t.Errorf("Settle returned before the sync, or with an error: %v", err)
		}
	})
	if n := count(t, d); n != 1 {
		t.Errorf("%d rows can be read", n)
	}
	close(release)
	waiting.Wait()
}

// TestNotVisible: nothing is told of a write that failed, also when it ran twice because another of its group failed.
func TestNotVisible(t *testing.T) {
	d := open(t, Options{Source: path(t)})
	var told, failed atomic.Int32
	var writers sync.WaitGroup
	for n := range 20 {
		writers.Go(func() {
			err := d.Write(context.Background(), func(tx *Tx) error {
				tx.OnVisible(func() { told.Add(1) })
				_, err := tx.Exec(`INSERT INTO thing (n) VALUES ($1)`, n/2)
				return err
			})
			if err != nil {
				failed.Add(1)
			}
		})
	}
	writers.Wait()
	if told.Load() != 10 || failed.Load() != 10 {
		t.Errorf("10 writes of 20 can succeed: %d failed, and of %d it was told", failed.Load(), told.Load())
	}
}

// TestPowerCut takes away what is not synced at the moment in which a write was acknowledged: the write is there.
func TestPowerCut(t *testing.T) {
	source := path(t)
	var log atomic.Pointer[[]byte] // as it is on the disk
	d := open(t, Options{Source: source, Sync: func(f *os.File) error {
		err := f.Sync()
		kept, readErr := os.ReadFile(f.Name())
		log.Store(&kept)
		return errors.Join(err, readErr)
	}})
	database, err := os.ReadFile(source) // no commit gets into it in this test: they stay in the log
	if err != nil {
		t.Fatal(err)
	}
	const writes = 200
	var atAcknowledgement [writes]*[]byte
	var writers sync.WaitGroup
	for worker := range 4 {
		writers.Go(func() {
			for n := worker; n < writes; n += 4 {
				if err := bulky(d, int64(n)); err != nil {
					t.Error(err)
					return
				}
				atAcknowledgement[n] = log.Load()
			}
		})
	}
	writers.Wait()
	for n := 0; n < writes; n += 13 {
		after := path(t)
		for file, content := range map[string][]byte{after: database, after + "-wal": *atAcknowledgement[n]} {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var found int
		if err := open(t, Options{Source: after}).Row(t.Context(), `SELECT count(*) FROM thing WHERE n = $1`, n).Scan(&found); err != nil || found != 1 {
			t.Errorf("write %d was acknowledged, and after a power cut %d rows are there (%v)", n, found, err)
		}
	}
}

// TestFailedSync: after a sync that failed nothing is acknowledged any more; reading goes on; and the next start finds
// the database whole.
func TestFailedSync(t *testing.T) {
	source := path(t)
	var ill atomic.Bool
	d := open(t, Options{Source: source, Sync: func(f *os.File) error {
		if ill.CompareAndSwap(true, false) { // what Linux says of a second try means nothing
			return syscall.EIO
		}
		return f.Sync()
	}})
	if err := bulky(d, 1); err != nil {
		t.Fatal(err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := d.Failure(ended); err != nil {
		t.Errorf("a failure before anything failed: %v", err)
	}
	ill.Store(true)
	for _, err := range []error{bulky(d, 2), bulky(d, 3), d.Settle(), d.Failure(t.Context())} {
		if !errors.Is(err, ErrTemporary) || !errors.Is(err, syscall.EIO) {
			t.Errorf("error is %v", err)
		}
	}
	if n := count(t, d); n != 2 {
		t.Errorf("%d rows can be read", n)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	lite := d.engine.(*sqlite)
	t.Cleanup(func() { lite.read.Close(); lite.write1.Close() }) // which the program's end does
	if info, err := os.Stat(source + "-wal"); err != nil || info.Size() == 0 {
		t.Errorf("the log was copied into the database, unchecked: %v", err)
	}
	next := open(t, Options{Source: source})
	if info, err := os.Stat(source + "-wal"); err != nil || info.Size() > 0 {
		t.Errorf("the log goes on behind what may not be on the disk: %v", err)
	}
	if err := bulky(next, 3); err != nil {
		t.Error(err)
	}
	if n := count(t, next); n != 3 {
		t.Errorf("%d rows after the next start", n)
	}
}
