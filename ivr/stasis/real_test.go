package stasis

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/internal/testbed"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

// TestMain looks that no test leaves a goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A site is a real Asterisk with an App on it, whose calls are given to the test.
type site struct {
	*testbed.Asterisk
	app   *App
	calls chan *call
	run   chan error // what Run returned
	stop  context.CancelFunc
}

// A call is one in progress, at Handle: the test sends it what it shall do, and in the end what it shall return.
type call struct {
	*Line
	linetest.Jobs
}

// open starts both. change, if not nil, changes the App before it runs.
func open(t *testing.T, change func(*App)) *site {
	t.Helper()
	return openOn(t, testbed.AsteriskOptions{}, change)
}

func openOn(t *testing.T, o testbed.AsteriskOptions, change func(*App)) *site {
	t.Helper()
	s := &site{
		Asterisk: testbed.AsteriskFor(t, o),
		calls:    make(chan *call),
	}
	s.app = &App{
		URL: s.ARIURL, User: s.ARIUser, Password: s.ARIPassword, TempDir: t.TempDir(), Drain: -1,
		Log: slog.New(slog.NewTextHandler(logTo{t}, nil)),
	}
	s.app.Handle = s.handle
	if change != nil {
		change(s.app)
	}
	s.start(t)
	return s
}

// start runs the App until the test ends, or until close.
func (s *site) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	app, run := s.app, make(chan error, 1)
	s.run, s.stop = run, cancel
	go func() { run <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-run:
		case <-time.After(20 * time.Second):
			t.Error("Run does not return")
		}
	})
	s.connected(t)
}

func (s *site) connected(t *testing.T) {
	t.Helper()
	linetest.Eventually(t, "a connection to ARI", s.app.Connected)
}

// ended waits for the end of a Run, and leaves what it returned to the test's own end too.
func ended(run chan error) error {
	err := <-run
	run <- err
	return err
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
	p := linetest.Dial(t, s.SIPAddr, s.Number, "12345")
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

// TestLogin is a login: a number that ends with #, and a PIN of known length, typed ahead in part.
func TestLogin(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	if c.Called() != "7000" || c.Adopted() || c.ID() == "" {
		t.Errorf("the line is %q called at %q, adopted %v", c.ID(), c.Called(), c.Adopted())
	}
	prompt, second := linetest.ToneClip(t, 440, 3*time.Second), linetest.ToneClip(t, 880, 2*time.Second)
	got := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}, Max: 9, Ends: "#", First: 5 * time.Second})
	p.Hears(440, p.Answered)
	p.PressKeys("7000123#12")
	in, err := got()
	if err != nil || in.Keys != "7000123" || in.End != "#" || in.Why != ivr.EndKey || in.Clip != 0 || in.At <= 0 || in.At >= prompt.Duration {
		t.Errorf("the number: %+v, %v", in, err)
	}
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

// TestTrail keys a number of full length and then the hash that the prompt asked for, as people do: the hash belongs to
// the number, and does not interrupt the prompt that follows.
func TestTrail(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	number := ivr.Gather{Max: 3, Ends: "#*", First: 5 * time.Second, Trail: 700 * time.Millisecond}
	pin := ivr.Gather{Play: []prompts.Clip{linetest.ToneClip(t, 880, time.Second)}, Max: 2, First: 5 * time.Second}
	got := c.gather(number)
	p.PressKeys("123#")
	if in, err := got(); err != nil || in.Keys != "123" || in.End != "#" || in.Why != ivr.EndKey {
		t.Errorf("with a hash: %+v, %v", in, err)
	}
	got = c.gather(pin)
	at := p.Hears(880, p.Answered)
	linetest.Until(at, pin.Play[0].Duration)
	p.PressKeys("45")
	if in, err := got(); err != nil || in.Keys != "45" || in.Clip != 1 {
		t.Errorf("the hash reached the next prompt: %+v, %v", in, err)
	}
	began := time.Now()
	got = c.gather(number)
	p.PressKeys("123")
	if in, err := got(); err != nil || in.Keys != "123" || in.End != "" || in.Why != ivr.Full || time.Since(began) < number.Trail {
		t.Errorf("without a hash: %+v, %v after %s", in, err, time.Since(began))
	}
	got = c.gather(number)
	p.PressKeys("12345")
	if in, err := got(); err != nil || in.Keys != "123" || in.Why != ivr.Full {
		t.Errorf("typed ahead: %+v, %v", in, err)
	}
	got = c.gather(pin)
	if in, err := got(); err != nil || in.Keys != "45" || in.Clip != 0 {
		t.Errorf("the keys behind are lost: %+v, %v", in, err)
	}
	c.End(nil)
	p.HungUp()
}

