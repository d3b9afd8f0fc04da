package stasis

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

var cutFor = flag.String("cuts", "100ms 1s", "for how long the connection to Asterisk is cut")

// cuts are how long connections are cut for.
func cuts(t *testing.T) (list []time.Duration) {
	for _, word := range strings.Fields(*cutFor) {
		d, err := time.ParseDuration(word)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// behindProxy opens a site whose App reaches Asterisk only through a proxy.
func behindProxy(t *testing.T) (*site, *proxy) {
	var p *proxy
	s := open(t, func(a *App) { p, a.URL = through(t, a.URL) })
	return s, p
}

// TestCutInGather: what was half keyed before the connection was lost is dropped, and the prompt is played again.
func TestCutInGather(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	prompt := linetest.ToneClip(t, 440, 1500*time.Millisecond)
	for _, cut := range cuts(t) {
		got := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}, Max: 6, First: 10 * time.Second, Between: 5 * time.Second})
		p.Hears(440, time.Now())
		p.PressKeys("12")
		wire.cutFor(cut)
		mended := time.Now()
		again := p.Hears(440, mended)
		t.Logf("cut for %v: the prompt is heard again %v after the connection could be made", cut, again.Sub(mended))
		if again.Sub(mended) > 2*time.Second {
			t.Errorf("cut for %v: the prompt came again after %v", cut, again.Sub(mended))
		}
		p.PressKeys("345678")
		if in, err := got(); err != nil || in.Keys != "345678" {
			t.Errorf("cut for %v: %+v, %v", cut, in, err)
		}
	}
	if s.app.Calls() != 1 {
		t.Errorf("%d calls, want the one", s.app.Calls())
	}
}

// TestCutInPrompt: the connection is lost while a prompt plays, and Asterisk is away when the next one is wanted.
func TestCutInPrompt(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	long, short := linetest.ToneClip(t, 440, 1500*time.Millisecond), linetest.ToneClip(t, 880, 300*time.Millisecond)
	for _, cut := range cuts(t) {
		got := c.gather(ivr.Gather{Play: []prompts.Clip{long, short}})
		p.Hears(440, time.Now())
		wire.cutFor(cut)
		if in, err := got(); err != nil || in.Why != ivr.Played {
			t.Errorf("cut for %v: %+v, %v", cut, in, err)
		}
		s.connected(t)
	}
	wire.sever()
	got := c.gather(ivr.Gather{Play: []prompts.Clip{short}, Max: 1, First: 100 * time.Millisecond})
	time.Sleep(700 * time.Millisecond) // Gather is refused by then
	wire.mend()
	before := time.Now()
	if in, err := got(); err != nil || in.Why != ivr.Timeout {
		t.Errorf("begun while it was away: %+v, %v", in, err)
	}
	p.Hears(880, before)
}

// TestCutInRecord: the recording goes on at Asterisk, and ends as it should, also in the gap.
func TestCutInRecord(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	for _, cut := range cuts(t) {
		p.Say(600)
		got := c.record(ivr.Record{Max: 20 * time.Second, Silence: 10 * time.Second, Ends: "#"})
		began := time.Now()
		linetest.Until(time.Now(), 500*time.Millisecond)
		wire.cutFor(cut)
		s.connected(t)
		linetest.Until(time.Now(), 500*time.Millisecond)
		spoken := time.Since(began)
		p.PressKeys("#")
		rec, err := got()
		if err != nil || rec.Why != ivr.EndKey || rec.Duration < spoken-300*time.Millisecond || rec.Duration > spoken+500*time.Millisecond {
			t.Errorf("cut for %v: %+v after %v, %v", cut, rec, spoken, err)
		}
	}
	got := c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
	linetest.Until(time.Now(), 500*time.Millisecond)
	wire.sever()
	p.PressKeys("#")
	linetest.Until(time.Now(), time.Second)
	wire.mend()
	if rec, err := got(); err != nil || rec.Why != ivr.EndKey || rec.File == "" || rec.Duration > 1200*time.Millisecond {
		t.Errorf("ended in the gap: %+v, %v", rec, err)
	}
}

// TestHangupInCut: the caller hangs up while the connection is away.
func TestHangupInCut(t *testing.T) {
	s, wire := behindProxy(t)
	p, c := s.call(t)
	got := c.gather(ivr.Gather{Max: 1, First: time.Minute})
	wire.sever()
	p.HangUp()
	time.Sleep(300 * time.Millisecond)
	wire.mend()
	if _, err := got(); !errors.Is(err, ivr.ErrHangup) {
		t.Error(err)
	}
	linetest.Eventually(t, "the end of the call", func() bool { return s.app.Calls() == 0 })
}

// TestAsteriskKilled: the call is lost, its recording is not, and new calls are answered 2 s after ARI is back.
func TestAsteriskKilled(t *testing.T) {
	s := open(t, nil)
	for round := range 3 {
		p, c := s.call(t)
		p.Say(600)
		got := c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
		began := time.Now()
		time.Sleep(2500*time.Millisecond + time.Duration(round)*700*time.Millisecond)
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		spoken := time.Since(began)
		time.Sleep(time.Second) // away
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		rec, err := got()
		if !errors.Is(err, ivr.ErrHangup) || rec.File == "" || rec.Why != ivr.HungUp {
			t.Fatalf("%+v, %v", rec, err)
		}
		s.connected(t)
		took := time.Since(back)
		t.Logf("connected again %v after ARI was; %v of %v are in the recording", took, rec.Duration, spoken)
		if took > 2*time.Second {
			t.Errorf("the App was back %v after ARI", took)
		}
		if rec.Duration < spoken-2100*time.Millisecond || linetest.Pitch(t, rec.File) < 570 {
			t.Errorf("%v of %v are in the recording", rec.Duration, spoken)
		}
		p.HangUp()
	}
	p, c := s.call(t)
	c.End(nil)
	p.HungUp()
}

