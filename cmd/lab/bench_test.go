package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hark/internal/sipphone"
)

func TestPercentile(t *testing.T) {
	ten := []time.Duration{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
	for _, c := range []struct {
		list []time.Duration
		p    float64
		want time.Duration
	}{
		{nil, 50, 0},
		{[]time.Duration{7}, 0, 7},
		{[]time.Duration{7}, 99, 7},
		{ten, 0, 1},
		{ten, 50, 5},
		{ten, 51, 6},
		{ten, 90, 9},
		{ten, 99, 10},
		{ten, 100, 10},
	} {
		if got := percentile(c.list, c.p); got != c.want {
			t.Errorf("percentile(%v, %v) = %v, want %v", c.list, c.p, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	got := table([]figure{
		measured("long name of a figure", "%d of %d", 3, 4),
		measured("short", "7 ms").against("≤ 8 ms", true),
		measured("bad", "9 ms").against("≤ 8 ms", false),
	})
	want := "" +
		"FIGURE                  MEASURED   AIM\n" +
		"long name of a figure   3 of 4\n" +
		"short                   7 ms       ≤ 8 ms   reached\n" +
		"bad                     9 ms       ≤ 8 ms   missed\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct{ names, want string }{
		{"", "login cache calls voicexml speech sessions relay audio web"},
		{"sessions login", "login sessions"},
		{"calls", "calls"},
	} {
		chosen, err := choose(strings.Fields(c.names))
		var got []string
		for _, m := range chosen {
			got = append(got, m.name)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("choose(%q) = %v, %v", c.names, got, err)
		}
	}
	if _, err := choose([]string{"calls", "cals"}); err == nil || !strings.Contains(err.Error(), `"cals"`) {
		t.Errorf("an unknown bench: %v", err)
	}
}

// made is a round of so many calls, all complete, with CPU times for all of them together.
func made(rate float64, calls int, asterisk, hark time.Duration) result {
	return result{
		round: round{name: "x", rate: rate, last: "x.wav"}, heard: calls,
		Stats: sipphone.Stats{Calls: calls, Complete: calls},
		cpu:   usage{asterisk: asterisk, hark: hark},
	}
}

func TestAims(t *testing.T) {
	alone := made(fast, 100, time.Second, 0)
	good := made(fast, 100, time.Second, 150*time.Millisecond)
	good.Answer.P99, good.FirstRTP.P50 = answerAim, promptAim
	bad := made(fast, 100, time.Second, 210*time.Millisecond)
	bad.Answer.P99, bad.FirstRTP.P50, bad.heard = answerAim+1, promptAim+1, 99
	for _, c := range []struct {
		r    result
		want string
	}{{good, "reached"}, {bad, "missed"}} {
		aims := 0
		for _, f := range c.r.against(alone).list() {
			if f.aim == "" {
				continue
			}
			aims++
			if f.verdict != c.want {
				t.Errorf("%s: %s (%s) is called %q, want %q", f.what, f.reached, f.aim, f.verdict, c.want)
			}
		}
		if aims != 5 {
			t.Errorf("%d figures are held against an aim, want complete, CPU, Hark's own, answer and prompt", aims)
		}
	}
	slowly := made(slow, 100, time.Second, 0)
	slowly.Answer.P99 = time.Second
	if f := slowly.against(alone).answer; f.verdict != "" {
		t.Errorf("the aim of the answer is for %v calls a second, but it was held against %v", fast, slow)
	}
	if f := messageFigures([]result{alone, made(messageRate, 100, time.Second, time.Second)}); f[len(f)-1].verdict != "missed" {
		t.Errorf("a message dearer than VoiceMail()'s: %+v", f[len(f)-1])
	}
}

// TestBench runs the shortest bench as the command line does.
func TestBench(t *testing.T) {
	var out strings.Builder
	if err := bench(t.Context(), &lab{out: &out}, []string{"login"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FIGURE", "first time since the start", "≤ 100 µs", "load average"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

func TestWhole(t *testing.T) {
	r := made(slow, 10, 0, 0)
	if r.heard = 7; r.whole() != 7 {
		t.Errorf("calls that did not end in the right sound count: %d", r.whole())
	}
	if r.last = ""; r.whole() != 10 {
		t.Errorf("without a sound to look for: %d", r.whole())
	}
	r.Errors = map[string]int{errors.New("engaged").Error(): 3}
	if text := r.String(); !strings.Contains(text, "3 × engaged") {
		t.Errorf("the line %q does not tell the errors", text)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{ms(1234567), "1.23"},
		{ms(12345678), "12.3"},
		{kib(40 << 10), "40.0 KiB"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
