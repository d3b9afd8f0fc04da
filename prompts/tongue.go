package prompts

import "time"

// A Tongue knows what a catalogue cannot hold: how a language counts, and how it says times. A further language is one
// file that implements it, a line in tongues, and a catalogue beside en.toml.
type Tongue interface {
	// Plurals lists the plural forms that a text needs, the last for everything not named otherwise (CLDR's names).
	Plurals() []string
	// Plural chooses the form for n.
	Plural(n int64) string
	// Number says a whole number.
	Number(n int64) string
	// Digits says digits (and * and #) one by one, with a pause between groups.
	Digits(digits string) string
	// Relative says when t is, seen from now. Both are in the listener's time zone.
	Relative(t, now time.Time) string
	// Exact says date and clock time of t; what it shares with now (the year) may be left out.
	Exact(t, now time.Time) string
	// Moment says when t is so that it can follow "since" and "until".
	Moment(t, now time.Time) string
	// Clock says the time of day.
	Clock(t time.Time) string
	// Duration says a length of time.
	Duration(d time.Duration) string
	// List joins names into one phrase.
	List(items []string) string
}

// tongues holds every language that has rules.
var tongues = map[string]Tongue{"en": english{}, "de": german{}}
