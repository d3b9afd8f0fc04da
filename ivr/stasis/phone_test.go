package stasis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"hark/internal/sipphone"
)

// frame is the length of a packet.
const frame = 20 * time.Millisecond

// A phone is the caller of a test. It knows when it heard what, which is what the tests are about.
type phone struct {
	*sipphone.Call
	t        testing.TB
	answered time.Time
	hush     context.CancelFunc // ends what is being spoken
}

// dial calls a number and returns when it is answered, or fails the test.
func dial(t testing.TB, address, number, from string) *phone {
	t.Helper()
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:" + number + "@" + address, CallerID: from})
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{Call: call, t: t, answered: time.Now(), hush: func() {}}
	t.Cleanup(func() {
		p.hush()
		p.hangup()
	})
	return p
}

// hangup ends the call from the caller's side. That an Asterisk that was killed does not answer the BYE is no error.
func (p *phone) hangup() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.Hangup(ctx)
}

// press sends keys, while nothing is said.
func (p *phone) press(keys string) {
	p.t.Helper()
	p.hush()
	if err := p.Press(p.t.Context(), keys); err != nil {
		p.t.Error(err)
	}
}

// say begins to speak a tone, until keys are pressed or something else is said; 0 is silence.
func (p *phone) say(hz float64) {
	p.hush()
	if hz == 0 {
		return
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- p.SpeakPCM(ctx, sipphone.Tone(hz, time.Minute)) }()
	p.hush = func() {
		cancel()
		<-done
		p.hush = func() {}
	}
}

// A sound is 20 ms of what was heard.
type sound struct {
	at   time.Time
	loud float64 // mean amplitude, 0 to 32767
	hz   float64
}

// sounds is what was heard after a time.
func (p *phone) sounds(after time.Time) (all []sound) {
	samples := p.Heard()
	for n := max(0, int(after.Sub(p.answered)/frame)); (n+1)*160 <= len(samples); n++ {
		loud, hz := measure(samples[n*160 : (n+1)*160])
		all = append(all, sound{p.answered.Add(time.Duration(n) * frame), loud, hz})
	}
	return all
}

// measure is how loud and how high some sound is.
func measure(samples []int16) (loud, hz float64) {
	crossings := 0
	for i, v := range samples {
		loud += math.Abs(float64(v))
		if i > 0 && (v > 0) != (samples[i-1] > 0) {
			crossings++
		}
	}
	return loud / float64(len(samples)), float64(crossings) / 2 * sipphone.Rate / float64(len(samples))
}

// hears waits for a tone, and returns when it began.
func (p *phone) hears(hz float64, after time.Time) (at time.Time) {
	p.t.Helper()
	eventually(p.t, "a tone of "+strconv.Itoa(int(hz))+" Hz", func() bool {
		for _, s := range p.sounds(after) {
			if s.loud > 500 && math.Abs(s.hz-hz) < 60 {
				at = s.at
				return true
			}
		}
		return false
	})
	return at
}

// hearsSpeech waits until something loud was heard for 400 ms.
func (p *phone) hearsSpeech() {
	p.t.Helper()
	eventually(p.t, "speech", func() bool {
		loud := 0
		for _, s := range p.sounds(p.answered) {
			if s.loud > 300 {
				loud++
			}
		}
		return loud > 20
	})
}

// hungUp waits until Asterisk ends the call.
func (p *phone) hungUp() {
	p.t.Helper()
	select {
	case <-p.Done():
		if !errors.Is(p.Err(), sipphone.ErrHungUp) {
			p.t.Error(p.Err())
		}
	case <-time.After(15 * time.Second):
		p.t.Fatal("the call was not hung up")
	}
}

// until waits until some time has passed since a moment; the length of what is recorded is what is being tested.
func until(since time.Time, d time.Duration) { time.Sleep(time.Until(since.Add(d))) }

// eventually waits until ok, asking often, and fails the test after 15 s.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(15 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal(fmt.Sprint("it did not come: ", what))
		}
	}
}
