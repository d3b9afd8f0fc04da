package stasis

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// succeed cuts the process off, as if it were dead, and lets another one adopt its call.
func (s *site) succeed(t *testing.T, wire *proxy) *call {
	t.Helper()
	wire.sever()
	t.Cleanup(wire.mend) // so that the first one comes to its end
	s.app = &App{URL: s.ARIURL, User: s.ARIUser, Password: s.ARIPassword, TempDir: t.TempDir(), Handle: s.handle, Drain: -1,
		Log: slog.New(slog.NewTextHandler(logTo{t}, nil))}
	s.start(t)
	return <-s.calls
}

// TestHush: a process dies while it plays something long. The next one is heard at once.
func TestHush(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	began := time.Now()
	c.gather(ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 440, 30*time.Second)}, Max: 1})
	p.Hears(440, began)
	d := s.succeed(t, wire)
	now := time.Now()
	got := d.gather(ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 880, time.Second)}})
	if took := p.Hears(880, now).Sub(now); took > 3*time.Second {
		t.Errorf("the next process was heard after %v", took)
	}
	if in, err := got(); err != nil || in.Why != ivr.Played {
		t.Errorf("%+v, %v", in, err)
	}
	d.End(nil)
	p.HungUp()
}

// TestUnfinished: a process dies while a caller speaks, as far as Asterisk can tell. The next one gets what was spoken,
// and can be heard at once, though nobody ended the recording.
func TestUnfinished(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	p.Say(600)
	c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
	began := time.Now()
	linetest.Until(began, 2500*time.Millisecond)
	d := s.succeed(t, wire)
	rec, err := linetest.Later(d.Jobs, func() (ivr.Recorded, error) { return d.Unfinished(d.ctx) })()
	if err != nil || rec.Duration < 2*time.Second || rec.Duration > time.Since(began)+time.Second {
		t.Fatalf("%+v after %v, %v", rec, time.Since(began), err)
	}
	if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
		t.Errorf("%v Hz are in the recording", hz)
	}
	now := time.Now()
	got := d.gather(ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 440, 3*time.Second)}, Max: 1})
	if took := p.Hears(440, now).Sub(now); took > 2*time.Second {
		t.Errorf("the caller heard nothing for %v", took)
	}
	p.PressKeys("7")
	if in, err := got(); err != nil || in.Keys != "7" {
		t.Errorf("%+v, %v", in, err)
	}
	if none, err := linetest.Later(d.Jobs, func() (ivr.Recorded, error) { return d.Unfinished(d.ctx) })(); err != nil || none.File != "" {
		t.Errorf("a second time: %+v, %v", none, err)
	}
	d.End(nil)
	p.HungUp()
}

// TestLeft: a process dies while a caller speaks, and the caller hangs up before the next one is there. That one is given
// what was spoken, once, if it knows the call.
func TestLeft(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	p.Say(600)
	c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
	linetest.Until(time.Now(), 2500*time.Millisecond) // of speech
	wire.sever()
	t.Cleanup(wire.mend)
	p.HangUp()
	for _, knows := range []bool{false, true} {
		kept := make(chan ivr.Recorded, 1)
		s.app = &App{URL: s.ARIURL, User: s.ARIUser, Password: s.ARIPassword, TempDir: t.TempDir(), Handle: s.handle, Drain: -1,
			Log: slog.New(slog.NewTextHandler(logTo{t}, nil)),
			Left: func(channel string) func(context.Context, ivr.Recorded) {
				if channel != c.ID() {
					t.Errorf("it is asked for call %q, not %q", channel, c.ID())
				}
				if !knows {
					kept <- ivr.Recorded{}
					return nil
				}
				return func(_ context.Context, spoken ivr.Recorded) { kept <- spoken }
			}}
		s.start(t)
		spoken := <-kept
		names, err := s.stored()
		if err != nil || knows != (spoken.Duration >= 2*time.Second) || knows != (len(names) == 0) {
			t.Errorf("known %v: %+v was kept, and at Asterisk is %q, %v", knows, spoken, names, err)
		}
	}
}
