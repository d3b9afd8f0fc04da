package sessionstest

import (
	"context"
	"testing"
	"time"

	"hark/im"
	"hark/sessions"
)

var ownerRules = []rule{
	{"a fresh claim has epoch 1", func(t *testing.T, h Harness) {
		grant := claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
		equal(t, "grant", grant, sessions.Grant{Epoch: 1, Session: "s1"})
	}},
	{"the record says who owns the session", recordOfOwner},
	{"a claim on a live owner is held, also for the owner itself", func(t *testing.T, h Harness) {
		a, b := start(t, h.Store, "a"), start(t, h.Other, "b")
		claim(t, h.Store, user, "s1", "a", a)
		_, err := h.Other.Claim(context.Background(), user, "s2", "b", b)
		equal(t, "owner's address", wantHeld(t, err, "a").Addr, "harks://a:7778")
		_, err = h.Store.Claim(context.Background(), user, "s2", "a", a)
		equal(t, "owner's epoch", wantHeld(t, err, "a").Epoch, 1)
	}},
	{"a takeover has to wait for lease and grace, to the millisecond", takeoverBoundary},
	{"a takeover keeps the session and is exactly one epoch higher", takeover},
	{"a heartbeat in time keeps the session", func(t *testing.T, h Harness) {
		a, b := start(t, h.Store, "a"), start(t, h.Other, "b")
		claim(t, h.Store, user, "s1", "a", a)
		for range 3 {
			h.Advance(ttl - time.Millisecond)
			must(t, h.Store.Beat(context.Background(), "a", a, ttl))
			must(t, h.Other.Beat(context.Background(), "b", b, ttl))
			_, err := h.Other.Claim(context.Background(), user, "s2", "b", b)
			wantHeld(t, err, "a")
		}
	}},
	{"a restarted node may claim its old sessions at once", func(t *testing.T, h Harness) {
		claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
		grant := claim(t, h.Store, user, "s2", "a", start(t, h.Store, "a"))
		equal(t, "grant", grant, sessions.Grant{Epoch: 2, Session: "s1", Resumed: true})
	}},
	{"others wait out the grace after a restart", func(t *testing.T, h Harness) {
		claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
		b := start(t, h.Other, "b")
		start(t, h.Store, "a")
		h.Advance(sessions.Grace)
		_, err := h.Other.Claim(context.Background(), user, "s2", "b", b)
		wantHeld(t, err, "a")
		h.Advance(time.Millisecond)
		equal(t, "epoch", claim(t, h.Other, user, "s2", "b", b).Epoch, 2)
	}},
	{"a restart after the lease ended gives others no further wait", func(t *testing.T, h Harness) {
		claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
		h.Advance(ttl + sessions.Grace + time.Millisecond)
		start(t, h.Store, "a")
		claim(t, h.Other, user, "s2", "b", start(t, h.Other, "b"))
	}},
	{"a dead incarnation is refused", func(t *testing.T, h Harness) {
		old := start(t, h.Store, "a")
		inc := start(t, h.Store, "a")
		_, err := h.Store.Claim(context.Background(), user, "s1", "a", old)
		wantErr(t, err, sessions.ErrLapsed)
		h.Advance(ttl)
		_, err = h.Store.Claim(context.Background(), user, "s1", "a", inc)
		wantErr(t, err, sessions.ErrLapsed)
	}},
	{"every write with an old epoch is fenced", fencedWrites},
	{"a lapsed owner may write until somebody takes over", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		h.Advance(time.Hour)
		appendN(t, h.Store, epoch, 1, 1)
	}},
	{"a release keeps session and epoch", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		must(t, h.Store.Release(context.Background(), user, epoch))
		must(t, h.Store.Release(context.Background(), user, epoch))
		r, err := h.Other.Lookup(context.Background(), user)
		must(t, err)
		equal(t, "record", r, sessions.Record{User: user, Session: "s1", Epoch: 1, Since: r.Since})
		grant := claim(t, h.Other, user, "s2", "b", start(t, h.Other, "b"))
		equal(t, "grant", grant, sessions.Grant{Epoch: 2, Session: "s1", Resumed: true})
	}},
	{"a transfer hands on with an epoch one higher", transfer},
	{"a transfer to a dead node is refused and changes nothing", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		_, err := h.Store.Transfer(context.Background(), user, epoch, "nobody")
		wantErr(t, err, sessions.ErrLapsed)
		appendN(t, h.Store, epoch, 1, 1)
	}},
	{"an ended session is not found, and the next goes on with the epoch", endThenClaim},
	{"an ended session cannot be transferred", func(t *testing.T, h Harness) {
		epoch := owned(t, h)
		start(t, h.Other, "b")
		must(t, h.Store.End(context.Background(), user, epoch))
		_, err := h.Store.Transfer(context.Background(), user, epoch, "b")
		wantErr(t, err, sessions.ErrFenced)
	}},
	{"a node's sessions are listed, in any incarnation", ownedList},
	{"orphans are those whose owner may be replaced now", orphans},
}

