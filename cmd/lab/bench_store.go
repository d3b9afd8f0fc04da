package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/im"
	"hark/sessions"
)

const (
	storeCallers = 16 // who call at once
	storeUsers   = 64 // whose sessions they use in turn
	storeTime    = 2 * time.Second
)

// measureStoreCalls times each call of the session database by itself, made by some callers at once.
func measureStoreCalls(ctx context.Context, engine string, store sessions.Store) (figures []figure, err error) {
	inc, err := store.StartNode(ctx, "callers", "harks://callers:7778", time.Hour)
	if err != nil {
		return nil, err
	}
	var stored atomic.Int64
	user := func(n int64) string { return fmt.Sprintf("caller%d", n) }
	for n := range int64(storeUsers) {
		if _, err := store.Claim(ctx, user(n), "s", "callers", inc); err != nil {
			return nil, err
		}
	}
	calls := []struct {
		name string
		call func(n int64) error
	}{
		{"claim", func(n int64) error {
			_, err := store.Claim(ctx, user(storeUsers+n), "s", "callers", inc)
			return err
		}},
		{"lookup", func(n int64) error {
			_, err := store.Lookup(ctx, user(n%storeUsers))
			return err
		}},
		{"append", func(n int64) error {
			m := im.Message{Origin: fmt.Sprint("call ", n), From: im.Address{Network: im.XMPP, ID: "ben@example.org"}, Body: "hello"}
			_, err := store.Append(ctx, user(n%storeUsers), 1, sessions.Batch{Messages: []im.Message{m}})
			stored.Add(1)
			return err
		}},
		{"advance", func(n int64) error {
			end := max(stored.Load()/storeUsers, 1)
			return store.Advance(ctx, user(n%storeUsers), fmt.Sprint("client", n/storeUsers/end), sessions.Seq(n/storeUsers%end+1))
		}},
	}
	for _, c := range calls {
		took, err := repeat(ctx, c.call)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", c.name, err)
		}
		figures = append(figures, measured(fmt.Sprintf("cache: %s, %s, %d at once", c.name, engine, storeCallers),
			"%.0f a second, p50 %s p99 %s ms", float64(len(took))/storeTime.Seconds(), ms(percentile(took, 50)), ms(percentile(took, 99))))
	}
	return figures, nil
}

// repeat has the callers make a call for storeTime, with numbers from 1, and times each.
func repeat(ctx context.Context, call func(n int64) error) (took []time.Duration, err error) {
	var next atomic.Int64
	var mu sync.Mutex
	begun := time.Now()
	group, _ := errgroup.WithContext(ctx)
	for range storeCallers {
		group.Go(func() error {
			var mine []time.Duration
			for time.Since(begun) < storeTime {
				before := time.Now()
				if err := call(next.Add(1)); err != nil {
					return err
				}
				mine = append(mine, time.Since(before))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			return nil
		})
	}
	return took, group.Wait()
}
