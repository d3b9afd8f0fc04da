package sessions_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hark/im"
	"hark/sessions"
)

// callers is how many goroutines call at once in the parallel benchmarks: what a busy server has, not what has cores.
const callers = 1024

// benchStore is a store on a fresh database with node "a".
func benchStore(b *testing.B) *sessions.SQL {
	store := openStore(b, openSQLite(b, time.Now))
	if _, err := store.StartNode(context.Background(), "a", "harks://a:7778", time.Hour); err != nil {
		b.Fatal(err)
	}
	return store
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

// parallel runs one call per iteration, from many goroutines, and reports calls per second.
func parallel(b *testing.B, call func(n int64) error) {
	var count atomic.Int64
	b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(count.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkAppend is one durable message per call, of 100 bytes, to 1,000 users.
func BenchmarkAppend(b *testing.B) {
	store := benchStore(b)
	users := benchUsers(b, store, 1000)
	body := strings.Repeat("x", 100)
	ben := im.Address{Network: "xmpp", ID: "ben@example.org"}
	for name, resume := range map[string]im.Resume{"message": nil, "message+resume": im.Resume(strings.Repeat("r", 60))} {
		b.Run(name, func(b *testing.B) {
			parallel(b, func(n int64) error {
				m := im.Message{Origin: fmt.Sprintf("%s-%d-%d", name, b.N, n), From: ben, Body: body, Sent: time.Unix(n, 0)}
				_, err := store.Append(context.Background(), users[n%1000], 1, []im.Message{m}, "xmpp", resume)
				return err
			})
		})
	}
}

// BenchmarkAppendAlone is one caller after another: what one commit costs.
func BenchmarkAppendAlone(b *testing.B) {
	store := benchStore(b)
	users := benchUsers(b, store, 1)
	n := 0
	for b.Loop() {
		n++
		_, err := store.Append(context.Background(), users[0], 1, []im.Message{{Origin: fmt.Sprint(n), Body: "x"}}, "xmpp", nil)
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClaim(b *testing.B) {
	store := benchStore(b)
	parallel(b, func(n int64) error {
		_, err := store.Claim(context.Background(), fmt.Sprintf("%d-%d", b.N, n), "s", "a", 1)
		return err
	})
}

func BenchmarkLookup(b *testing.B) {
	store := benchStore(b)
	users := benchUsers(b, store, 10000)
	parallel(b, func(n int64) error {
		_, err := store.Lookup(context.Background(), users[n%10000])
		return err
	})
}

// BenchmarkAdvance moves the cursors of 1,000 users forward, message by message.
func BenchmarkAdvance(b *testing.B) {
	store := benchStore(b)
	users := benchUsers(b, store, 1000)
	batch := make([]im.Message, b.N/1000+1)
	for i := range batch {
		batch[i].Body = "x"
	}
	for _, user := range users {
		if _, err := store.Append(context.Background(), user, 1, batch, "", nil); err != nil {
			b.Fatal(err)
		}
	}
	parallel(b, func(n int64) error {
		return store.Advance(context.Background(), users[n%1000], "phone", sessions.Seq(n/1000+1))
	})
}
