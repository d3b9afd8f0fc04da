package fastagi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// theNonce is what the dialplan of these tests shows; agiNumber is the extension that does.
const (
	theNonce  = "nonce-of-a-test-0123456789"
	agiNumber = "7001"
)

// A site is a real Asterisk with a Server beside it, whose calls are given to the test.
type site struct {
	*testbed.Asterisk
	server *Server
	calls  chan *call
}

// A call is one in progress, at Handle: the test sends it what it shall do, and in the end what it shall return.
type call struct {
	*Line
	linetest.Jobs
}

// open starts both. change, if not nil, changes the Server before it runs.
func open(t *testing.T, change func(*Server)) *site {
	t.Helper()
	s := &site{calls: make(chan *call)}
	s.server = &Server{Nonce: theNonce, TempDir: t.TempDir(), Drain: -1, Log: slog.New(slog.NewTextHandler(logTo{t}, nil))}
	s.server.Recordings = t.TempDir()
	s.server.Handle = s.handle
	if change != nil {
		change(s.server)
	}
	s.Asterisk = startAsterisk(t, run(t, s.server), theNonce)
	return s
}

// startAsterisk starts an Asterisk whose number agiNumber leads to an address.
func startAsterisk(t *testing.T, address, nonce string) *testbed.Asterisk {
	t.Helper()
	conf, err := os.ReadFile("../../asterisk-conf/agi/extensions_agi.conf")
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("@HARK_AGI_NUMBER@", agiNumber, "@HARK_AGI_ADDR@", address, "@HARK_AGI_NONCE@", nonce).Replace(string(conf))
	return testbed.AsteriskFor(t, testbed.AsteriskOptions{Files: map[string]string{"extensions_agi.conf": filled}})
}

// run runs a Server until the test ends, and returns its address.
func run(t *testing.T, s *Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = listener
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Run does not return")
		}
	})
	return listener.Addr().String()
}

// handle hands the call to the test and does what that says.
func (s *site) handle(ctx context.Context, l ivr.Line) error {
	c := &call{l.(*Line), linetest.NewJobs()}
	select {
	case s.calls <- c:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return c.Serve(ctx)
}

// call dials, answers, and returns both ends.
func (s *site) call(t *testing.T) (*linetest.Phone, *call) {
	t.Helper()
	answered := make(chan *call, 1)
	go func() {
		c := <-s.calls
		if _, err := linetest.Later(c.Jobs, func() (int, error) { return 0, c.Answer(c.ctx) })(); err != nil {
			t.Error(err)
		}
		answered <- c
	}()
	p := linetest.Dial(t, s.SIPAddr, agiNumber, "12345")
	return p, <-answered
}

// logTo writes a log into the test's.
type logTo struct{ t *testing.T }

func (l logTo) Write(b []byte) (int, error) {
	l.t.Logf("%s", b)
	return len(b), nil
}

func (c *call) gather(g ivr.Gather) func() (ivr.Input, error) {
	return linetest.Later(c.Jobs, func() (ivr.Input, error) { return c.Gather(c.ctx, g) })
}

func (c *call) record(r ivr.Record) func() (ivr.Recorded, error) {
	return linetest.Later(c.Jobs, func() (ivr.Recorded, error) { return c.Record(c.ctx, r) })
}

// TestLogin is a login: a number that ends with #, and a PIN of known length, typed ahead in part, also while the
// dialogue is busy with something else.
func TestLogin(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	if c.Called() != agiNumber || c.Caller() != "12345" || c.ID() == "" {
		t.Errorf("the line is %q from %q, called at %q", c.ID(), c.Caller(), c.Called())
	}
	prompt, second := linetest.ToneClip(t, 440, 3*time.Second), linetest.ToneClip(t, 880, 2*time.Second)
	got := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}, Max: 9, Ends: "#", First: 5 * time.Second})
	p.Hears(440, p.Answered)
	p.PressKeys("7000123#")
	in, err := got()
	if err != nil || in.Keys != "7000123" || in.End != "#" || in.Why != ivr.EndKey || in.Clip != 0 || in.At <= 0 || in.At >= prompt.Duration {
		t.Errorf("the number: %+v, %v", in, err)
	}
	p.PressKeys("12") // nothing is played or awaited meanwhile
	got = c.gather(ivr.Gather{Play: []prompts.Clip{second}, Max: 4, First: 5 * time.Second})
	p.PressKeys("34")
	in, err = got()
	if err != nil || in.Keys != "1234" || in.Why != ivr.Full {
		t.Errorf("the PIN: %+v, %v", in, err)
	}
	in, err = c.gather(ivr.Gather{Max: 4, First: 200 * time.Millisecond})()
	if err != nil || in.Keys != "" || in.Why != ivr.Timeout {
		t.Errorf("no key: %+v, %v", in, err)
	}
	c.End(nil)
	p.HungUp()
}

