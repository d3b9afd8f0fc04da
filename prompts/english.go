package prompts

import (
	"fmt"
	"strings"
	"time"
)

// english speaks English.
type english struct{}

var (
	englishOnes = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen " +
		"fifteen sixteen seventeen eighteen nineteen")
	englishTens     = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
	englishOrdinals = map[string]string{"one": "first", "two": "second", "three": "third", "five": "fifth",
		"eight": "eighth", "nine": "ninth", "twelve": "twelfth"}
	englishScales = []struct {
		size int64
		name string
	}{{1e18, "quintillion"}, {1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}, {100, "hundred"}}
	englishKeys = map[rune]string{'*': "star", '#': "hash", '+': "plus"}
)

// Plurals lists one and other.
func (english) Plurals() []string { return []string{"one", "other"} }

// Plural tells one from other.
func (english) Plural(n int64) string {
	if n == 1 {
		return "one"
	}
	return "other"
}

// Number says "three hundred and five".
func (e english) Number(n int64) string {
	if n < 0 {
		if n == -n { // the smallest int64 has no positive partner
			return "minus nine quintillion"
		}
		return "minus " + e.Number(-n)
	}
	if n < 20 {
		return englishOnes[n]
	}
	if n < 100 {
		return strings.TrimSuffix(englishTens[n/10]+"-"+englishOnes[n%10], "-zero")
	}
	for _, s := range englishScales {
		if n >= s.size {
			return e.Number(n/s.size) + " " + s.name + e.rest(n%s.size)
		}
	}
	return ""
}

// rest says what follows a hundred, a thousand and so on; below a hundred with "and".
func (e english) rest(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 100:
		return " and " + e.Number(n)
	}
	return " " + e.Number(n)
}

// ordinal says "twenty-third".
func (e english) ordinal(n int64) string {
	words := e.Number(n)
	at := strings.LastIndexAny(words, " -") + 1
	last := words[at:]
	if irregular, ok := englishOrdinals[last]; ok {
		return words[:at] + irregular
	}
	if strings.HasSuffix(last, "y") {
		return strings.TrimSuffix(words, "y") + "ieth"
	}
	return words + "th"
}

// Digits says "four seven one, nine zero two".
func (english) Digits(digits string) string {
	var out []string
	for _, group := range groups(digits) {
		var words []string
		for _, r := range group {
			words = append(words, englishDigit(r))
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ", ")
}

func englishDigit(r rune) string {
	if r >= '0' && r <= '9' {
		return englishOnes[r-'0']
	}
	if word, ok := englishKeys[r]; ok {
		return word
	}
	return strings.ToUpper(string(r))
}

// List says "Ana, Ben and Carla".
func (english) List(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " and " + items[last]
}

// Duration says "one minute and five seconds"; from ten minutes on without seconds.
func (e english) Duration(d time.Duration) string {
	if d = d.Abs().Round(time.Second); d >= 10*time.Minute {
		d = d.Round(time.Minute)
	}
	var out []string
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int64(d / u.size); n > 0 {
			out = append(out, e.count(n, u.name))
			d %= u.size
		}
	}
	if out == nil {
		return "zero seconds"
	}
	return e.List(out)
}

// count says "one hour", "two hours".
func (e english) count(n int64, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return e.Number(n) + " " + unit
}

// Relative says "two minutes ago", "yesterday at nine fifteen", "tomorrow at noon".
func (e english) Relative(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d.Abs() < 45*time.Second && d >= 0:
		return "just now"
	case d.Abs() < 45*time.Second:
		return "in a moment"
	case d.Round(time.Minute) < time.Hour && d > 0:
		return e.count(int64(d.Round(time.Minute)/time.Minute), "minute") + " ago"
	case d.Round(time.Hour) < 6*time.Hour && d > 0:
		return e.count(int64(d.Round(time.Hour)/time.Hour), "hour") + " ago"
	case d.Abs().Round(time.Minute) < time.Hour:
		return "in " + e.count(int64(d.Abs().Round(time.Minute)/time.Minute), "minute")
	}
	return e.day(t, now) + " at " + e.Clock(t)
}

// day says the day of t as seen from now.
func (e english) day(t, now time.Time) string {
	days := calendarDays(now) - calendarDays(t)
	switch {
	case days == 0:
		return "today"
	case days == 1:
		return "yesterday"
	case days == -1:
		return "tomorrow"
	case days > -7 && days < 7:
		return "on " + t.Weekday().String()
	}
	return "on " + e.date(t, now)
}

// calendarDays counts the days of the calendar up to t, in t's own time zone.
func calendarDays(t time.Time) int {
	year, month, day := t.Date()
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// date says "the third of May", with the year when it is not the current one.
func (e english) date(t, now time.Time) string {
	s := fmt.Sprintf("the %s of %s", e.ordinal(int64(t.Day())), t.Month())
	if t.Year() != now.Year() {
		s += " " + e.year(int64(t.Year()))
	}
	return s
}

// year says "nineteen ninety-nine", "two thousand and five", "twenty twenty-six".
func (e english) year(n int64) string {
	century, rest := n/100, n%100
	switch {
	case n < 1000 || n > 9999 || century%10 == 0 && rest < 10:
		return e.Number(n)
	case rest == 0:
		return e.Number(century) + " hundred"
	case rest < 10:
		return e.Number(century) + " oh " + e.Number(rest)
	}
	return e.Number(century) + " " + e.Number(rest)
}

// Exact says "Sunday, the third of May, at nine fifteen".
func (e english) Exact(t, now time.Time) string {
	return fmt.Sprintf("%s, %s, at %s", t.Weekday(), e.date(t, now), e.Clock(t))
}

// Moment says "tomorrow at noon", "Friday at eight o'clock".
func (e english) Moment(t, now time.Time) string {
	return strings.TrimPrefix(e.day(t, now), "on ") + " at " + e.Clock(t)
}

// Clock says the time of day by twelve hours: "nine fifteen" is in the morning, the rest of the day is named.
func (e english) Clock(t time.Time) string {
	hour, minute := t.Hour(), t.Minute()
	switch {
	case minute == 0 && hour == 0:
		return "midnight"
	case minute == 0 && hour == 12:
		return "noon"
	}
	return e.Number(int64((hour+11)%12+1)) + e.minutes(minute) + partOfDay(hour)
}

// minutes says what follows the hour.
func (e english) minutes(n int) string {
	switch {
	case n == 0:
		return " o'clock"
	case n < 10:
		return " oh " + e.Number(int64(n))
	}
	return " " + e.Number(int64(n))
}

func partOfDay(hour int) string {
	switch {
	case hour < 5:
		return " at night"
	case hour < 12:
		return ""
	case hour < 18:
		return " in the afternoon"
	}
	return " in the evening"
}