// TestPlaying: clips follow each other without a gap, pauses are kept, an offset is skipped, and the place is known.
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
	if took := p.Hears(1200, first).Sub(first); took < 1160*time.Millisecond || took > 1300*time.Millisecond {
		t.Errorf("the third clip began after %v, want 1.2 s", took)
	}
	heard := slices.DeleteFunc(p.Sounds(p.Answered), func(s linetest.Sound) bool { return s.Loud < 500 })
	if n := len(heard); n < 85 || n > 95 {
		t.Errorf("%d packets with sound, want 90", n)
	}
	stats := p.Stats()
	t.Logf("the first sound %v after the answer, the largest gap %v", stats.FirstRTP, stats.LargestGap)
	if stats.LargestGap > 200*time.Millisecond { // of a machine that does much else
		t.Errorf("the largest gap in the sound is %v", stats.LargestGap)
	}

	low.Pause = 500 * time.Millisecond
	before := time.Now().Add(3 * linetest.Frame) // behind the last linetest.Frame of the third clip
	in, err = c.gather(ivr.Gather{Play: []prompts.Clip{{Pause: 200 * time.Millisecond}, low, high}, Max: 1})()
	if err != nil || in.Why != ivr.Timeout || in.Clip != 3 {
		t.Errorf("played with pauses: %+v, %v", in, err)
	}
	if took := p.Hears(880, before).Sub(p.Hears(440, before)); took < 1050*time.Millisecond || took > 1250*time.Millisecond {
		t.Errorf("the clip behind the pause began after %v, want 1.1 s", took)
	}
}

// TestBargeIn measures how soon a key stops a prompt.
func TestBargeIn(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	first, second := linetest.ToneClip(t, 440, 500*time.Millisecond), linetest.ToneClip(t, 880, 10*time.Second)
	var worst time.Duration
	for range 5 {
		got := c.gather(ivr.Gather{Play: []prompts.Clip{first, second}, Max: 1})
		began := p.Hears(880, time.Now())
		p.PressKeys("5")
		in, err := got()
		returned := time.Now()
		if err != nil || in.Keys != "5" || in.Clip != 1 || in.At <= 0 || in.At > returned.Sub(began)+50*time.Millisecond {
			t.Fatalf("%+v, %v; the second clip began %v ago", in, err, returned.Sub(began))
		}
		linetest.Until(returned, 100*time.Millisecond) // whatever still comes is late
		for _, s := range p.Sounds(returned) {
			if s.Loud > 500 {
				worst = max(worst, s.At.Sub(returned))
			}
		}
	}
	t.Logf("the last sound came at most %v after the key was taken", worst)
	if worst > 5*linetest.Frame {
		t.Errorf("a prompt goes on %v after the key", worst)
	}
}