// TestPlaying: clips follow each other nearly without a gap, pauses are kept, an offset is skipped, the place is known.
func TestPlaying(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	low, high := linetest.ToneClip(t, 440, 600*time.Millisecond), linetest.ToneClip(t, 880, 600*time.Millisecond)
	late := linetest.ToneClip(t, 1200, time.Second)
	late.Offset = 400 * time.Millisecond
	in, err := c.gather(ivr.Gather{Play: []prompts.Clip{low, high, late}})()
	if err != nil || in.Why != ivr.Played || in.Clip != 3 || in.At != 0 {
		t.Errorf("played: %+v, %v", in, err)
	}
	first := p.Hears(440, p.Answered)
	if took := p.Hears(1200, first).Sub(first); took < 1160*time.Millisecond || took > 1400*time.Millisecond {
		t.Errorf("the third clip began after %v, want 1.2 s", took)
	}
	heard := slices.DeleteFunc(p.Sounds(p.Answered), func(s linetest.Sound) bool { return s.Loud < 500 })
	if n := len(heard); n < 84 || n > 95 {
		t.Errorf("%d packets with sound, want 90", n)
	}
	t.Logf("the largest gap is %v", p.Stats().LargestGap)

	low, high = linetest.ToneClip(t, 660, 600*time.Millisecond), linetest.ToneClip(t, 1600, 600*time.Millisecond)
	low.Pause = 500 * time.Millisecond
	in, err = c.gather(ivr.Gather{Play: []prompts.Clip{{Pause: 200 * time.Millisecond}, low, high}, Max: 1})()
	if err != nil || in.Why != ivr.Timeout || in.Clip != 3 {
		t.Errorf("played with pauses: %+v, %v", in, err)
	}
	if took := p.Hears(1600, first).Sub(p.Hears(660, first)); took < 1050*time.Millisecond || took > 1300*time.Millisecond {
		t.Errorf("the clip behind the pause began after %v, want 1.1 s", took)
	}
}

// TestBargeIn measures how soon a key stops a prompt.
func TestBargeIn(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	first := linetest.ToneClip(t, 300, 500*time.Millisecond)
	var worst time.Duration
	for i := range 5 {
		hz := 800 + 300*float64(i)
		second := linetest.ToneClip(t, hz, 10*time.Second)
		second.Offset = 2 * time.Second
		start := time.Now()
		got := c.gather(ivr.Gather{Play: []prompts.Clip{first, second}, Max: 1})
		p.Hears(hz, p.Answered)
		p.PressKeys("5")
		in, err := got()
		played := in.At - second.Offset
		if err != nil || in.Keys != "5" || in.Clip != 1 || played <= 0 || played > time.Since(start) {
			t.Fatalf("%+v, %v; it began %v ago", in, err, time.Since(start))
		}
		linetest.Until(time.Now(), 100*time.Millisecond) // for what still comes
		worst = max(worst, p.HeardOf(hz)-played)
	}
	t.Logf("at most %v were heard beyond the place that is told", worst)
	if worst > 5*linetest.Frame {
		t.Errorf("a prompt goes on %v after the key", worst)
	}
}

