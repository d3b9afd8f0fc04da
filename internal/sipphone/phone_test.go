package sipphone

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/prompts"
)

// speaker renders a text as Hark would. TestMain sets it; it needs flite (apt install flite).
var speaker func(text string) (wavPath string, err error)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sipphone-*")
	if err != nil {
		panic(err)
	}
	s, err := newSpeaker(dir)
	if err != nil {
		panic(err)
	}
	speaker = func(text string) (string, error) {
		clip, err := s.SayText(context.Background(), "en", text)
		return clip.File, err
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func newSpeaker(dir string) (*prompts.Speaker, error) {
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		return nil, err
	}
	flite, err := prompts.NewSynthesiser(context.Background(), prompts.SynthOptions{})
	if err != nil {
		return nil, err
	}
	return prompts.NewSpeaker(prompts.SpeakerOptions{Book: book, Synth: flite, Dir: dir})
}

// answerer is a telephone that takes calls.
func answerer(t *testing.T, o Options) *Phone {
	t.Helper()
	p, err := NewPhone(PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Listen(o)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// connect makes a call between two telephones and returns both ends. They are hung up with the test.
func connect(t *testing.T, caller, called Options) (there, here *Call) {
	t.Helper()
	p := answerer(t, called)
	caller.To = "sip:100@" + p.Addr()
	there, err := Dial(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	here, err = p.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(there.Hangup(context.Background()), here.Hangup(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return there, here
}

// eventually polls until ok, for ten seconds at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within ten seconds: " + what)
		}
	}
}

func TestToneBothWays(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"pcmu", "pcma"} {
		caller, called := connect(t, Options{Codec: codec, CallerID: "201"}, Options{Lazy: codec == "pcma"})
		if shown := called.Caller(); shown != "201" || caller.Caller() != "" {
			t.Errorf("the called side sees %q, the caller %q", shown, caller.Caller())
		}
		done := make(chan error)
		go func() { done <- called.SpeakPCM(t.Context(), Tone(440, time.Second)) }()
		if err := caller.SpeakPCM(t.Context(), Tone(1000, time.Second)); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, end := range []struct {
			call *Call
			hz   float64
		}{{caller, 440}, {called, 1000}} {
			at, score := FindClip(end.call.Heard(), Tone(end.hz, 500*time.Millisecond))
			if score < 0.99 {
				t.Fatalf("%s: score %.3f", codec, score)
			}
			hz, share := ToneFrequency(end.call.Heard()[at:at+4000], Rate)
			if hz < end.hz-1 || hz > end.hz+1 || share < 0.95 {
				t.Errorf("%s: %.2f Hz (%.2f), want %v", codec, hz, share, end.hz)
			}
			if s := end.call.Stats(); s.Packets < 45 || s.Lost != 0 || s.FirstRTP < 0 || s.FirstRTP > time.Second {
				t.Errorf("%s: %+v", codec, s)
			}
		}
		if s := caller.Stats(); s.Answer <= 0 || s.Answer > time.Second {
			t.Errorf("answered after %v", s.Answer)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{false, true} {
		caller, called := connect(t, Options{Quiet: quiet}, Options{})
		start := time.Now()
		if err := caller.Press(t.Context(), "0123456789*#ABCDd11,1"); err != nil {
			t.Fatal(err)
		}
		if took, want := time.Since(start), 20*160*time.Millisecond+500*time.Millisecond; took < want-50*time.Millisecond || took > want+time.Minute {
			t.Errorf("took %v, want %v", took, want)
		}
		eventually(t, "all keys", func() bool { return called.Keys() == "0123456789*#ABCDD111" })
	}
}

func TestKeysRefused(t *testing.T) {
	caller, _ := connect(t, Options{}, Options{})
	err := caller.Press(t.Context(), "12x")
	if err == nil {
		t.Fatal("a sign that is no key was pressed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := caller.Press(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSpeechIsBrokenOff(t *testing.T) {
	caller, _ := connect(t, Options{}, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := caller.SpeakPCM(ctx, Tone(440, time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if err := caller.Press(t.Context(), "1"); err != nil {
		t.Error(err)
	}
}

func TestEitherSideHangsUp(t *testing.T) {
	for _, callerFirst := range []bool{true, false} {
		first, second := connect(t, Options{}, Options{})
		if !callerFirst {
			first, second = second, first
		}
		if first.Err() != nil {
			t.Error(first.Err())
		}
		if err := first.Hangup(t.Context()); err != nil {
			t.Error(err)
		}
		if !errors.Is(first.Err(), ErrEnded) {
			t.Error(first.Err())
		}
		eventually(t, "the hang-up", func() bool { return second.Err() != nil })
		if !errors.Is(second.Err(), ErrHungUp) {
			t.Error(second.Err())
		}
		if err := second.Press(t.Context(), "1"); !errors.Is(err, ErrHungUp) {
			t.Error(err)
		}
	}
}

// TestBothHangUpAtOnce crosses two goodbyes on the line.
func TestBothHangUpAtOnce(t *testing.T) {
	for range 20 {
		first, second := connect(t, Options{Quiet: true}, Options{Quiet: true})
		done := make(chan error)
		go func() { done <- second.Hangup(context.Background()) }()
		if err := errors.Join(first.Hangup(t.Context()), <-done); err != nil {
			t.Error(err)
		}
	}
}

func TestRefused(t *testing.T) {
	p, err := NewPhone(PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = Dial(t.Context(), Options{To: "sip:1@" + p.Addr()})
	if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != 480 {
		t.Error(err)
	}
	for _, o := range []Options{{To: "7000"}, {To: "sip:1@" + p.Addr(), Codec: "opus"}, {To: "sip:1@127.0.0.1", Local: "192.0.2.1"}} {
		if c, err := Dial(t.Context(), o); err == nil {
			_ = c.Hangup(t.Context())
			t.Errorf("%+v was answered", o)
		}
	}
}

// TestRefuse calls a telephone that answers one number, is busy at another, and rings at a third until it is given up.
func TestRefuse(t *testing.T) {
	p := answerer(t, Options{Refuse: func(number string) int { return map[string]int{"2": Busy, "3": Ringing}[number] }})
	_, err := Dial(t.Context(), Options{To: "sip:2@" + p.Addr()})
	if refused, ok := errors.AsType[*Refused](err); !ok || refused.Code != Busy {
		t.Error(err)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, enough)
	defer cancel()
	if _, err := Dial(ctx, Options{To: "sip:3@" + p.Addr()}); !errors.Is(err, enough) {
		t.Error(err)
	}
	call, err := Dial(t.Context(), Options{To: "sip:1@" + p.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Hangup(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNobodyThere calls a socket that says nothing.
func TestNobodyThere(t *testing.T) {
	silent, err := listenUDP("")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cause := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, cause)
	defer cancel()
	start := time.Now()
	if _, err := Dial(ctx, Options{To: "sip:1@" + silent.LocalAddr().String()}); !errors.Is(err, cause) {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPhoneClosesItsCalls(t *testing.T) {
	p := answerer(t, Options{})
	other, err := NewPhone(PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	call, err := other.Dial(t.Context(), Options{To: "sip:1@" + p.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if !errors.Is(call.Err(), ErrEnded) {
		t.Error(call.Err())
	}
	if _, err := other.Dial(t.Context(), Options{To: "sip:1@" + p.Addr()}); err == nil {
		t.Error("a closed telephone dialled")
	}
}

func TestLoad(t *testing.T) {
	p := answerer(t, Options{Quiet: true, Deaf: true})
	accepted := make(chan int)
	go func() {
		n := 0
		defer func() { accepted <- n }()
		for ; n < 30; n++ {
			c, err := p.Accept(t.Context())
			if err != nil {
				return
			}
			defer func() {
				<-c.Done()
				_ = c.Hangup(context.Background())
			}()
		}
	}()
	stats, err := Load(t.Context(), LoadOptions{
		Options: Options{To: "sip:1@" + p.Addr(), Quiet: true, Deaf: true},
		Rate:    50, Calls: 30,
		Script: func(ctx context.Context, c *Call) error { return c.Press(ctx, "12#") },
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := <-accepted; n != 30 || stats.Calls != 30 || stats.Complete != 30 || stats.Answer.P50 <= 0 || stats.Answer.Max < stats.Answer.P99 {
		t.Errorf("%d accepted\n%v", n, stats)
	}
}

func TestLoadCountsFailures(t *testing.T) {
	p, err := NewPhone(PhoneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	stats, err := Load(t.Context(), LoadOptions{Options: Options{To: "sip:1@" + p.Addr()}, Rate: 100, Calls: 5})
	if err != nil || stats.Calls != 5 || stats.Complete != 0 || stats.Errors["sipphone: refused: 480 Temporarily Unavailable"] != 5 {
		t.Errorf("%+v, %v", stats, err)
	}
}