func recordOfOwner(t *testing.T, h Harness) {
	ctx := context.Background()
	_, err := h.Store.Lookup(ctx, user)
	wantErr(t, err, sessions.ErrNotFound)
	owned(t, h)
	r, err := h.Other.Lookup(ctx, user)
	must(t, err)
	want := sessions.Record{User: user, Session: "s1", Node: "a", Addr: "harks://a:7778", Inc: 1, Epoch: 1, Alive: true, Since: r.Since}
	equal(t, "record", r, want)
	h.Advance(ttl)
	r, err = h.Other.Lookup(ctx, user)
	must(t, err)
	want.Alive = false
	equal(t, "record after the lease", r, want)
}

func takeoverBoundary(t *testing.T, h Harness) {
	claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
	h.Advance(ttl + sessions.Grace)
	b := start(t, h.Other, "b")
	_, err := h.Other.Claim(context.Background(), user, "s2", "b", b)
	wantHeld(t, err, "a")
	h.Advance(time.Millisecond)
	claim(t, h.Other, user, "s2", "b", b)
}

func takeover(t *testing.T, h Harness) {
	claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
	for epoch := sessions.Epoch(2); epoch < 6; epoch++ {
		h.Advance(ttl + sessions.Grace + time.Millisecond)
		node := string('a' + rune(epoch))
		grant := claim(t, h.Other, user, "other", node, start(t, h.Other, node))
		equal(t, "grant", grant, sessions.Grant{Epoch: epoch, Session: "s1", Resumed: true})
	}
}

func fencedWrites(t *testing.T, h Harness) {
	ctx := context.Background()
	old := owned(t, h)
	_, _, err := h.Store.Journal(ctx, user, old, reply(1))
	must(t, err)
	claim(t, h.Store, user, "s2", "a", start(t, h.Store, "a"))
	writes := map[string]func() error{
		"Release":  func() error { return h.Store.Release(ctx, user, old) },
		"Transfer": func() error { _, err := h.Store.Transfer(ctx, user, old, "a"); return err },
		"End":      func() error { return h.Store.End(ctx, user, old) },
		"PutKeys":  func() error { return h.Store.PutKeys(ctx, user, old, forAnHour(sessions.Key{Hash: "h"}, 1)) },
		"Append": func() error {
			_, err := h.Store.Append(ctx, user, old, sessions.Batch{Messages: []im.Message{incoming(1)}})
			return err
		},
		"no Append": func() error {
			_, err := h.Store.Append(ctx, user, old, sessions.Batch{Network: "xmpp", Resume: im.Resume("r")})
			return err
		},
		"SetResume": func() error { return h.Store.SetResume(ctx, user, old, "xmpp", im.Resume("r")) },
		"Journal":   func() error { _, _, err := h.Store.Journal(ctx, user, old, reply(2)); return err },
		"Settle":    func() error { return h.Store.Settle(ctx, user, old, "out1", im.Sent, "") },
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) { wantErr(t, write(), sessions.ErrFenced) })
	}
	r, err := h.Store.Lookup(ctx, user)
	must(t, err)
	equal(t, "epoch", r.Epoch, old+1)
	equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 1)
	resume, err := h.Store.ResumeState(ctx, user, "xmpp")
	must(t, err)
	equal(t, "resume state", string(resume), "")
}

