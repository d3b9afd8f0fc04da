package accounts

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Assigned PINs have 6 digits, and 8 from so many users on; a PIN of the user's own choice has at least as many, and 12
// at most.
const (
	pinDigits  = 6
	pinLonger  = 8
	pinLongest = 12
	manyUsers  = 1000
)

// randomDigits draws n digits, each number as likely as any other.
func randomDigits(n int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	number, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return fmt.Sprintf("%0*d", n, number)
}

// checkPIN refuses with ErrBadPIN a PIN that has the wrong form or stands on the blocklist.
func checkPIN(user, pin string, digits int) error {
	if len(pin) < digits || len(pin) > pinLongest || strings.Trim(pin, "0123456789") != "" {
		return fmt.Errorf("%w: it needs %d to %d digits", ErrBadPIN, digits, pinLongest)
	}
	if reason := Guessable(user, pin); reason != "" {
		return fmt.Errorf("%w: it %s", ErrBadPIN, reason)
	}
	return nil
}

// Guessable says in words why a PIN (digits only) is too easy to guess, "" when it is not. The rules take away more than
// a tenth of all PINs, and nearly everything that people choose first.
func Guessable(user, pin string) string {
	for _, rule := range []struct {
		hit    bool
		reason string
	}{
		{repeats(pin), "repeats digits"},
		{hasRun(pin), "counts up or down"},
		{hasDate(pin), "looks like a date"},
		{hasPattern(pin), "is a pattern"},
		{shares(pin, user, 4), "is like the user number"},
	} {
		if rule.hit {
			return rule.reason
		}
	}
	return ""
}

// repeats: three equal digits in a row, or hardly any different ones.
func repeats(pin string) bool {
	for i := 2; i < len(pin); i++ {
		if pin[i] == pin[i-1] && pin[i] == pin[i-2] {
			return true
		}
	}
	different := map[rune]bool{}
	for _, digit := range pin {
		different[digit] = true
	}
	return len(different) <= 2
}

// hasRun: four digits that count up or down by one or by two, over the 9 to the 0 as well.
func hasRun(pin string) bool {
	for _, step := range []byte{1, 2, 8, 9} {
		length := 1
		for i := 1; i < len(pin); i++ {
			if (pin[i]-pin[i-1]+10)%10 != step {
				length = 0
			}
			if length++; length == 4 {
				return true
			}
		}
	}
	return false
}

// hasDate: six digits that are a day, month and year in one of the usual orders, or a year of living memory.
func hasDate(pin string) bool {
	for i := 0; i+6 <= len(pin); i++ {
		for _, layout := range []string{"020106", "010206", "060102"} {
			if _, err := time.Parse(layout, pin[i:i+6]); err == nil {
				return true
			}
		}
	}
	for i := 0; i+4 <= len(pin); i++ {
		if year := pin[i : i+4]; year >= "1930" && year <= "2039" {
			return true
		}
	}
	return false
}

// hasPattern: the same backwards, halves or pairs that repeat, or lines on the keypad.
func hasPattern(pin string) bool {
	half := len(pin) / 2
	if pin == reverse(pin) || (len(pin)%2 == 0 && pin[:half] == pin[half:]) || pairs(pin) {
		return true
	}
	lines := 0
	for _, line := range []string{"147", "258", "369", "159", "357", "123", "456", "789", "2580"} {
		if strings.Contains(pin, line) || strings.Contains(pin, reverse(line)) {
			lines++
		}
	}
	return lines >= 2 || strings.Contains(pin, "2580") || strings.Contains(pin, "0852")
}

// pairs: 112233, or 121212.
func pairs(pin string) bool {
	doubled, alternating := len(pin)%2 == 0, true
	for i := range len(pin) {
		doubled = doubled && pin[i] == pin[i&^1]
		alternating = alternating && pin[i] == pin[i%2]
	}
	return doubled || alternating
}

// shares: n digits in a row are also in the other, forwards or backwards.
func shares(pin, other string, n int) bool {
	for i := 0; i+n <= len(pin); i++ {
		if part := pin[i : i+n]; strings.Contains(other, part) || strings.Contains(other, reverse(part)) {
			return true
		}
	}
	return false
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
