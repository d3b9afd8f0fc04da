package ivr_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr/ivrtest"
)

// TestMenuGoesOn breaks the connection in the middle of a menu: the session is found again beside it, and no choice that the
// caller has heard to its end is said again.
func TestMenuGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		line, err := w.Dial(t.Context(), "5551234")
		if err != nil {
			t.Fatal(err)
		}
		line.Press(theUser + thePIN)
		said := func(id string) (times int) {
			list, _ := line.Transcript()
			for _, h := range list {
				if h.ID == id {
					times++
				}
			}
			return times
		}
		until := func(id string) {
			for range 1000 {
				if said(id) > 0 {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Fatalf("%s is not said\n%s", id, line)
		}
		until("home.key.2")
		w.post.cut()
		until("home.key.4")
		w.post.mu.Lock()
		attached := len(w.post.clients)
		w.post.mu.Unlock()
		if once, parts := said("home.key.1"), said("home.key.2"); once != 1 || parts != 2 || attached != 1 {
			t.Errorf("the choice before the break is said %d times, that in it in %d parts, %d clients are attached\n%s", once, parts, attached, line)
		}
		list, _ := line.Transcript()
		if i := slices.IndexFunc(list, func(h ivrtest.Heard) bool { return h.ID == "moment" }); i >= 0 {
			t.Errorf("the caller is told of it\n%s", line)
		}
		line.Press("9")
		if err := <-w.gone; err != nil {
			t.Error(err)
		}
	})
}
