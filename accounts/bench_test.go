package accounts

import (
	"testing"
	"time"
)

// BenchmarkLogin is what one login costs: a user's first since the start, and his later ones.
func BenchmarkLogin(b *testing.B) {
	r := newRig(b, Cost{})
	user, pin := r.add(b)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			r.verifier.drop(user)
			must(b, r.login(user, pin, "+home"))
		}
	})
	b.Run("later", func(b *testing.B) {
		for b.Loop() {
			must(b, r.login(user, pin, "+home"))
		}
	})
	b.Run("verifier alone", func(b *testing.B) {
		a, err := r.load(b.Context(), user, strangers)
		must(b, err)
		for b.Loop() {
			if !r.verifier.fits(user, pin, a.kept) {
				b.Fatal("it does not fit")
			}
		}
	})
}

// BenchmarkRefusal is how long a wrong PIN takes, for a number that somebody has and one that nobody has (threat T3).
func BenchmarkRefusal(b *testing.B) {
	r := newRig(b, Cost{})
	user, pin := r.add(b)
	for name, number := range map[string]string{"known": user, "unknown": "1000001"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if r.login(number, other(pin), "") == nil {
					b.Fatal("it opened")
				}
				r.advance(24 * time.Hour)
			}
		})
	}
}

func BenchmarkTicket(b *testing.B) {
	t := &Tickets{Key: make([]byte, 32)}
	for b.Loop() {
		if _, err := t.Redeem(t.Issue(Claims{User: "4829305"}, TicketLife), "a"); err != nil {
			b.Fatal(err)
		}
	}
}
