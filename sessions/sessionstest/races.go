package sessionstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"hark/sessions"
)

const racers = 16

var raceRules = []rule{
	{"of 16 racers for a new user exactly one wins", func(t *testing.T, h Harness) {
		incs := startRacers(t, h)
		for n := range 8 {
			race(t, h, incs, fmt.Sprintf("user%d", n), 1)
		}
	}},
	{"of 16 racers for a dead owner's session exactly one wins", func(t *testing.T, h Harness) {
		dead := start(t, h.Store, "dead")
		for n := range 8 {
			claim(t, h.Store, fmt.Sprintf("user%d", n), "s", "dead", dead)
		}
		h.Advance(ttl + sessions.Grace + 1e6)
		incs := startRacers(t, h)
		for n := range 8 {
			race(t, h, incs, fmt.Sprintf("user%d", n), 2)
		}
	}},
	{"of 16 racers of one restarted node exactly one wins", func(t *testing.T, h Harness) {
		claim(t, h.Store, user, "s", "a", start(t, h.Store, "a"))
		inc := start(t, h.Store, "a")
		wins := contest(t, h, func(int) (string, sessions.Incarnation) { return "a", inc }, user)
		equal(t, "winners", len(wins), 1)
	}},
}

func startRacers(t *testing.T, h Harness) (incs [racers]sessions.Incarnation) {
	for i := range incs {
		incs[i] = start(t, h.Store, fmt.Sprintf("racer%d", i))
	}
	return incs
}

// race lets all racers claim at once and checks that the one winner is the owner with the epoch.
func race(t *testing.T, h Harness, incs [racers]sessions.Incarnation, user string, epoch sessions.Epoch) {
	t.Helper()
	wins := contest(t, h, func(i int) (string, sessions.Incarnation) { return fmt.Sprintf("racer%d", i), incs[i] }, user)
	equal(t, "winners", len(wins), 1)
	r, err := h.Other.Lookup(context.Background(), user)
	must(t, err)
	for i, grant := range wins {
		equal(t, "epoch", grant.Epoch, epoch)
		equal(t, "owner", r.Node, fmt.Sprintf("racer%d", i))
		equal(t, "owner's epoch", r.Epoch, epoch)
	}
}

// contest returns the grants of the racers who got one; all others must be held off.
func contest(t *testing.T, h Harness, racer func(int) (string, sessions.Incarnation), user string) map[int]sessions.Grant {
	t.Helper()
	wins := map[int]sessions.Grant{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			store := []sessions.Store{h.Store, h.Other}[i%2]
			node, inc := racer(i)
			<-begin
			grant, err := store.Claim(context.Background(), user, fmt.Sprint("s", i), node, inc)
			var held *sessions.Held
			if err != nil && !errors.As(err, &held) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				wins[i] = grant
				mu.Unlock()
			}
		})
	}
	close(begin)
	wg.Wait()
	return wins
}