// TestAdopted: a second process takes the calls over, with the state that the first one kept.
func TestAdopted(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	if state, err := c.State(t.Context()); state != "" || err != nil {
		t.Errorf("State of a new call = %q, %v", state, err)
	}
	if err := c.SetState(t.Context(), "home/2 &"); err != nil {
		t.Fatal(err)
	}
	first, firstRun := s.app, s.run
	second := &App{URL: s.ARIURL, User: s.ARIUser, Password: s.ARIPassword, Drain: -1, Log: slog.New(slog.NewTextHandler(logTo{t}, nil))}
	second.Handle = s.handle
	s.app = second
	s.start(t)
	if err := ended(firstRun); !errors.Is(err, ErrReplaced) {
		t.Errorf("the first process ended with %v", err)
	}
	if first.Calls() != 0 || !errors.Is(context.Cause(c.ctx), ErrReplaced) {
		t.Errorf("the first process still has %d calls, cause %v", first.Calls(), context.Cause(c.ctx))
	}
	d := <-s.calls
	if d.ID() != c.ID() || !d.Adopted() || d.Caller() != c.Caller() || d.Called() != c.Called() {
		t.Errorf("adopted %q from %q to %q", d.ID(), d.Caller(), d.Called())
	}
	if state, err := d.State(t.Context()); state != "home/2 &" || err != nil {
		t.Errorf("State = %q, %v", state, err)
	}
	got := d.gather(ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 440, 5*time.Second)}, Max: 1})
	p.Hears(440, p.Answered)
	p.PressKeys("7")
	if in, err := got(); err != nil || in.Keys != "7" {
		t.Errorf("%+v, %v", in, err)
	}
	d.End(nil)
	p.HungUp()
}

// TestFailed: a call whose Handle fails, or panics, hears the apology of the dialplan; so does one too many.
func TestFailed(t *testing.T) {
	s := open(t, func(a *App) {
		a.MaxCalls = 1
		handle := a.Handle
		a.Handle = func(ctx context.Context, l ivr.Line) error {
			if err := handle(ctx, l); errors.Is(err, errPanic) {
				panic("a test")
			} else {
				return err
			}
		}
	})
	for _, err := range []error{errors.New("a test"), errPanic} {
		p, c := s.call(t)
		extra := linetest.Dial(t, s.SIPAddr, s.Number, "2")
		extra.HearsSpeech()
		c.End(err)
		p.HearsSpeech()
		linetest.Eventually(t, "the end of the call", func() bool { return s.app.Calls() == 0 })
		extra.HangUp()
		p.HangUp()
	}
}

// TestShutdown: a call may finish; then it is given back.
func TestShutdown(t *testing.T) {
	s := open(t, func(a *App) { a.Drain = time.Minute })
	_, c := s.call(t)
	s.stop()
	linetest.Eventually(t, "no new calls", func() bool { s.app.calls.mu.Lock(); defer s.app.calls.mu.Unlock(); return s.app.calls.refusing })
	extra := linetest.Dial(t, s.SIPAddr, s.Number, "2")
	extra.HearsSpeech()
	if c.ctx.Err() != nil {
		t.Errorf("the call was ended: %v", context.Cause(c.ctx))
	}
	s.app.Abort()
	if err := ended(s.run); err != nil {
		t.Error(err)
	}
	if !errors.Is(context.Cause(c.ctx), ErrShutdown) {
		t.Errorf("the call ended with %v", context.Cause(c.ctx))
	}
}

// TestManyCalls makes 80 calls a second, for two seconds, each a short login, and wants every one whole.
func TestManyCalls(t *testing.T) {
	var whole, exact atomic.Int32
	prompt := linetest.ToneClip(t, 440, time.Second)
	s := open(t, func(a *App) {
		a.Log = nil
		a.Handle = func(ctx context.Context, l ivr.Line) error {
			if err := l.Answer(ctx); err != nil {
				return err
			}
			in, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{prompt}, Max: 3, First: 5 * time.Second})
			if err == nil && in.Why == ivr.Full {
				whole.Add(1)
			}
			if in.Keys == "123" {
				exact.Add(1)
			}
			return err
		}
	})
	const n = 160
	stats, err := sipphone.Load(t.Context(), sipphone.LoadOptions{
		Options: sipphone.Options{To: "sip:" + s.Number + "@" + s.SIPAddr, Quiet: true, Deaf: true},
		Rate:    80, Calls: n,
		Script: func(ctx context.Context, call *sipphone.Call) error {
			if err := call.Press(ctx, "123"); err != nil && !errors.Is(err, sipphone.ErrHungUp) {
				return err
			}
			<-call.Done()
			return nil
		},
	})
	if err != nil || whole.Load() != n || stats.Complete != n {
		t.Errorf("%d of %d calls were whole: %v, %v", whole.Load(), n, err, stats.Errors)
	}
	if exact.Load() < n*9/10 { // each packet counts here, and a busy machine loses some
		t.Errorf("the keys of only %d calls came as they were pressed", exact.Load())
	}
	t.Logf("%d calls with the right keys\n%s", exact.Load(), stats)
}