// TestInterrupt: a context that ends stops a prompt at once, and the line works on.
func TestInterrupt(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	for i := range 20 {
		hz := 300 + 140*float64(i) // one of its own, so that the end of another is not taken for it
		long := linetest.ToneClip(t, hz, 20*time.Second)
		ctx, cancel := context.WithCancel(c.ctx)
		start := time.Now()
		got := linetest.Later(c.Jobs, func() (ivr.Input, error) {
			return c.Gather(ctx, ivr.Gather{Play: []prompts.Clip{long}, Max: 1})
		})
		p.Hears(hz, p.Answered)
		at := time.Now()
		cancel()
		in, err := got()
		if !errors.Is(err, context.Canceled) || in.Why != ivr.Stopped || in.Clip != 0 || in.At <= 0 || in.At > time.Since(start)+time.Second {
			t.Fatalf("%+v, %v, %v after it began", in, err, time.Since(start))
		}
		if took := time.Since(at); took > 200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	}
	got := c.gather(ivr.Gather{Max: 3, First: 5 * time.Second})
	p.PressKeys("123")
	if in, err := got(); err != nil || in.Keys != "123" {
		t.Errorf("afterwards: %+v, %v", in, err)
	}
}

// TestNoBargeIn: keys are kept until the prompt is over, and the prompt is heard to its end.
func TestNoBargeIn(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	prompt := linetest.ToneClip(t, 440, 2*time.Second)
	got := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}, Max: 2, Ends: "#", NoBargeIn: true})
	p.Hears(440, p.Answered)
	p.PressKeys("1#")
	in, err := got()
	if err != nil || in.Keys != "1" || in.End != "#" || in.Clip != 1 {
		t.Errorf("%+v, %v", in, err)
	}
	heard := slices.DeleteFunc(p.Sounds(p.Answered), func(s linetest.Sound) bool { return s.Loud < 500 })
	if n := len(heard); n < 90 || n > 112 {
		t.Errorf("%d packets with sound, want 100", n)
	}
}

// TestMissingFile: a file that Asterisk cannot play is ErrLine, and the call goes on.
func TestMissingFile(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	there, missing := linetest.ToneClip(t, 440, 300*time.Millisecond), linetest.ToneClip(t, 880, 300*time.Millisecond)
	os.Remove(missing.File)
	for _, play := range [][]prompts.Clip{{missing}, {there, missing, there}} {
		if in, err := c.gather(ivr.Gather{Play: play})(); !errors.Is(err, ivr.ErrLine) || in.Why != ivr.LineFail || in.Clip != len(play)/2 {
			t.Errorf("%d clips, one missing: %+v, %v", len(play), in, err)
		}
	}
	after := linetest.ToneClip(t, 1200, 300*time.Millisecond)
	if in, err := c.gather(ivr.Gather{Play: []prompts.Clip{after}})(); err != nil || in.Why != ivr.Played {
		t.Errorf("afterwards: %+v, %v", in, err)
	}
	p.Hears(1200, p.Answered)
}

// TestRecord: a recording ends with any key that it is told. It holds what was said, and its ending key does not go into
// what comes next; a key behind that one does.
func TestRecord(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	prompt := linetest.ToneClip(t, 440, 300*time.Millisecond)
	for i, ends := range []string{"#", "*1", "2"} {
		hz := 1000 + 300*float64(i)
		tone := linetest.ToneClip(t, hz, 200*time.Millisecond)
		got := c.record(ivr.Record{Prompt: []prompts.Clip{prompt}, Tone: tone, Max: 10 * time.Second, Silence: 4 * time.Second, Ends: ends})
		began := p.Hears(hz, p.Answered).Add(tone.Duration)
		p.Say(600)
		linetest.Until(began, 2*time.Second)
		key := ends[len(ends)-1:]
		p.PressKeys("5" + key + "3")
		rec, err := got()
		if err != nil || rec.Why != ivr.EndKey || rec.Key != key {
			t.Fatalf("ends %q: %+v, %v", ends, rec, err)
		}
		if rec.Duration < 1500*time.Millisecond || rec.Duration > 2700*time.Millisecond {
			t.Errorf("ends %q: it lasts %v, want a little over 2 s", ends, rec.Duration)
		}
		if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
			t.Errorf("ends %q: 600 Hz were said, %v Hz are in the recording", ends, hz)
		}
		if in, err := c.gather(ivr.Gather{Max: 1, First: 2 * time.Second})(); err != nil || in.Keys != "3" {
			t.Errorf("ends %q: the next key is %+v, %v", ends, in, err)
		}
	}
	s.nothingLeft(t)
}

