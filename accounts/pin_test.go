package accounts

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestGuessable(t *testing.T) {
	const user = "4829305"
	for pin, want := range map[string]string{
		"111111": "repeats digits", "480003": "repeats digits", "282882": "repeats digits",
		"123456": "counts up or down", "481234": "counts up or down", "987604": "counts up or down", "789014": "counts up or down",
		"246813": "counts up or down", "975348": "counts up or down",
		"240681": "looks like a date", "062481": "looks like a date", "810624": "looks like a date", "198467": "looks like a date",
		"24061981": "looks like a date",
		"480480":   "is a pattern", "485584": "is a pattern", "448855": "is a pattern", "147369": "is a pattern", "258047": "is a pattern",
		"482937": "is like the user number", "503928": "is like the user number",
		"480273": "", "739164": "", "60758417": "", "905173": "",
	} {
		if got := Guessable(user, pin); got != want {
			t.Errorf("%s %q, want %q", pin, got, want)
		}
	}
}

// TestBlocklistIsLarge counts: at least a tenth of all PINs is refused, and most are not.
func TestBlocklistIsLarge(t *testing.T) {
	const user = "4829305"
	share := func(n int, pin func(i int) string) float64 {
		hits := 0
		for i := range n {
			if Guessable(user, pin(i)) != "" {
				hits++
			}
		}
		return float64(hits) / float64(n)
	}
	random := rand.New(rand.NewPCG(1, 2))
	six := share(20_000, func(i int) string { return fmt.Sprintf("%06d", i*50+i%47) })
	eight := share(20_000, func(int) string { return fmt.Sprintf("%08d", random.IntN(1e8)) })
	t.Logf("refused: %.1f %% of 6 digits, %.1f %% of 8", 100*six, 100*eight)
	for _, got := range []float64{six, eight} {
		if got < 0.10 || got > 0.50 {
			t.Errorf("%.1f %% are refused", 100*got)
		}
	}
}

func TestPINForm(t *testing.T) {
	for _, pin := range []string{"", "48027", "4802731594826", "48o273", "48 273", "٤٨٠٢٧٣"} {
		wantErr(t, checkPIN("4829305", pin, 6), ErrBadPIN)
	}
	must(t, checkPIN("4829305", "480273", 6))
	wantErr(t, checkPIN("4829305", "480273", 8), ErrBadPIN)
}

func TestRandomDigits(t *testing.T) {
	seen := map[string]bool{}
	first := map[byte]int{}
	for range 1000 {
		pin := randomDigits(6)
		if len(pin) != 6 {
			t.Fatalf("PIN %q", pin)
		}
		seen[pin] = true
		first[pin[0]]++
	}
	if len(seen) < 990 || len(first) != 10 {
		t.Errorf("%d different PINs, %d first digits in 1,000", len(seen), len(first))
	}
}
