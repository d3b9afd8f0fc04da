package accounts

import (
	"flag"
	"math"
	"slices"
	"testing"
	"time"
)

var tries = flag.Int("tries", 20, "how many logins TestNobodyLearnsWhoExists times for each of two numbers")

// TestNobodyLearnsWhoExists is threat T3: a wrong PIN is refused after the same time whether somebody has the number or
// nobody, within 5 %. A machine that is busy with other things gets several chances; one that tells never passes.
func TestNobodyLearnsWhoExists(t *testing.T) {
	r := newRig(t, Cost{})
	user, pin := r.add(t)
	apart := 0.0
	for range 8 {
		known, unknown := r.refusals(t, user, "7654321", other(pin))
		apart = math.Abs(float64(known-unknown)) / float64(known)
		t.Logf("the median of %d refusals is %s for a number that exists and %s for one that does not: %.1f %% apart", *tries, known, unknown, 100*apart)
		if apart < 0.05 {
			return
		}
	}
	t.Errorf("the two are %.1f %% apart", 100*apart)
}

// refusals are the median times of refused logins at two numbers, tried in turn.
func (r *rig) refusals(t *testing.T, one, two, pin string) (time.Duration, time.Duration) {
	t.Helper()
	var took [2][]time.Duration
	for range *tries {
		r.advance(24 * time.Hour)
		for i, user := range []string{one, two} {
			began := time.Now()
			if r.login(user, pin, "") == nil {
				t.Fatal("it opened")
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for _, list := range took {
		slices.Sort(list)
	}
	return took[0][*tries/2], took[1][*tries/2]
}