// nothingLeft looks that Asterisk's recordings were removed.
func (s *site) nothingLeft(t *testing.T) {
	t.Helper()
	if files, err := os.ReadDir(s.server.Recordings); err != nil || len(files) != 1 || files[0].Name() != silenceFile {
		t.Errorf("left with the recordings: %v, %v", files, err)
	}
}

// TestRecordEnds: by silence, whose length is in the file as Record says, and by the limit.
func TestRecordEnds(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	p.Say(600)
	rec, err := c.record(ivr.Record{Max: 2 * time.Second, Silence: 4 * time.Second, Ends: "#"})()
	if err != nil || rec.Why != ivr.Limit || rec.Duration < 1900*time.Millisecond || rec.Duration > 2200*time.Millisecond {
		t.Errorf("limit: %+v, %v", rec, err)
	}
	got := c.record(ivr.Record{Max: 20 * time.Second, Silence: 3 * time.Second, Ends: "#"})
	linetest.Until(time.Now(), time.Second)
	p.Say(0)
	rec, err = got()
	if err != nil || rec.Why != ivr.Silence || rec.Duration < 3900*time.Millisecond || rec.Duration > 4400*time.Millisecond {
		t.Errorf("silence: %+v, %v; want 1 s of sound and 3 s of silence", rec, err)
	}
	s.nothingLeft(t)
}

// TestRecordHangup: what was said before the hang-up is not lost.
func TestRecordHangup(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	tone := linetest.ToneClip(t, 1000, 200*time.Millisecond)
	got := c.record(ivr.Record{Tone: tone, Max: 10 * time.Second, Silence: 4 * time.Second, Ends: "#"})
	began := p.Hears(1000, p.Answered).Add(tone.Duration)
	p.Say(600)
	linetest.Until(began, 3*time.Second)
	p.HangUp()
	rec, err := got()
	if !errors.Is(err, ivr.ErrHangup) || rec.Why != ivr.HungUp || rec.File == "" {
		t.Fatalf("%+v, %v", rec, err)
	}
	if rec.Duration < 2850*time.Millisecond || rec.Duration > 3200*time.Millisecond {
		t.Errorf("it lasts %v, want 3 s", rec.Duration)
	}
	if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
		t.Errorf("%v Hz are in the recording", hz)
	}
	s.nothingLeft(t)
}

// TestRecordCannotWrite: a folder that Asterisk cannot write to is ErrLine, and the call goes on.
func TestRecordCannotWrite(t *testing.T) {
	s := open(t, nil)
	_, c := s.call(t)
	got := linetest.Later(c.Jobs, func() (ivr.Recorded, error) {
		s.server.Recordings = "/proc/nowhere"
		return c.Record(c.ctx, ivr.Record{Max: 2 * time.Second, Ends: "#"})
	})
	if rec, err := got(); !errors.Is(err, ivr.ErrLine) || rec.Why != ivr.LineFail || rec.File != "" {
		t.Errorf("%+v, %v", rec, err)
	}
	if in, err := c.gather(ivr.Gather{Max: 1, First: 100 * time.Millisecond})(); err != nil || in.Why != ivr.Timeout {
		t.Errorf("afterwards: %+v, %v", in, err)
	}
}

// TestHangup: a hang-up ends whatever the line does, and is noticed when it does nothing.
func TestHangup(t *testing.T) {
	s := open(t, nil)
	long := linetest.ToneClip(t, 440, 20*time.Second)
	gather := func(g ivr.Gather) func(*Line) error {
		return func(l *Line) error { _, err := l.Gather(l.ctx, g); return err }
	}
	record := func(r ivr.Record) func(*Line) error {
		return func(l *Line) error { _, err := l.Record(l.ctx, r); return err }
	}
	for name, do := range map[string]func(*Line) error{
		"nothing":   func(l *Line) error { <-l.ctx.Done(); return context.Cause(l.ctx) },
		"prompt":    gather(ivr.Gather{Play: []prompts.Clip{long}}),
		"keys":      gather(ivr.Gather{Max: 1, First: time.Minute}),
		"pause":     gather(ivr.Gather{Play: []prompts.Clip{{Pause: time.Minute}}}),
		"tone":      record(ivr.Record{Tone: long, Ends: "#"}),
		"invited":   record(ivr.Record{Prompt: []prompts.Clip{long}, Ends: "#"}),
		"recording": record(ivr.Record{Ends: "#"}),
	} {
		p, c := s.call(t)
		got := linetest.Later(c.Jobs, func() (int, error) {
			err := do(c.Line)
			if after := c.Answer(context.Background()); !errors.Is(after, ivr.ErrHangup) {
				t.Errorf("%s: Answer afterwards: %v", name, after)
			}
			return 0, err
		})
		linetest.Until(p.Answered, 500*time.Millisecond)
		at := time.Now()
		p.HangUp()
		if _, err := got(); !errors.Is(err, ivr.ErrHangup) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(at); took > time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		linetest.Eventually(t, "the end of the call", func() bool { return s.server.Calls() == 0 })
	}
}