func transfer(t *testing.T, h Harness) {
	ctx := context.Background()
	epoch := owned(t, h)
	start(t, h.Other, "b")
	next, err := h.Store.Transfer(ctx, user, epoch, "b")
	must(t, err)
	equal(t, "epoch", next, epoch+1)
	r, err := h.Store.Lookup(ctx, user)
	must(t, err)
	equal(t, "owner", r.Node, "b")
	equal(t, "alive", r.Alive, true)
	_, err = h.Store.Transfer(ctx, user, epoch, "b")
	wantErr(t, err, sessions.ErrFenced)
	appendN(t, h.Other, next, 1, 1)
}

func endThenClaim(t *testing.T, h Harness) {
	ctx := context.Background()
	inc := start(t, h.Store, "a")
	epoch := claim(t, h.Store, user, "s1", "a", inc).Epoch
	appendN(t, h.Store, epoch, 1, 2)
	must(t, h.Store.SetState(ctx, user, "place", []byte("{}")))
	must(t, h.Store.End(ctx, user, epoch))
	must(t, h.Store.End(ctx, user, epoch))
	_, err := h.Store.Lookup(ctx, user)
	wantErr(t, err, sessions.ErrNotFound)
	records, err := h.Store.Owned(ctx, "")
	must(t, err)
	equal(t, "sessions", len(records), 0)

	grant := claim(t, h.Store, user, "s2", "a", inc)
	equal(t, "grant", grant, sessions.Grant{Epoch: epoch + 1, Session: "s2"})
	equal(t, "messages", len(bodies(t, h.Store, sessions.Query{})), 2)
	place, err := h.Store.GetState(ctx, user, "place")
	must(t, err)
	equal(t, "state", string(place), "{}")
}

func ownedList(t *testing.T, h Harness) {
	ctx := context.Background()
	a := start(t, h.Store, "a")
	claim(t, h.Store, "2", "s", "a", a)
	claim(t, h.Store, "1", "s", "a", a)
	claim(t, h.Other, "3", "s", "b", start(t, h.Other, "b"))
	start(t, h.Store, "a")
	equal(t, "of a", users(t)(h.Store.Owned(ctx, "a")), "1 2")
	equal(t, "of b", users(t)(h.Store.Owned(ctx, "b")), "3")
	equal(t, "of all", users(t)(h.Store.Owned(ctx, "")), "1 2 3")
}

func orphans(t *testing.T, h Harness) {
	ctx := context.Background()
	a, b := start(t, h.Store, "a"), start(t, h.Other, "b")
	claim(t, h.Store, "1", "s", "a", a)
	claim(t, h.Store, "2", "s", "a", a)
	claim(t, h.Other, "3", "s", "b", b)
	must(t, h.Other.Release(ctx, "3", 1))
	claim(t, h.Other, "4", "s", "b", b)
	must(t, h.Other.End(ctx, "4", 1))
	equal(t, "with live owners", users(t)(h.Store.Orphans(ctx, 10)), "3")
	h.Advance(ttl + sessions.Grace)
	equal(t, "in the grace", users(t)(h.Store.Orphans(ctx, 10)), "3")
	h.Advance(time.Millisecond)
	equal(t, "after it", users(t)(h.Store.Orphans(ctx, 10)), "1 2 3")
	equal(t, "at most 2", users(t)(h.Store.Orphans(ctx, 2)), "1 2")
}

// users joins the users of records.
func users(t *testing.T) func([]sessions.Record, error) string {
	return func(records []sessions.Record, err error) (all string) {
		t.Helper()
		must(t, err)
		for i, r := range records {
			if i > 0 {
				all += " "
			}
			all += r.User
		}
		return all
	}
}
