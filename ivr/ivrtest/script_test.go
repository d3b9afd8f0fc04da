package ivrtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/internal/wav"
	"hark/ivr"
	"hark/prompts"
)

func TestParse(t *testing.T) {
	steps, err := Parse(strings.NewReader("# a story\n\ncall from 555\nhear Hello  there\npress 12#\nhang up\nmessage from ben: call me\n"))
	want := []Step{
		{3, "call", "from 555"}, {4, "hear", "Hello  there"}, {5, "press", "12#"}, {6, "hang up", ""},
		{7, "", "message from ben: call me"},
	}
	if err != nil || len(steps) != len(want) {
		t.Fatalf("%v %v", steps, err)
	}
	for i, s := range steps {
		if s != want[i] {
			t.Errorf("got %+v, want %+v", s, want[i])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{"hear", "press", "press 1x", "wait", "wait long", "say", "hang up now", "ended now", "never"} {
		if _, err := Parse(strings.NewReader(line)); err == nil {
			t.Errorf("%q is taken for a step", line)
		}
	}
}

// stage answers each call with what handle does.
type stage struct {
	t      *testing.T
	handle func(ctx context.Context, l *Line) error
	gone   chan error
}

func (s *stage) Ring(ctx context.Context, from string) (Phone, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	line := NewLine("call", from, s.t.TempDir())
	line.Hanger = func() { cancel(ivr.ErrHangup) }
	s.gone = make(chan error, 1)
	go func() { s.gone <- s.handle(ctx, line) }()
	return line, nil
}

func (s *stage) Gone(context.Context) error { return <-s.gone }

func (s *stage) Do(_ context.Context, line string) error { return errors.New("what is " + line) }

// greet says hello, takes a key, and says which.
func greet(ctx context.Context, l *Line) error {
	in, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{{Text: "Hello", Duration: 2 * time.Second}}, Max: 1, First: time.Second})
	if err == nil {
		_, err = l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{{Text: "You pressed " + in.Keys, Duration: time.Second}}})
	}
	if err == nil {
		err = l.Hangup(ctx)
	}
	if errors.Is(err, ivr.ErrHangup) {
		return nil
	}
	return err
}

func TestPlay(t *testing.T) {
	for script, want := range map[string]string{
		"call\nhear Hello\npress 1\nhear You pressed 1\nended": "",
		"call\nlisten Hello\nhear You pressed\nended":          "",
		"call\npress 7\nhear pressed 7\nended":                 "",
		"call\nhear Hello\nhang up\ncall\nhear Hello":          "",
		"call\nhear Goodbye":                                   "line 2: hear Goodbye: not heard before the call ended",
		"call\nhear Hello\npress 1\nlisten Hello":              "line 4: listen Hello: not heard",
		"call\nhear You pressed\nhear Hello":                   "line 3: hear Hello: not heard",
		"call\nhear Hello\nnever pressed 1\npress 1\nended":    "never pressed 1: heard",
		"hear Hello":        "line 1: hear Hello: nobody has called",
		"call\nsay 2s":      "line 2: say 2s: nothing is recorded",
		"call\nbake a cake": "what is bake a cake",
		"call\nhear Hello\nwait 100ms\npress 1\nhear You pressed": "",
	} {
		synctest.Test(t, func(t *testing.T) {
			steps, err := Parse(strings.NewReader(script))
			if err != nil {
				t.Fatal(err)
			}
			err = Play(t.Context(), steps, &stage{t: t, handle: greet})
			switch {
			case want == "" && err != nil:
				t.Errorf("%q: %v", script, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%q: %v, not %q", script, err, want)
			}
		})
	}
}

func TestRecordWritesWhatWasSaid(t *testing.T) {
	said := t.TempDir() + "/said.wav"
	if err := wav.Write(said, wav.Sound{Rate: rate, Samples: []int16{9: 77, 2*rate - 1: 0}}); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		record := func(ctx context.Context, l *Line) error {
			r, err := l.Record(ctx, ivr.Record{Max: time.Minute, Silence: 3 * time.Second, Ends: "#"})
			sound, rerr := wav.Read(r.File)
			if r.Why != ivr.Silence || sound.Duration() != 5*time.Second || sound.Samples[9] != 77 {
				t.Errorf("%+v, %s of sound", r, sound.Duration())
			}
			return errors.Join(err, rerr, os.Remove(r.File), l.Hangup(ctx))
		}
		steps := []Step{{Verb: "call"}, {Verb: "say", Arg: said}, {Verb: "ended"}}
		if err := Play(t.Context(), steps, &stage{t: t, handle: record}); err != nil {
			t.Error(err)
		}
	})
}
