package ivr_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/ivr/ivrtest"
)

// TestEveryStateByEar brings a caller into each state, who then presses nothing, 0 or 9, and does nothing more. 0 helps and 9
// ends the call wherever there are keys to choose from, and without any Hark speaks up and ends the call by itself.
func TestEveryStateByEar(t *testing.T) {
	visits := visitsOf(t)
	for _, state := range ivr.States() {
		if len(visits[state]) == 0 {
			t.Errorf("no conversation visits %s", state)
			continue
		}
		v := visits[state][0]
		for _, key := range []string{"", "0", "9"} {
			synctest.Test(t, func(t *testing.T) {
				s := &freezing{world: newWorld(t), state: state, key: key}
				s.server.SetTrace(s.enter)
				_ = ivrtest.Play(t.Context(), v.steps, s) // it fails where the caller froze, which is meant
				if err := s.check(); err != nil {
					t.Errorf("%s in %s, key %q: %v\n%s", v.file, state, key, err, s.line)
				}
			})
		}
	}
}

// freezing is a stage on which the caller does nothing more once a state is entered, but press one key in its first prompt.
type freezing struct {
	*world
	state, key string
	frozen     atomic.Bool
	then       []string // the states that came behind
}

func (s *freezing) enter(_ ivr.Line, at string) {
	if s.frozen.Load() {
		s.then = append(s.then, at)
		return
	}
	if at != s.state {
		return
	}
	s.frozen.Store(true)
	s.line.Flush() // what was typed ahead
	if s.key != "" {
		time.AfterFunc(500*time.Millisecond, func() { s.line.Press(s.key) })
	}
}

// check looks at how the call went on.
func (s *freezing) check() error {
	heard, _ := s.line.Transcript()
	if !s.line.Over() {
		return errors.New("the call does not end")
	}
	help, chooses := ivr.Help(s.state)
	switch {
	case s.key == "9" && chooses && (len(s.then) == 0 || s.then[0] != "end"):
		return fmt.Errorf("9 leads to %v", s.then)
	case s.key == "0" && chooses && answerTo("0", heard) != help:
		return fmt.Errorf("0 is answered by %q", answerTo("0", heard))
	case !slices.ContainsFunc(heard, func(h ivrtest.Heard) bool { return slices.Contains(lastWords, h.ID) }):
		return errors.New("there is no last word")
	}
	return nil
}

// answerTo is the prompt that was heard first after a key was pressed for the last time.
func answerTo(key string, heard []ivrtest.Heard) (id string) {
	pressed := false
	for _, h := range heard {
		switch {
		case h.Event && h.Text == "pressed "+key:
			pressed = true
		case !h.Event && pressed:
			id, pressed = h.ID, false
		}
	}
	return id
}

// lastWords are the prompts that end with a goodbye.
var lastWords = strings.Fields("end.goodbye login.goodbye login.bye lost")

// Ring and Do make it a Stage.
func (s *freezing) Ring(ctx context.Context, from string) (ivrtest.Phone, error) {
	if s.frozen.Load() {
		return nil, errors.New("the caller is frozen")
	}
	line, err := s.Dial(ctx, from)
	return still{line, s}, err
}

func (s *freezing) Do(ctx context.Context, line string) error {
	if s.frozen.Load() {
		return nil
	}
	return s.world.Do(ctx, line)
}

func (s *freezing) Gone(ctx context.Context) error { return s.world.Gone(context.WithoutCancel(ctx)) }

// still is the telephone of such a caller.
type still struct {
	*ivrtest.Line
	stage *freezing
}

func (p still) Press(keys string) {
	if !p.stage.frozen.Load() {
		p.Line.Press(keys)
	}
}

func (p still) Hang() {
	if !p.stage.frozen.Load() {
		p.Line.Hang()
	}
}

func (p still) Say(ctx context.Context, what string) error {
	if p.stage.frozen.Load() {
		return nil
	}
	return p.Line.Say(ctx, what)
}
