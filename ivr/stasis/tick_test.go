package stasis

import (
	"errors"
	"os"
	"testing"
	"time"

	"hark/internal/wav"
	"hark/ivr"
	"hark/ivr/linetest"
)

// TestTick: the caller hears the tick when little of the longest recording is left, while he speaks; it is not in the
// recording, which goes on to its limit; a recording that ends before has none, and no channel is left of it.
func TestTick(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	r := ivr.Record{Tone: linetest.ToneClip(t, 1000, 200*time.Millisecond), Tick: linetest.ToneClip(t, 1500, 200*time.Millisecond), Max: 5 * time.Second,
		Warn: 2 * time.Second, Silence: 4 * time.Second, Ends: "#"}
	got := c.record(r)
	began := p.Hears(1000, p.Answered).Add(r.Tone.Duration)
	p.Say(600)
	if after := p.Hears(1500, began).Sub(began); after < 2500*time.Millisecond || after > 4500*time.Millisecond {
		t.Errorf("the tick came %v after the beginning, want 3 s", after)
	}
	rec, err := got()
	if err != nil || rec.Why != ivr.Limit || rec.Duration < 4500*time.Millisecond {
		t.Fatalf("%+v, %v", rec, err)
	}
	recorded, err := wav.Read(rec.File)
	if err != nil {
		t.Fatal(err)
	}
	for samples := recorded.Samples; len(samples) >= 1600; samples = samples[160:] {
		if _, hz := linetest.Measure(samples[:1600]); hz > 1000 {
			t.Errorf("%.0f Hz are in the recording, of a caller who spoke 600", hz)
			break
		}
	}
	os.Remove(rec.File)
	s.alone(t)

	before := time.Now()
	got = c.record(r)
	began = p.Hears(1000, before).Add(r.Tone.Duration)
	linetest.Until(began, time.Second)
	p.PressKeys("#")
	if rec, err := got(); err != nil || rec.Why != ivr.EndKey {
		t.Errorf("ended by a key: %+v, %v", rec, err)
	}
	got = c.record(r)
	p.Say(600)
	p.Hears(1500, time.Now())
	p.HangUp()
	if rec, err := got(); !errors.Is(err, ivr.ErrHangup) || rec.Why != ivr.HungUp || rec.File == "" {
		t.Errorf("hung up behind the tick: %+v, %v", rec, err)
	}
	s.alone(t)
}
