package prompts

import (
	"math"
	"testing"
	"time"
)

func TestEnglishNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "zero", 7: "seven", 13: "thirteen", 20: "twenty", 42: "forty-two", 100: "one hundred",
		305: "three hundred and five", 1000: "one thousand", 1001: "one thousand and one",
		12345:         "twelve thousand three hundred and forty-five",
		2000000:       "two million",
		-3:            "minus three",
		math.MaxInt64: "nine quintillion two hundred and twenty-three quadrillion three hundred and seventy-two trillion thirty-six billion eight hundred and fifty-four million seven hundred and seventy-five thousand eight hundred and seven",
		math.MinInt64: "minus nine quintillion",
	} {
		if got := (english{}).Number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 8: "eighth",
		9: "ninth", 12: "twelfth", 20: "twentieth", 21: "twenty-first", 30: "thirtieth", 31: "thirty-first"} {
		if got := (english{}).ordinal(n); got != want {
			t.Errorf("%d.: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1999: "nineteen ninety-nine", 1900: "nineteen hundred", 1905: "nineteen oh five",
		2000: "two thousand", 2005: "two thousand and five", 2026: "twenty twenty-six", 800: "eight hundred"} {
		if got := (english{}).year(n); got != want {
			t.Errorf("year %d: %q, want %q", n, got, want)
		}
	}
}

func TestEnglishDigits(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "1": "one", "1234": "one two three four", "12345": "one two three, four five",
		"1001234": "one zero zero, one two three four", "471902384": "four seven one, nine zero two, three eight four",
		"47 1902": "four seven, one nine zero two", "*5#": "star five hash", "+49A": "plus four nine A",
	} {
		if got := (english{}).Digits(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestEnglishTimes(t *testing.T) {
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	tests := []struct {
		t    time.Time
		want string
	}{
		{noon, "just now"},
		{noon.Add(time.Second), "in a moment"},
		{noon.Add(-46 * time.Second), "one minute ago"},
		{noon.Add(-2 * time.Minute), "two minutes ago"},
		{noon.Add(-59*time.Minute - 40*time.Second), "one hour ago"},
		{noon.Add(-5 * time.Hour), "five hours ago"},
		{at(5, 5, 0, 0), "today at midnight"},
		{at(5, 5, 2, 5), "today at two oh five at night"},
		{at(5, 4, 9, 15), "yesterday at nine fifteen"},
		{at(5, 4, 21, 0), "yesterday at nine o'clock in the evening"},
		{at(5, 3, 15, 30), "on Sunday at three thirty in the afternoon"},
		{at(4, 3, 12, 0), "on the third of April at noon"},
		{at(4, 3, 12, 0).AddDate(-1, 0, 0), "on the third of April twenty twenty-five at noon"},
		{noon.Add(10 * time.Minute), "in ten minutes"},
		{at(5, 6, 12, 0), "tomorrow at noon"},
		{at(5, 8, 8, 0), "on Friday at eight o'clock"},
	}
	for _, tt := range tests {
		if got := (english{}).Relative(tt.t, noon); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.t, got, tt.want)
		}
	}
	for then, want := range map[time.Time]string{ // since, until
		noon.Add(-2 * time.Minute): "today at eleven fifty-eight", at(5, 6, 12, 0): "tomorrow at noon", at(5, 8, 8, 0): "Friday at eight o'clock",
		at(4, 3, 12, 0): "the third of April at noon",
	} {
		if got := (english{}).Moment(then, noon); got != want {
			t.Errorf("since %v: %q, want %q", then, got, want)
		}
	}
}

func TestTimesAreTheListeners(t *testing.T) {
	b := smallBook(t)
	b.Now = func() time.Time { return noon.In(time.FixedZone("", 14*60*60)) } // two at night, on the 6th
	got, err := b.Text("en", "reader.from", Args{"name": "Ben", "time": noon.Add(-7 * time.Hour)})
	if want := "Ben, yesterday at seven o'clock in the evening:"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestEnglishDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "zero seconds", 400 * time.Millisecond: "zero seconds", time.Second: "one second",
		65 * time.Second:                "one minute and five seconds",
		10*time.Minute + 20*time.Second: "ten minutes",
		26*time.Hour + 5*time.Minute:    "one day, two hours and five minutes",
		-90 * time.Second:               "one minute and thirty seconds",
	} {
		if got := (english{}).Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
