package sessionstest

import (
	"context"
	"testing"
	"time"

	"hark/sessions"
)

var nodeRules = []rule{
	{"each start is one incarnation higher", func(t *testing.T, h Harness) {
		equal(t, "first", start(t, h.Store, "a"), 1)
		equal(t, "second", start(t, h.Other, "a"), 2)
		equal(t, "another node's first", start(t, h.Store, "b"), 1)
	}},
	{"a beat renews the lease", func(t *testing.T, h Harness) {
		inc := start(t, h.Store, "a")
		for range 5 {
			h.Advance(ttl - time.Millisecond)
			must(t, h.Store.Beat(context.Background(), "a", inc, ttl))
		}
	}},
	{"a lease that ended is over for ever for that incarnation", func(t *testing.T, h Harness) {
		inc := start(t, h.Store, "a")
		h.Advance(ttl)
		wantErr(t, h.Store.Beat(context.Background(), "a", inc, ttl), sessions.ErrLapsed)
		wantErr(t, h.Store.Beat(context.Background(), "a", inc, ttl), sessions.ErrLapsed)
		must(t, h.Store.Beat(context.Background(), "a", start(t, h.Store, "a"), ttl))
	}},
	{"an older incarnation lapses at once", func(t *testing.T, h Harness) {
		old := start(t, h.Store, "a")
		start(t, h.Other, "a")
		wantErr(t, h.Store.Beat(context.Background(), "a", old, ttl), sessions.ErrLapsed)
	}},
	{"an unknown node has no lease", func(t *testing.T, h Harness) {
		wantErr(t, h.Store.Beat(context.Background(), "nobody", 1, ttl), sessions.ErrLapsed)
	}},
	{"a stopped node's sessions can be claimed at once", func(t *testing.T, h Harness) {
		a, b := start(t, h.Store, "a"), start(t, h.Other, "b")
		claim(t, h.Store, user, "s1", "a", a)
		must(t, h.Store.StopNode(context.Background(), "a", a))
		wantErr(t, h.Store.Beat(context.Background(), "a", a, ttl), sessions.ErrLapsed)
		equal(t, "epoch", claim(t, h.Other, user, "s2", "b", b).Epoch, 2)
	}},
	{"stopping an older incarnation does not stop the newer", func(t *testing.T, h Harness) {
		old := start(t, h.Store, "a")
		inc := start(t, h.Store, "a")
		must(t, h.Store.StopNode(context.Background(), "a", old))
		must(t, h.Store.Beat(context.Background(), "a", inc, ttl))
	}},
	{"nodes are listed with lease, draining and sessions", listNodes},
	{"draining an unknown node is not found", func(t *testing.T, h Harness) {
		wantErr(t, h.Store.SetDraining(context.Background(), "nobody", true), sessions.ErrNotFound)
	}},
}

func listNodes(t *testing.T, h Harness) {
	ctx := context.Background()
	start(t, h.Store, "b")
	h.Advance(ttl / 2)
	claim(t, h.Store, user, "s1", "a", start(t, h.Store, "a"))
	must(t, h.Store.SetDraining(ctx, "a", true))
	h.Advance(ttl / 2)
	nodes, err := h.Other.Nodes(ctx)
	must(t, err)
	equal(t, "number of nodes", len(nodes), 2)
	a, b := nodes[0], nodes[1]
	equal(t, "a's address", a.Addr, "harks://a:7778")
	equal(t, "a's lease", a.LeaseUntil.Sub(b.LeaseUntil), ttl/2)
	equal(t, "a", a, sessions.Node{Name: "a", Addr: a.Addr, Inc: 1, LeaseUntil: a.LeaseUntil, Alive: true, Draining: true, Sessions: 1})
	equal(t, "b", b, sessions.Node{Name: "b", Addr: "harks://b:7778", Inc: 1, LeaseUntil: b.LeaseUntil})
	start(t, h.Store, "a")
	nodes, err = h.Store.Nodes(ctx)
	must(t, err)
	equal(t, "a drains after a restart", nodes[0].Draining, false)
}
