package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hark/db"
	"hark/db/dbtest"
	"hark/im"
	"hark/sessions"
)

// callers is how many goroutines call at once in the parallel benchmarks: what a busy server has, not what has cores.
const callers = 512

// onBoth runs a benchmark on a fresh SQLite database and on a fresh PostgreSQL one that waits for the disk, each with
// node "a".
func onBoth(b *testing.B, run func(b *testing.B, store *sessions.SQL)) {
	begin := func(b *testing.B, database *db.DB) {
		store := openStore(b, database)
		if _, err := store.StartNode(context.Background(), "a", "harks://a:7778", time.Hour); err != nil {
			b.Fatal(err)
		}
		run(b, store)
	}
	b.Run("sqlite", func(b *testing.B) { begin(b, openSQLite(b, nil)) })
	server, err := dbtest.Run(true)
	if errors.Is(err, dbtest.ErrMissing) {
		b.Skip(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Close(); err != nil {
			b.Error(err)
		}
	})
	b.Run("postgres", func(b *testing.B) { begin(b, openPostgres(b, server.Fresh(b))) })
}

// benchUsers claims n sessions for node "a".
func benchUsers(b *testing.B, store *sessions.SQL, n int) []string {
	users := make([]string, n)
	work := make(chan int, n)
	for i := range users {
		users[i] = fmt.Sprintf("%07d", i)
		work <- i
	}
	close(work)
	done := make(chan error, callers)
	for range callers {
		go func() {
			var err error
			for i := range work {
				if err == nil {
					_, err = store.Claim(context.Background(), users[i], "s", "a", 1)
				}
			}
			done <- err
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return users
}

// parallel runs one call per iteration, from many goroutines, and reports calls per second and how long one took.
func parallel(b *testing.B, call func(n int64) error) {
	var count atomic.Int64
	took := make([]time.Duration, b.N)
	b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
	before := cpu()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := count.Add(1)
			begun := time.Now()
			if err := call(n); err != nil {
				b.Error(err)
				return
			}
			took[n-1] = time.Since(begun)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// cpu is the processor time that this process has taken: what a call costs, also on a machine that others use.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend is one durable message per call, of 100 bytes, to 1,000 users.
func BenchmarkAppend(b *testing.B) {
	for name, resume := range map[string]im.Resume{"message": nil, "message+resume": im.Resume(strings.Repeat("r", 60))} {
		b.Run(name, func(b *testing.B) {
			onBoth(b, func(b *testing.B, store *sessions.SQL) { benchAppend(b, store, resume) })
		})
	}
}

func benchAppend(b *testing.B, store *sessions.SQL, resume im.Resume) {
	users := benchUsers(b, store, 1000)
	body := strings.Repeat("x", 100)
	ben := im.Address{Network: "xmpp", ID: "ben@example.org"}
	parallel(b, func(n int64) error {
		m := im.Message{Origin: fmt.Sprint(n), From: ben, Body: body, Sent: time.Unix(n, 0)}
		_, err := store.Append(context.Background(), users[n%1000], 1, sessions.Batch{Messages: []im.Message{m}, Network: "xmpp", Resume: resume})
		return err
	})
}

// BenchmarkAppendAlone is one caller after another: what one commit costs.
func BenchmarkAppendAlone(b *testing.B) {
	onBoth(b, func(b *testing.B, store *sessions.SQL) {
		users := benchUsers(b, store, 1)
		n := 0
		for b.Loop() {
			n++
			_, err := store.Append(context.Background(), users[0], 1, sessions.Batch{Messages: []im.Message{{Origin: fmt.Sprint(n), Body: "x"}}})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	onBoth(b, func(b *testing.B, store *sessions.SQL) {
		parallel(b, func(n int64) error {
			_, err := store.Claim(context.Background(), fmt.Sprint(n), "s", "a", 1)
			return err
		})
	})
}

func BenchmarkLookup(b *testing.B) {
	onBoth(b, func(b *testing.B, store *sessions.SQL) {
		users := benchUsers(b, store, 1000)
		parallel(b, func(n int64) error {
			_, err := store.Lookup(context.Background(), users[n%1000])
			return err
		})
	})
}

// BenchmarkAdvance moves the cursors of 1,000 users forward, message by message.
func BenchmarkAdvance(b *testing.B) {
	onBoth(b, func(b *testing.B, store *sessions.SQL) {
		users := benchUsers(b, store, 1000)
		batch := make([]im.Message, b.N/1000+1)
		for i := range batch {
			batch[i].Body = "x"
		}
		for _, user := range users {
			if _, err := store.Append(context.Background(), user, 1, sessions.Batch{Messages: batch}); err != nil {
				b.Fatal(err)
			}
		}
		parallel(b, func(n int64) error {
			return store.Advance(context.Background(), users[n%1000], "phone", sessions.Seq(n/1000+1))
		})
	})
}
