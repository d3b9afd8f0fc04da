package accounts

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap is a Cost for tests that hash often.
var cheap = Cost{KiB: 8, Passes: 1}

// A rig is a DB on a fresh database with a clock that stands still.
type rig struct {
	*DB
	folder string
	clock  atomic.Int64 // milliseconds
	log    syncBuffer
	looks  sync.Map // user -> *atomic.Int64: how many PINs were compared
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func newRig(t testing.TB, cost Cost) *rig {
	t.Helper()
	r := &rig{folder: t.TempDir()}
	r.clock.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli())
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	database, err := db.Open(context.Background(), db.Options{Source: filepath.Join(r.folder, "hark.db"), Clock: r.now, Log: log})
	must(t, err)
	t.Cleanup(func() { database.Close() })
	keys, err := LoadKeys(filepath.Join(r.folder, "hark.key"))
	must(t, err)
	r.DB, err = Open(context.Background(), database, keys, Options{Cost: cost, Log: log})
	must(t, err)
	r.evaluated = func(user string) {
		n, _ := r.looks.LoadOrStore(user, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	}
	r.Tickets.Now = r.now
	return r
}

func (r *rig) now() time.Time           { return time.UnixMilli(r.clock.Load()) }
func (r *rig) advance(by time.Duration) { r.clock.Add(by.Milliseconds()) }

// looked is how many PINs of the user were compared since it was last asked.
func (r *rig) looked(user string) int64 {
	n, ok := r.looks.Load(user)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Swap(0)
}

// add makes an account.
func (r *rig) add(t testing.TB) (user, pin string) {
	t.Helper()
	u, pin, err := r.Add(context.Background(), NewUser{Name: "Ana"})
	must(t, err)
	return u.Number, pin
}

// login tries once, from a caller by phone.
func (r *rig) login(user, pin, caller string) error {
	_, err := r.Authenticate(context.Background(), Credentials{User: user, PIN: pin, Caller: caller, Door: "phone"})
	return err
}

// other is a PIN of the same length that is not this one.
func other(pin string) string {
	b := []byte(pin)
	b[0] = '0' + (b[0]-'0'+1)%10
	return string(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// wantWait wants a TryLater of exactly so long.
func wantWait(t testing.TB, err error, after time.Duration) {
	t.Helper()
	var later *TryLater
	if !errors.As(err, &later) || later.After != after {
		t.Fatalf("error is %v, want TryLater %s", err, after)
	}
	wantErr(t, err, ErrRefused)
}
