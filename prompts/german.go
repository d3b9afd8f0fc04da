package prompts

import (
	"fmt"
	"strings"
	"time"
)

// german speaks German.
type german struct{}

var (
	germanOnes = strings.Fields("null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn " +
		"fünfzehn sechzehn siebzehn achtzehn neunzehn")
	germanTens   = strings.Fields("- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
	germanScales = []struct {
		size       int64
		one, other string
	}{
		{1e18, "eine Trillion", "Trillionen"}, {1e15, "eine Billiarde", "Billiarden"}, {1e12, "eine Billion", "Billionen"},
		{1e9, "eine Milliarde", "Milliarden"}, {1e6, "eine Million", "Millionen"},
	}
	germanMonths = strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember")
	germanDays   = strings.Fields("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag")
	germanKeys   = map[rune]string{'*': "Stern", '#': "Raute", '+': "plus"}
	// germanStems are what an ordinal is made of where it is not the number itself.
	germanStems = map[int64]string{1: "ers", 3: "drit", 7: "sieb", 8: "ach"}
)

// Plurals lists one and other.
func (german) Plurals() []string { return []string{"one", "other"} }

// Plural tells one from other.
func (german) Plural(n int64) string { return english{}.Plural(n) }

// Number says "dreihundertfünf".
func (g german) Number(n int64) string {
	if n < 0 {
		if n == -n { // the smallest int64 has no positive partner
			return "minus neun Trillionen"
		}
		return "minus " + g.Number(-n)
	}
	for _, s := range germanScales {
		if n < s.size {
			continue
		}
		head := s.one
		if n/s.size > 1 {
			head = g.below(n/s.size, "ein") + " " + s.other
		}
		if n%s.size == 0 {
			return head
		}
		return head + " " + g.Number(n%s.size)
	}
	return g.below(n, "eins")
}

// below says a number below a million as one word; one is how a one at its end is said.
func (g german) below(n int64, one string) string {
	switch {
	case n >= 1000:
		return g.below(n/1000, "ein") + "tausend" + g.end(n%1000, one)
	case n >= 100:
		return g.below(n/100, "ein") + "hundert" + g.end(n%100, one)
	case n == 1:
		return one
	case n < 20:
		return germanOnes[n]
	case n%10 == 0:
		return germanTens[n/10]
	}
	return g.below(n%10, "ein") + "und" + germanTens[n/10]
}

// end says what follows a hundred or a thousand.
func (g german) end(n int64, one string) string {
	if n == 0 {
		return ""
	}
	return g.below(n, one)
}

// ordinal says "dreiundzwanzigste", with another ending "dreiundzwanzigsten".
func (g german) ordinal(n int64, ending string) string {
	stem, ok := germanStems[n]
	switch {
	case ok:
	case n < 20:
		stem = g.Number(n)
	default:
		stem = g.Number(n) + "s"
	}
	return stem + "t" + ending
}

// Digits says "vier sieben eins, neun null zwei".
func (german) Digits(digits string) string {
	var out []string
	for _, group := range groups(digits) {
		var words []string
		for _, r := range group {
			words = append(words, germanDigit(r))
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ", ")
}

func germanDigit(r rune) string {
	if r >= '0' && r <= '9' {
		return germanOnes[r-'0']
	}
	if word, ok := germanKeys[r]; ok {
		return word
	}
	return strings.ToUpper(string(r))
}

// List says "Ana, Ben und Carla".
func (german) List(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " und " + items[last]
}

// A germanUnit is a unit of time: "eine Stunde", "zwei Stunden", "vor zwei Tagen".
type germanUnit struct {
	size             time.Duration
	one, other, days string // days is the dative of other
	dative           string // of one
}

var germanUnits = []germanUnit{
	{24 * time.Hour, "ein Tag", "Tage", "Tagen", "einem Tag"},
	{time.Hour, "eine Stunde", "Stunden", "Stunden", "einer Stunde"},
	{time.Minute, "eine Minute", "Minuten", "Minuten", "einer Minute"},
	{time.Second, "eine Sekunde", "Sekunden", "Sekunden", "einer Sekunde"},
}

// Duration says "eine Minute und fünf Sekunden"; from ten minutes on without seconds.
func (g german) Duration(d time.Duration) string {
	if d = d.Abs().Round(time.Second); d >= 10*time.Minute {
		d = d.Round(time.Minute)
	}
	var out []string
	for _, u := range germanUnits {
		if n := int64(d / u.size); n > 0 {
			out = append(out, g.count(n, u.one, u.other))
			d %= u.size
		}
	}
	if out == nil {
		return "null Sekunden"
	}
	return g.List(out)
}

// count says "eine Stunde", "zwei Stunden".
func (g german) count(n int64, one, other string) string {
	if n == 1 {
		return one
	}
	return g.Number(n) + " " + other
}

// since says "zwei Minuten" as it follows "vor" and "in".
func (g german) since(d time.Duration, u germanUnit) string {
	return g.count(int64(d.Abs().Round(u.size)/u.size), u.dative, u.days)
}

// Relative says "vor zwei Minuten", "gestern um neun Uhr fünfzehn", "morgen um zwölf Uhr".
func (g german) Relative(t, now time.Time) string {
	d := now.Sub(t)
	hours, minutes := germanUnits[1], germanUnits[2]
	switch {
	case d.Abs() < 45*time.Second && d >= 0:
		return "gerade eben"
	case d.Abs() < 45*time.Second:
		return "gleich"
	case d.Round(time.Minute) < time.Hour && d > 0:
		return "vor " + g.since(d, minutes)
	case d.Round(time.Hour) < 6*time.Hour && d > 0:
		return "vor " + g.since(d, hours)
	case d.Abs().Round(time.Minute) < time.Hour:
		return "in " + g.since(d, minutes)
	}
	return g.day(t, now) + " um " + g.Clock(t)
}

// day says the day of t as seen from now.
func (g german) day(t, now time.Time) string {
	days := calendarDays(now) - calendarDays(t)
	switch {
	case days == 0:
		return "heute"
	case days == 1:
		return "gestern"
	case days == 2:
		return "vorgestern"
	case days == -1:
		return "morgen"
	case days == -2:
		return "übermorgen"
	case days > -7 && days < 7:
		return "am " + germanDays[t.Weekday()]
	}
	return "am " + g.date(t, now, "en")
}

// date says "dritte Mai" with the given ending, with the year when it is not the current one.
func (g german) date(t, now time.Time, ending string) string {
	s := g.ordinal(int64(t.Day()), ending) + " " + germanMonths[t.Month()-1]
	if t.Year() != now.Year() {
		s += " " + g.year(int64(t.Year()))
	}
	return s
}

// year says "neunzehnhundertneunundneunzig", "zweitausendsechsundzwanzig".
func (g german) year(n int64) string {
	if n >= 1100 && n < 2000 {
		return g.below(n/100, "ein") + "hundert" + g.end(n%100, "eins")
	}
	return g.Number(n)
}

// Exact says "Sonntag, der dritte Mai, um neun Uhr fünfzehn".
func (g german) Exact(t, now time.Time) string {
	return fmt.Sprintf("%s, der %s, um %s", germanDays[t.Weekday()], g.date(t, now, "e"), g.Clock(t))
}

// Moment says "morgen um zwölf Uhr", "Freitag um acht Uhr".
func (g german) Moment(t, now time.Time) string {
	return strings.TrimPrefix(g.day(t, now), "am ") + " um " + g.Clock(t)
}

// Clock says the time of day by twenty-four hours: "neun Uhr fünfzehn", "Mitternacht".
func (g german) Clock(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return "Mitternacht"
	}
	hour := g.below(int64(t.Hour()), "ein")
	if t.Hour() == 0 {
		hour = "null"
	}
	if t.Minute() == 0 {
		return hour + " Uhr"
	}
	return hour + " Uhr " + g.Number(int64(t.Minute()))
}
