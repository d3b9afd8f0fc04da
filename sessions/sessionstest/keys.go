package sessionstest

import (
	"context"
	"testing"
	"time"

	"hark/sessions"
)

// put puts a phone code that lives 24 idle hours and 7 days, one at a time.
func put(t testing.TB, s sessions.Store, epoch sessions.Epoch, hash string) {
	t.Helper()
	must(t, s.PutKeys(context.Background(), user, epoch, sessions.NewKey{Key: code(hash), Idle: 24 * time.Hour, Absolute: 7 * 24 * time.Hour, Keep: 1}))
}

func code(hash string) sessions.Key {
	return sessions.Key{Hash: hash, Kind: "code", Client: "phone", Caller: "+15551234"}
}

// forAnHour makes a key that lives an hour; of its kind and client the last keep ones hold.
func forAnHour(k sessions.Key, keep int) sessions.NewKey {
	return sessions.NewKey{Key: k, Idle: time.Hour, Absolute: time.Hour, Keep: keep}
}

func wantKey(t testing.TB, s sessions.Store, hash string, opens bool) {
	t.Helper()
	_, _, err := s.UseKey(context.Background(), hash)
	if opens {
		must(t, err)
	} else {
		wantErr(t, err, sessions.ErrNotFound)
	}
}

var keyRules = []rule{
	{"a key opens its session", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		put(t, h.Store, epoch, "h1")
		r, k, err := h.Other.UseKey(context.Background(), "h1")
		must(t, err)
		equal(t, "key", k, code("h1"))
		equal(t, "record", r, sessions.Record{User: user, Session: "s1", Node: "a", Addr: "harks://a:7778", Inc: 1, Epoch: 1, Alive: true, Since: r.Since})
		wantKey(t, h.Store, "h2", false)
	}},
	{"a key lapses idle after its last use", func(t *testing.T, h Harness) {
		put(t, h.Store, owned(t, h), "h1")
		for range 3 {
			h.Advance(24*time.Hour - time.Millisecond)
			wantKey(t, h.Store, "h1", true)
		}
		h.Advance(24 * time.Hour)
		wantKey(t, h.Store, "h1", false)
	}},
	{"a key lapses for good, used or not", func(t *testing.T, h Harness) {
		put(t, h.Store, owned(t, h), "h1")
		for range 14 {
			wantKey(t, h.Store, "h1", true)
			h.Advance(12 * time.Hour)
		}
		wantKey(t, h.Store, "h1", false)
	}},
	{"a new key replaces older ones of its kind and client beyond keep", keyRotation},
	{"keys are put together, or none of them", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		other := claim(t, h.Store, "other", "s2", "a", 1).Epoch
		must(t, h.Store.PutKeys(context.Background(), user, epoch, forAnHour(code("h1"), 2), forAnHour(code("h2"), 2)))
		wantKey(t, h.Store, "h1", true)
		wantKey(t, h.Store, "h2", true)
		err := h.Store.PutKeys(context.Background(), "other", other, forAnHour(code("h3"), 2), forAnHour(code("h1"), 2))
		wantErr(t, err, sessions.ErrDuplicate)
		wantKey(t, h.Store, "h3", false)
	}},
	{"a dropped key opens nothing", func(t *testing.T, h Harness) {
		put(t, h.Store, owned(t, h), "h1")
		must(t, h.Store.DropKey(context.Background(), "h1"))
		must(t, h.Store.DropKey(context.Background(), "unknown"))
		wantKey(t, h.Store, "h1", false)
	}},
	{"keys outlive a takeover", func(t *testing.T, h Harness) {
		put(t, h.Store, owned(t, h), "h1")
		start(t, h.Store, "a")
		claim(t, h.Store, user, "s2", "a", 2)
		wantKey(t, h.Other, "h1", true)
	}},
	{"keys end with their session and never open the next", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		put(t, h.Store, epoch, "h1")
		must(t, h.Store.End(context.Background(), user, epoch))
		wantKey(t, h.Store, "h1", false)
		wantErr(t, h.Store.PutKeys(context.Background(), user, epoch, forAnHour(code("h2"), 1)), sessions.ErrFenced)
		claim(t, h.Store, user, "s2", "a", 1)
		wantKey(t, h.Store, "h1", false)
		wantKey(t, h.Store, "h2", false)
	}},
	{"a key that opens another session is refused while it lives", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		other := claim(t, h.Store, "other", "s2", "a", 1).Epoch
		put(t, h.Store, epoch, "h1")
		again := func() error {
			return h.Store.PutKeys(context.Background(), "other", other, forAnHour(code("h1"), 1))
		}
		wantErr(t, again(), sessions.ErrDuplicate)
		h.Advance(24 * time.Hour)
		must(t, again())
		r, _, err := h.Store.UseKey(context.Background(), "h1")
		must(t, err)
		equal(t, "user", r.User, "other")
	}},
}

func keyRotation(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	web := sessions.Key{Kind: "token", Client: "web"}
	for _, hash := range []string{"w1", "w2", "w3"} {
		web.Hash = hash
		must(t, h.Store.PutKeys(ctx, user, epoch, forAnHour(web, 2)))
	}
	put(t, h.Store, epoch, "h1")
	put(t, h.Store, epoch, "h2")
	put(t, h.Store, epoch, "h2")
	for hash, opens := range map[string]bool{"w1": false, "w2": true, "w3": true, "h1": false, "h2": true} {
		wantKey(t, h.Store, hash, opens)
	}
}
