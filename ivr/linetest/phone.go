package linetest

import (
	"context"
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"hark/internal/sipphone"
)

// Frame is the length of a packet.
const Frame = 20 * time.Millisecond

// A Phone is one end of a call on a SIP telephone, which speaks tones and knows when it heard which one. Its methods belong to
// the test's goroutine, and fail the test when what they wait for does not come.
type Phone struct {
	*sipphone.Call
	Answered time.Time // the moment the call was answered

	T     testing.TB         // fails when something does not come
	quiet context.CancelFunc // ends what is being spoken
}

// Dial calls a number at a SIP address (host:port) and returns when it is answered. The call ends with the test.
func Dial(t testing.TB, address, number, from string) *Phone {
	t.Helper()
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:" + number + "@" + address, CallerID: from})
	if err != nil {
		t.Fatal(err)
	}
	return newPhone(t, call)
}

// Accept waits for a call to a telephone, and answers it. The call ends with the test.
func Accept(t testing.TB, p *sipphone.Phone) *Phone {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	call, err := p.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return newPhone(t, call)
}

func newPhone(t testing.TB, call *sipphone.Call) *Phone {
	p := &Phone{Call: call, Answered: time.Now(), T: t, quiet: func() {}}
	t.Cleanup(func() {
		p.Hush()
		p.HangUp()
	})
	return p
}

// HangUp ends the call from this side. That an Asterisk that was killed does not answer the BYE is no error.
func (p *Phone) HangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.Hangup(ctx)
}

// PressKeys sends keys, while nothing is said.
func (p *Phone) PressKeys(keys string) {
	p.T.Helper()
	p.Hush()
	if err := p.Press(p.T.Context(), keys); err != nil {
		p.T.Error(err)
	}
}

// Say begins to speak a tone, until keys are pressed or something else is said; 0 is silence.
func (p *Phone) Say(hz float64) {
	p.Hush()
	if hz == 0 {
		return
	}
	ctx, cancel := context.WithCancel(p.T.Context())
	done := make(chan error, 1)
	go func() { done <- p.SpeakPCM(ctx, sipphone.Tone(hz, time.Minute)) }()
	p.quiet = func() {
		cancel()
		<-done
		p.quiet = func() {}
	}
}

// Hush ends what is being spoken.
func (p *Phone) Hush() { p.quiet() }

// A Sound is one Frame of what was heard.
type Sound struct {
	At   time.Time
	Loud float64 // mean amplitude, 0 to 32767
	Hz   float64
}

// Sounds is what was heard after a moment.
func (p *Phone) Sounds(after time.Time) (all []Sound) {
	samples := p.Heard()
	for n := max(0, int(after.Sub(p.Answered)/Frame)); (n+1)*160 <= len(samples); n++ {
		loud, hz := Measure(samples[n*160 : (n+1)*160])
		all = append(all, Sound{p.Answered.Add(time.Duration(n) * Frame), loud, hz})
	}
	return all
}

// Hears waits for a tone, and returns when it began.
func (p *Phone) Hears(hz float64, after time.Time) (at time.Time) {
	p.T.Helper()
	Eventually(p.T, "a tone of "+strconv.Itoa(int(hz))+" Hz", func() bool {
		for _, s := range p.Sounds(after) {
			if s.is(hz) {
				at = s.At
				return true
			}
		}
		return false
	})
	return at
}

// HearsSpeech waits until something loud was heard for 400 ms.
func (p *Phone) HearsSpeech() {
	p.T.Helper()
	Eventually(p.T, "speech", func() bool {
		loud := 0
		for _, s := range p.Sounds(p.Answered) {
			if s.Loud > 300 {
				loud++
			}
		}
		return loud > 20
	})
}

// HungUp waits until Asterisk ends the call.
func (p *Phone) HungUp() {
	p.T.Helper()
	select {
	case <-p.Done():
		if !errors.Is(p.Err(), sipphone.ErrHungUp) {
			p.T.Error(p.Err())
		}
	case <-time.After(15 * time.Second):
		p.T.Fatal("the call was not hung up")
	}
}

// HeardOf is how much of a tone was heard in the whole call.
func (p *Phone) HeardOf(hz float64) (d time.Duration) {
	for _, s := range p.Sounds(p.Answered) {
		if s.is(hz) {
			d += Frame
		}
	}
	return d
}

func (s Sound) is(hz float64) bool { return s.Loud > 500 && math.Abs(s.Hz-hz) < 60 }