// TestFailedCall: a call that Handle cannot serve hears the apology of the dialplan.
func TestFailedCall(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	c.End(errors.New("the dialogue broke"))
	p.HearsSpeech()
	p.HungUp()
}

// TestWrongNonce: no call comes of it, and the caller hears the apology.
func TestWrongNonce(t *testing.T) {
	for _, nonce := range []string{"", "nonce-of-somebody-else"} {
		s := &Server{Nonce: theNonce, Handle: func(context.Context, ivr.Line) error {
			t.Errorf("nonce %q was let in", nonce)
			return nil
		}}
		a := startAsterisk(t, run(t, s), nonce)
		p := linetest.Dial(t, a.SIPAddr, agiNumber, "12345")
		p.HearsSpeech()
		p.HungUp()
	}
}

// TestNonceVariable: the nonce may stand in a variable; the channel's goes before the global one.
func TestNonceVariable(t *testing.T) {
	s := &Server{Nonce: theNonce, Recordings: t.TempDir(), Handle: func(ctx context.Context, l ivr.Line) error {
		return errors.Join(l.Answer(ctx), l.Hangup(ctx))
	}}
	conf := "[globals]\nHARK_NONCE = " + theNonce + "\n[hark]\nexten = 7001,1,AGI(agi://" + run(t, s) + "/hark)\n same = n,Busy(1)\n" +
		"exten = 7002,1,Set(HARK_NONCE=nonce-of-somebody-else)\n same = n,Goto(7001,1)\n"
	a := testbed.AsteriskFor(t, testbed.AsteriskOptions{Files: map[string]string{"extensions_agi.conf": conf}})
	linetest.Dial(t, a.SIPAddr, "7001", "12345").HungUp()
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:7002@" + a.SIPAddr})
	var refused *sipphone.Refused
	if !errors.As(err, &refused) || refused.Code != 486 {
		t.Errorf("with a wrong nonce: %v, %v; want busy", call, err)
	}
}

// TestPacketsFlow: the caller gets packets while keys are awaited, while the dialogue thinks, and in a recording.
func TestPacketsFlow(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	wait := func() (int, error) { time.Sleep(2 * time.Second); return 0, nil } // as long as the dialogue thinks
	for name, do := range map[string]func(){
		"keys":     func() { c.gather(ivr.Gather{Max: 1, First: 2 * time.Second})() },
		"thinking": func() { linetest.Later(c.Jobs, wait)() },
		"record":   func() { c.record(ivr.Record{Max: 2 * time.Second})() },
	} {
		before := p.Stats().Packets
		do()
		if n := p.Stats().Packets - before; n < 80 {
			t.Errorf("%s: %d packets in 2 s, want about 100", name, n)
		}
	}
}

// TestAsteriskKilledInRecording: the call is over, and what Asterisk had written is kept.
func TestAsteriskKilledInRecording(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	tone := linetest.ToneClip(t, 1000, 200*time.Millisecond)
	got := c.record(ivr.Record{Tone: tone, Max: 20 * time.Second, Ends: "#"})
	began := p.Hears(1000, p.Answered).Add(tone.Duration)
	p.Say(600)
	linetest.Until(began, 6*time.Second)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	rec, err := got()
	if !errors.Is(err, ivr.ErrHangup) || rec.Why != ivr.HungUp || rec.Duration < 3*time.Second || rec.Duration > 7*time.Second {
		t.Fatalf("%+v, %v", rec, err)
	}
	if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
		t.Errorf("%v Hz are in the recording", hz)
	}
	t.Logf("of 6 s %v were on the disk", rec.Duration)
}