// TestNoBargeIn: keys are kept until the prompt is over.
func TestNoBargeIn(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	prompt := linetest.ToneClip(t, 440, time.Second)
	got := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}, Max: 2, Ends: "#", NoBargeIn: true})
	began := p.Hears(440, p.Answered)
	p.PressKeys("1#")
	in, err := got()
	if err != nil || in.Keys != "1" || in.End != "#" || in.Clip != 1 || time.Since(began) < 900*time.Millisecond {
		t.Errorf("%+v, %v after %v", in, err, time.Since(began))
	}
	if in, err := c.gather(ivr.Gather{Play: []prompts.Clip{prompt}})(); err != nil || in.Why != ivr.Played {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestSilence: packets flow while keys are awaited and while a recording is made, whatever Asterisk's own setting.
func TestSilence(t *testing.T) {
	conf, err := os.ReadFile("../../asterisk-conf/asterisk.conf")
	if err != nil {
		t.Fatal(err)
	}
	off := strings.ReplaceAll(string(conf), "transmit_silence = yes", "transmit_silence = no")
	s := openOn(t, testbed.AsteriskOptions{Files: map[string]string{"asterisk.conf": off}}, nil)
	p, c := s.call(t)
	before := p.Stats().Packets
	if in, err := c.gather(ivr.Gather{Max: 1, First: 2 * time.Second})(); err != nil || in.Why != ivr.Timeout {
		t.Errorf("%+v, %v", in, err)
	}
	if n := p.Stats().Packets - before; n < 60 {
		t.Errorf("%d packets in 2 s of waiting, want about 75", n)
	}
	before = p.Stats().Packets
	if rec, err := c.record(ivr.Record{Tone: linetest.ToneClip(t, 1000, 100*time.Millisecond), Max: 2 * time.Second})(); err != nil || rec.Why != ivr.Limit {
		t.Errorf("%+v, %v", rec, err)
	}
	if n := p.Stats().Packets - before; n < 80 {
		t.Errorf("%d packets in 2 s of recording, want about 100", n)
	}
}

// TestMissingFile: a file that Asterisk cannot play is ErrLine, alone and in a list, and the call goes on.
func TestMissingFile(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	there, missing := linetest.ToneClip(t, 440, 300*time.Millisecond), linetest.ToneClip(t, 880, 300*time.Millisecond)
	os.Remove(missing.File)
	for _, play := range [][]prompts.Clip{{missing}, {there, missing, there}, {missing, there}, {there, missing}} {
		if in, err := c.gather(ivr.Gather{Play: play})(); !errors.Is(err, ivr.ErrLine) || in.Why != ivr.LineFail {
			t.Errorf("%d clips, one missing: %+v, %v", len(play), in, err)
		}
	}
	before := time.Now()
	if in, err := c.gather(ivr.Gather{Play: []prompts.Clip{there}})(); err != nil || in.Why != ivr.Played {
		t.Errorf("afterwards: %+v, %v", in, err)
	}
	p.Hears(440, before)
}

// TestRecord: a recording ends with a key, which Asterisk watches or we, with silence, and with its limit. It holds what
// was said, and its ending key does not go into what comes next; a key behind that one does.
func TestRecord(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	tone := linetest.ToneClip(t, 1000, 200*time.Millisecond)
	prompt := linetest.ToneClip(t, 440, 300*time.Millisecond)
	for _, ends := range []string{"#", "*1", "2"} {
		before := time.Now()
		got := c.record(ivr.Record{Prompt: []prompts.Clip{prompt}, Tone: tone, Max: 10 * time.Second, Silence: 4 * time.Second, Ends: ends})
		began := p.Hears(1000, before).Add(tone.Duration)
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
		os.Remove(rec.File)
		if in, err := c.gather(ivr.Gather{Max: 1, First: 2 * time.Second})(); err != nil || in.Keys != "3" {
			t.Errorf("ends %q: the next key is %+v, %v", ends, in, err)
		}
	}
	if names, err := s.stored(); err != nil || len(names) > 0 {
		t.Errorf("recordings left at Asterisk: %q, %v", names, err)
	}
}

// stored are the files in Asterisk's recording folder.
func (s *site) stored() (names []string, err error) {
	entries, err := os.ReadDir(s.SpoolDir + "/recording")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// TestRecordEnds: by silence, and by the limit.
func TestRecordEnds(t *testing.T) {
	s := open(t, nil)
	p, c := s.call(t)
	p.Say(600)
	rec, err := c.record(ivr.Record{Max: 2 * time.Second, Silence: 4 * time.Second, Ends: "#"})()
	if err != nil || rec.Why != ivr.Limit || rec.Duration < 1900*time.Millisecond || rec.Duration > 3200*time.Millisecond {
		t.Errorf("limit: %+v, %v", rec, err)
	}
	p.Say(0)
	rec, err = c.record(ivr.Record{Max: 20 * time.Second, Silence: time.Second, Ends: "#"})()
	if err != nil || rec.Why != ivr.Silence {
		t.Errorf("silence: %+v, %v", rec, err)
	}
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
	if rec.Duration < 2900*time.Millisecond || rec.Duration > 3200*time.Millisecond {
		t.Errorf("it lasts %v, want 3 s", rec.Duration)
	}
	if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
		t.Errorf("%v Hz are in the recording", hz)
	}
}

// TestHangup: a hang-up ends whatever the line does.
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
		"prompt":    gather(ivr.Gather{Play: []prompts.Clip{long}}),
		"keys":      gather(ivr.Gather{Max: 1, First: time.Minute}),
		"pause":     gather(ivr.Gather{Play: []prompts.Clip{{Pause: time.Minute}}}),
		"tone":      record(ivr.Record{Tone: long, Ends: "#"}),
		"invited":   record(ivr.Record{Prompt: []prompts.Clip{long}, Ends: "#"}),
		"recording": record(ivr.Record{Ends: "#"}),
	} {
		p, c := s.call(t)
		got := linetest.Later(c.Jobs, func() (int, error) { return 0, do(c.Line) })
		linetest.Until(p.Answered, 500*time.Millisecond)
		at := time.Now()
		p.HangUp()
		if _, err := got(); !errors.Is(err, ivr.ErrHangup) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(at); took > time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
		if err := c.Answer(context.Background()); !errors.Is(err, ivr.ErrHangup) {
			t.Errorf("%s: Answer afterwards: %v", name, err)
		}
		linetest.Eventually(t, "the end of the call", func() bool { return s.app.Calls() == 0 })
	}
}
