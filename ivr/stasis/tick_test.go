package stasis

import (
	"errors"
	"os"
	"testing"
	"time"

	"hark/ivr"
)

// TestTick: the caller hears the tick when little of the longest recording is left, while he speaks; it is not in the
// recording, which goes on to its limit; a recording that ends before has none, and no channel is left of it.
func TestTick(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	r := ivr.Record{Tone: toneClip(t, 1000, 200*time.Millisecond), Tick: toneClip(t, 1500, 200*time.Millisecond), Max: 5 * time.Second,
		Warn: 2 * time.Second, Silence: 4 * time.Second, Ends: "#"}
	got := c.record(r)
	began := p.hears(1000, p.answered).Add(r.Tone.Duration)
	p.say(600)
	if after := p.hears(1500, began).Sub(began); after < 2500*time.Millisecond || after > 4500*time.Millisecond {
		t.Errorf("the tick came %v after the beginning, want 3 s", after)
	}
	rec, err := got()
	if err != nil || rec.Why != ivr.Limit || rec.Duration < 4500*time.Millisecond {
		t.Fatalf("%+v, %v", rec, err)
	}
	for samples := samplesOf(t, rec.File); len(samples) >= 1600; samples = samples[160:] {
		if _, hz := measure(samples[:1600]); hz > 1000 {
			t.Errorf("%.0f Hz are in the recording, of a caller who spoke 600", hz)
			break
		}
	}
	os.Remove(rec.File)
	s.alone(t)

	before := time.Now()
	got = c.record(r)
	began = p.hears(1000, before).Add(r.Tone.Duration)
	until(began, time.Second)
	p.press("#")
	if rec, err := got(); err != nil || rec.Why != ivr.EndKey {
		t.Errorf("ended by a key: %+v, %v", rec, err)
	}
	got = c.record(r)
	p.say(600)
	p.hears(1500, time.Now())
	p.hangup()
	if rec, err := got(); !errors.Is(err, ivr.ErrHangup) || rec.Why != ivr.HungUp || rec.File == "" {
		t.Errorf("hung up behind the tick: %+v, %v", rec, err)
	}
	s.alone(t)
}
