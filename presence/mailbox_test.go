package presence

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// Functions run one at a time in their order, also those that a function posts; after close none runs, and the goroutine
// is gone when there is nothing to do, or the bubble would not end.
func TestMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		var first, second []int
		for i := range 100 {
			m.post(func() {
				first = append(first, i)
				m.post(func() { second = append(second, i) })
			})
		}
		synctest.Wait()
		if len(first) != 100 || len(second) != 100 || !slices.IsSorted(first) || !slices.IsSorted(second) {
			t.Errorf("ran %v and %v", first, second)
		}
		m.post(func() {
			m.post(func() { t.Error("ran though it was closed meanwhile") })
			m.close()
		})
		synctest.Wait()
		if m.post(func() { t.Error("ran after close") }) {
			t.Error("a closed mailbox takes more")
		}
	})
}

// Many may post at the same time.
func TestMailboxPosters(t *testing.T) {
	var m mailbox
	var posters, all sync.WaitGroup
	count := 0 // only the mailbox touches it
	all.Add(50 * 50)
	for range 50 {
		posters.Go(func() {
			for range 50 {
				m.post(func() { count++; all.Done() })
			}
		})
	}
	posters.Wait()
	all.Wait()
	if count != 50*50 {
		t.Errorf("ran %d", count)
	}
}
