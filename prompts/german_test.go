package prompts

import (
	"math"
	"testing"
	"time"
)

func TestGermanNumbers(t *testing.T) {
	for n, want := range map[int64]string{
		0: "null", 1: "eins", 7: "sieben", 12: "zwölf", 16: "sechzehn", 17: "siebzehn", 20: "zwanzig", 21: "einundzwanzig",
		30: "dreißig", 66: "sechsundsechzig", 100: "einhundert", 101: "einhunderteins", 121: "einhunderteinundzwanzig",
		305: "dreihundertfünf", 1000: "eintausend", 1001: "eintausendeins", 21000: "einundzwanzigtausend",
		12345: "zwölftausenddreihundertfünfundvierzig", 1000000: "eine Million", 2000001: "zwei Millionen eins",
		-3: "minus drei", 101000000: "einhundertein Millionen", math.MinInt64: "minus neun Trillionen",
	} {
		if got := (german{}).Number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1: "erste", 2: "zweite", 3: "dritte", 7: "siebte", 8: "achte", 19: "neunzehnte",
		20: "zwanzigste", 23: "dreiundzwanzigste", 31: "einunddreißigste"} {
		if got := (german{}).ordinal(n, "e"); got != want {
			t.Errorf("%d.: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1999: "neunzehnhundertneunundneunzig", 1900: "neunzehnhundert", 1905: "neunzehnhundertfünf",
		2000: "zweitausend", 2026: "zweitausendsechsundzwanzig", 800: "achthundert"} {
		if got := (german{}).year(n); got != want {
			t.Errorf("year %d: %q, want %q", n, got, want)
		}
	}
}

func TestGermanDigits(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "1": "eins", "471902384": "vier sieben eins, neun null zwei, drei acht vier", "*5#": "Stern fünf Raute",
		"+49A": "plus vier neun A",
	} {
		if got := (german{}).Digits(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := (german{}).List([]string{"Ana", "Ben", "Carla"}); got != "Ana, Ben und Carla" {
		t.Errorf("a list: %q", got)
	}
}

func TestGermanTimes(t *testing.T) {
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	for _, tt := range []struct {
		t    time.Time
		want string
	}{
		{noon, "gerade eben"},
		{noon.Add(time.Second), "gleich"},
		{noon.Add(-46 * time.Second), "vor einer Minute"},
		{noon.Add(-2 * time.Minute), "vor zwei Minuten"},
		{noon.Add(-59*time.Minute - 40*time.Second), "vor einer Stunde"},
		{noon.Add(-5 * time.Hour), "vor fünf Stunden"},
		{at(5, 5, 0, 0), "heute um Mitternacht"},
		{at(5, 5, 1, 5), "heute um ein Uhr fünf"},
		{at(5, 4, 9, 15), "gestern um neun Uhr fünfzehn"},
		{at(5, 3, 15, 30), "vorgestern um fünfzehn Uhr dreißig"},
		{at(5, 1, 21, 0), "am Freitag um einundzwanzig Uhr"},
		{at(4, 3, 12, 0), "am dritten April um zwölf Uhr"},
		{at(4, 7, 12, 0).AddDate(-1, 0, 0), "am siebten April zweitausendfünfundzwanzig um zwölf Uhr"},
		{noon.Add(10 * time.Minute), "in zehn Minuten"},
		{at(5, 6, 12, 0), "morgen um zwölf Uhr"},
		{at(5, 7, 0, 1), "übermorgen um null Uhr eins"},
	} {
		if got := (german{}).Relative(tt.t, noon); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.t, got, tt.want)
		}
	}
	if got := (german{}).Exact(at(5, 3, 9, 15), noon); got != "Sonntag, der dritte Mai, um neun Uhr fünfzehn" {
		t.Errorf("exact: %q", got)
	}
	for then, want := range map[time.Time]string{ // seit, bis
		noon.Add(-2 * time.Minute): "heute um elf Uhr achtundfünfzig", noon.Add(24 * time.Hour): "morgen um zwölf Uhr",
		noon.Add(-4 * 24 * time.Hour): "Freitag um zwölf Uhr",
	} {
		if got := (german{}).Moment(then, noon); got != want {
			t.Errorf("seit %v: %q, want %q", then, got, want)
		}
	}
}

func TestGermanDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "null Sekunden", time.Second: "eine Sekunde", 65 * time.Second: "eine Minute und fünf Sekunden",
		10*time.Minute + 20*time.Second: "zehn Minuten", 26*time.Hour + 5*time.Minute: "ein Tag, zwei Stunden und fünf Minuten",
	} {
		if got := (german{}).Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
