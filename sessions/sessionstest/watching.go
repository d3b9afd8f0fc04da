package sessionstest

import (
	"context"
	"testing"
	"time"

	"hark/sessions"
)

// patience is how long a change may take; nothing waits that long when all is well.
const patience = 10 * time.Second

var watchRules = []rule{
	{"a delivery is told to the owner", func(t *testing.T, h Harness) {
		owned(t, h)
		changes := watch(t, h.Store, "a")
		_, err := h.Other.Deliver(context.Background(), user, incoming(1))
		must(t, err)
		equal(t, "change", next(t, changes), sessions.Change{User: user})
	}},
	{"a delivery to somebody else's user is not", func(t *testing.T, h Harness) {
		owned(t, h)
		claim(t, h.Other, "other", "s2", "b", start(t, h.Other, "b"))
		changes := watch(t, h.Store, "a")
		for _, to := range []string{"other", "nobody", user} {
			_, err := h.Other.Deliver(context.Background(), to, incoming(1))
			must(t, err)
		}
		equal(t, "first change", next(t, changes), sessions.Change{User: user})
	}},
	{"the old owner hears of a takeover", func(t *testing.T, h Harness) {
		owned(t, h)
		changes := watch(t, h.Store, "a")
		h.Advance(ttl + sessions.Grace + time.Millisecond)
		claim(t, h.Other, user, "s2", "b", start(t, h.Other, "b"))
		equal(t, "change", next(t, changes), sessions.Change{User: user})
	}},
	{"both sides hear of a transfer", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		start(t, h.Other, "b")
		a, b := watch(t, h.Store, "a"), watch(t, h.Other, "b")
		_, err := h.Store.Transfer(context.Background(), user, epoch, "b")
		must(t, err)
		equal(t, "change at a", next(t, a), sessions.Change{User: user})
		equal(t, "change at b", next(t, b), sessions.Change{User: user})
	}},
	{"the owner hears of an end and of a purge", func(t *testing.T, h Harness) {
		inc := start(t, h.Store, "a")
		epoch := claim(t, h.Store, user, "s1", "a", inc).Epoch
		changes := watch(t, h.Store, "a")
		must(t, h.Other.End(context.Background(), user, epoch))
		equal(t, "change", next(t, changes), sessions.Change{User: user})
		claim(t, h.Store, user, "s2", "a", inc)
		must(t, h.Other.Purge(context.Background(), user))
		equal(t, "change", next(t, changes), sessions.Change{User: user})
	}},
	{"a receiver who is slow misses nothing final", slowReceiver},
	{"the channel closes with the context, and with the store", func(t *testing.T, h Harness) {
		ctx, cancel := context.WithCancel(context.Background())
		changes, err := h.Store.Watch(ctx, "a")
		must(t, err)
		cancel()
		ended(t, changes)
		changes, err = h.Store.Watch(context.Background(), "a")
		must(t, err)
		must(t, h.Store.Close())
		ended(t, changes)
		if _, err := h.Store.Watch(context.Background(), "a"); err == nil {
			t.Error("a closed store watches")
		}
	}},
	{"after a gap comes a resync, and what follows is told", afterGap},
}

// slowReceiver delivers to many users, often, before anybody receives.
func slowReceiver(t *testing.T, h Harness) {
	inc := start(t, h.Store, "a")
	changes := watch(t, h.Store, "a")
	want := map[string]bool{}
	for n := range 50 {
		name := string('A' + rune(n))
		claim(t, h.Store, name, "s", "a", inc)
		for k := range 3 {
			_, err := h.Other.Deliver(context.Background(), name, incoming(k))
			must(t, err)
		}
		want[name] = true
	}
	for len(want) > 0 {
		c := next(t, changes)
		delete(want, c.User)
	}
}

// afterGap needs an engine whose notifications can break.
func afterGap(t *testing.T, h Harness) {
	if h.Cut == nil {
		return // in one process nothing is between the writer and the watcher
	}
	owned(t, h)
	changes := watch(t, h.Store, "a")
	h.Cut(func() {
		_, err := h.Other.Deliver(context.Background(), user, incoming(1))
		must(t, err)
	})
	for !next(t, changes).Resync {
	}
	_, err := h.Other.Deliver(context.Background(), user, incoming(2))
	must(t, err)
	for next(t, changes).User != user {
	}
}

func watch(t testing.TB, s sessions.Store, node string) <-chan sessions.Change {
	t.Helper()
	changes, err := s.Watch(t.Context(), node)
	must(t, err)
	return changes
}

func next(t testing.TB, changes <-chan sessions.Change) sessions.Change {
	t.Helper()
	select {
	case c, ok := <-changes:
		if !ok {
			t.Fatal("the watch has ended")
		}
		return c
	case <-time.After(patience):
		t.Fatal("no change was told")
	}
	panic("unreachable")
}

func ended(t testing.TB, changes <-chan sessions.Change) {
	t.Helper()
	for {
		select {
		case _, ok := <-changes:
			if !ok {
				return
			}
		case <-time.After(patience):
			t.Fatal("the watch goes on")
		}
	}
}
