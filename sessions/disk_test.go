package sessions_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"hark/db"
	"hark/im"
	"hark/sessions"
)

// A slowDisk is a database's whose syncs can be held up.
type slowDisk struct{ held atomic.Pointer[chan struct{}] }

func (d *slowDisk) sync(log *os.File) error {
	if held := d.held.Load(); held != nil {
		<-*held
	}
	return log.Sync()
}

// late holds the disk up, and fails when ask returns before it goes on; write writes something, and ask asks for it.
func (d *slowDisk) late(t *testing.T, what string, write, ask func() error) {
	t.Helper()
	held, told, wrote := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	d.held.Store(&held)
	go func() { wrote <- write() }()
	go func() { told <- ask() }()
	select {
	case <-told:
		t.Fatalf("%s is told before it is on the disk", what)
	case <-time.After(100 * time.Millisecond): // long enough to be wrong
	}
	d.held.Store(nil)
	close(held)
	for _, result := range []chan error{wrote, told} {
		if err := <-result; err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNothingIsToldBeforeTheDisk: messages are counted as soon as they can be read, and are not handed out or sent before they
// are on the disk; nor is told what acknowledges something to somebody: from where a connection resumes (its h
// acknowledges, XEP-0198), and that a client has acknowledged.
func TestNothingIsToldBeforeTheDisk(t *testing.T) {
	ctx := t.Context()
	var disk slowDisk
	database, err := db.Open(ctx, db.Options{Source: filepath.Join(t.TempDir(), "hark.db"), Sync: disk.sync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	store := openStore(t, database)
	inc, err := store.StartNode(ctx, "a", "harks://a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := store.Claim(ctx, "ana", "s", "a", inc)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		ask  func() error
	}{
		{"a message", func() error { _, err := store.Read(ctx, "ana", sessions.Query{}); return err }},
		{"what is to be sent", func() error { _, err := store.Pending(ctx, "ana"); return err }},
		{"the resume state", func() error { _, err := store.ResumeState(ctx, "ana", "xmpp"); return err }},
	} {
		visible := make(chan struct{})
		batch := sessions.Batch{
			Messages: []im.Message{{Origin: c.what, Body: "x"}}, Network: "xmpp", Resume: im.Resume("h"),
			Visible: func([]sessions.Seq) { close(visible) },
		}
		disk.late(t, c.what, func() error { _, err := store.Append(ctx, "ana", grant.Epoch, batch); return err }, func() error {
			<-visible
			if w, err := store.Waiting(ctx, "ana", "phone"); err != nil || w.Last == 0 {
				t.Errorf("it is not counted: %+v, %v", w, err)
			}
			return c.ask()
		})
	}
	advance := func() error { return store.Advance(ctx, "ana", "phone", 1) }
	disk.late(t, "the cursor", advance, func() error {
		for at := sessions.Seq(0); at == 0; {
			if at, err = store.Cursor(ctx, "ana", "phone"); err != nil {
				return err
			}
		}
		return advance()
	})
}
