package stasis

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// farPhone is a telephone that can be dialled: it answers, unless it is away.
func farPhone(t *testing.T, answers bool) (p *sipphone.Phone, endpoint string) {
	t.Helper()
	p, err := sipphone.NewPhone(sipphone.PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if answers {
		p.Listen(sipphone.Options{})
	}
	return p, "PJSIP/anonymous/sip:desk@" + p.Addr()
}

func (c *call) dial(d ivr.Dial) func() (ivr.Dialled, error) {
	return linetest.Later(c.Jobs, func() (ivr.Dialled, error) {
		out, err := c.Dial(c.ctx, d)
		c.app.log.Info("dialled", "end", out.End, "err", err)
		return out, err
	})
}

// alone tells whether no channel but the caller's and no bridge is left.
func (s *site) alone(t *testing.T) {
	t.Helper()
	linetest.Eventually(t, "the other side is let go of", func() bool {
		var bridges []any
		if err := s.app.rest.do(t.Context(), command{method: "GET", path: []string{"bridges"}}, &bridges); err != nil {
			t.Fatal(err)
		}
		channels, err := s.app.rest.channels(t.Context(), s.app.Name)
		return err == nil && len(bridges) == 0 && !slices.ContainsFunc(channels, isFar)
	})
}

// TestDial connects two telephones: each hears the other one, and whoever hangs up, what is left is tidy.
func TestDial(t *testing.T) {
	s := open(t, nil)
	desk, endpoint := farPhone(t, true)
	p, c := s.call(t)

	got := c.dial(ivr.Dial{Endpoint: endpoint, Ringing: []prompts.Clip{linetest.ToneClip(t, 440, time.Second)}})
	far := linetest.Accept(t, desk)
	far.Say(600)
	p.Say(1000)
	p.Hears(600, p.Answered)
	far.Hears(1000, far.Answered)
	far.Hush()
	far.HangUp()
	out, err := got()
	if err != nil || out.End != ivr.DialFar || out.Duration <= 0 {
		t.Errorf("the far end hung up: %+v, %v", out, err)
	}
	s.alone(t)

	var keys []byte
	got = c.dial(ivr.Dial{Endpoint: endpoint, Listen: func(key byte) bool { keys = append(keys, key); return key == '*' }})
	far = linetest.Accept(t, desk)
	p.Hush()
	far.Say(700)
	p.Hears(700, far.Answered)
	p.PressKeys("5*")
	if out, err := got(); err != nil || out.End != ivr.DialKey || string(keys) != "5*" {
		t.Errorf("a key: %+v, %v, keys %q", out, err, keys)
	}
	far.HungUp()
	s.alone(t)

	got = c.dial(ivr.Dial{Endpoint: endpoint, Max: time.Second})
	far = linetest.Accept(t, desk)
	if out, err := got(); err != nil || out.End != ivr.DialMax {
		t.Errorf("the time: %+v, %v", out, err)
	}
	far.HungUp()

	// The caller is back: keys are told again.
	in := c.gather(ivr.Gather{Max: 1, First: 10 * time.Second})
	p.PressKeys("3")
	if in, err := in(); err != nil || in.Keys != "3" {
		t.Errorf("after it: %+v, %v", in, err)
	}

	got = c.dial(ivr.Dial{Endpoint: endpoint})
	far = linetest.Accept(t, desk)
	p.HangUp()
	if _, err := got(); !errors.Is(err, ivr.ErrHangup) {
		t.Errorf("the caller hung up: %v", err)
	}
	far.HungUp()
	s.alone(t)
}

// TestDialNobody tells why nobody was reached.
func TestDialNobody(t *testing.T) {
	s := open(t, nil)
	_, away := farPhone(t, false)
	turnsAway := func(code int) string {
		p, endpoint := farPhone(t, false)
		p.Listen(sipphone.Options{Refuse: func(string) int { return code }})
		return endpoint
	}
	_, c := s.call(t)
	for endpoint, want := range map[string]ivr.DialEnd{
		turnsAway(sipphone.Busy): ivr.DialBusy, turnsAway(sipphone.Ringing): ivr.DialNoAnswer, turnsAway(503): ivr.DialCongestion,
		away: ivr.DialNoAnswer, "PJSIP/nobody": ivr.DialNoRoute, "NoSuch/thing": ivr.DialNoRoute, "PJSIP/anonymous/sip:x@127.0.0.1:9": ivr.DialNoAnswer,
	} {
		if out, err := c.dial(ivr.Dial{Endpoint: endpoint, Connect: 2 * time.Second})(); err != nil || out.End != want {
			t.Errorf("%s: %+v, %v", endpoint, out, err)
		}
	}
	s.alone(t)
}

// TestDialHandOver gives the caller away: the two talk on after Handle has returned.
func TestDialHandOver(t *testing.T) {
	s := open(t, nil)
	desk, endpoint := farPhone(t, true)
	p, c := s.call(t)
	got := c.dial(ivr.Dial{Endpoint: endpoint, HandOver: true})
	far := linetest.Accept(t, desk)
	if out, err := got(); err != nil || out.End != ivr.DialHandedOver {
		t.Fatalf("%+v, %v", out, err)
	}
	c.End(nil)
	far.Say(600)
	p.Hears(600, far.Answered)
	if n := s.app.Calls(); n != 1 {
		t.Errorf("%d calls are counted", n)
	}
	far.Hush()
	far.HangUp()
	p.HungUp()
	s.alone(t)
}

// TestCallOut rings a telephone; who answers it is in a call like any other.
func TestCallOut(t *testing.T) {
	s := open(t, nil)
	desk, endpoint := farPhone(t, true)
	over := make(chan error, 1)
	go func() {
		over <- s.app.Call(t.Context(), Outgoing{Endpoint: endpoint, Number: "201", From: "7000", Handle: s.handle})
	}()
	far := linetest.Accept(t, desk)
	c := <-s.calls
	if c.Caller() != "201" || c.Called() != "7000" {
		t.Errorf("it is a call from %q to %q", c.Caller(), c.Called())
	}
	in := c.gather(ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 600, 500*time.Millisecond)}, Max: 1, First: 10 * time.Second})
	far.Hears(600, far.Answered)
	far.PressKeys("3")
	if in, err := in(); err != nil || in.Keys != "3" {
		t.Errorf("it hears %+v, %v", in, err)
	}
	c.End(nil)
	far.HungUp()
	if err := <-over; err != nil {
		t.Error(err)
	}
	s.alone(t)
}

// TestCallOutNobody tells that nobody answers, and leaves nothing that rings.
func TestCallOutNobody(t *testing.T) {
	s := open(t, nil)
	_, away := farPhone(t, false)
	for _, endpoint := range []string{away, "PJSIP/nobody", "NoSuch/thing"} {
		err := s.app.Call(t.Context(), Outgoing{Endpoint: endpoint, Connect: 2 * time.Second, Handle: s.handle})
		if !errors.Is(err, ErrNotAnswered) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.app.Call(ctx, Outgoing{Endpoint: away, Handle: s.handle}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	s.alone(t)
}
