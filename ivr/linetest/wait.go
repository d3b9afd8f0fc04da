package linetest

import (
	"fmt"
	"testing"
	"time"
)

// Until waits until some time has passed since a moment; the length of what is recorded is what is being tested.
func Until(since time.Time, d time.Duration) { time.Sleep(time.Until(since.Add(d))) }

// Eventually waits until ok, asking often, and fails the test after 15 s.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(15 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal(fmt.Sprint("it did not come: ", what))
		}
	}
}
