package main

import (
	"testing"

	"hark/presence"
)

// TestBestDigits: a digit that a late packet made sound like another one is set right by the check digit.
func TestBestDigits(t *testing.T) {
	const number = "471902389" // its last digit is the check digit
	if !presence.ValidCode(number) {
		t.Fatal("the test's number is not valid")
	}
	spoken := func() (list []heardDigit) {
		for i, d := range number {
			list = append(list, heardDigit{string(d), 1000 * i, 1000*i + 900, 0.95})
		}
		return list
	}
	misheard := spoken()
	misheard[3].score = 0.7
	misheard = append(misheard, heardDigit{"5", 3100, 3950, 0.75}, heardDigit{"6", 5100, 5800, 0.65})
	gone := spoken()
	gone[3] = heardDigit{"5", 3100, 3950, 0.75}
	for name, test := range map[string]struct {
		heard []heardDigit
		want  string
	}{"clear": {spoken(), number}, "misheard": {misheard, number}, "gone": {gone, ""}, "too few": {spoken()[1:], ""}} {
		if got, err := bestDigits(test.heard, 9, presence.ValidCode); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
