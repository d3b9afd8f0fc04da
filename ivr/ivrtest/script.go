package ivrtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hark/internal/wav"
)

// A Step is one line of a conversation.
type Step struct {
	Line int    // in the file, from 1
	Verb string // "hear", "press", …; "" for a line that is for the world
	Arg  string // the rest of the line, or the whole line for the world
}

// verbs are the steps of the telephone itself; longer ones first.
var verbs = []string{"hang up", "hear", "listen", "press", "say", "wait", "ended", "call", "never"}

// Parse reads a conversation. It fails on a step without what it needs.
func Parse(r io.Reader) ([]Step, error) {
	var steps []Step
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		step := parse(line)
		step.Line = n
		if err := step.check(); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, lines.Err()
}

func parse(line string) Step {
	for _, verb := range verbs {
		if rest, ok := strings.CutPrefix(line, verb); ok && (rest == "" || rest[0] == ' ') {
			return Step{Verb: verb, Arg: strings.TrimSpace(rest)}
		}
	}
	return Step{Arg: line}
}

// check tells what is wrong with a step.
func (s Step) check() error {
	switch s.Verb {
	case "hear", "listen", "never", "press", "say", "wait":
		if s.Arg == "" {
			return fmt.Errorf("line %d: %s needs something", s.Line, s.Verb)
		}
	case "hang up", "ended":
		if s.Arg != "" {
			return fmt.Errorf("line %d: %s needs nothing, not %q", s.Line, s.Verb, s.Arg)
		}
	}
	if s.Verb == "press" && strings.Trim(s.Arg, "0123456789*#ABCD") != "" {
		return fmt.Errorf("line %d: %q are not keys", s.Line, s.Arg)
	}
	if s.Verb == "wait" {
		if _, err := time.ParseDuration(s.Arg); err != nil {
			return fmt.Errorf("line %d: %w", s.Line, err)
		}
	}
	return nil
}

// A Stage is where a conversation is played.
type Stage interface {
	// Dial begins a call. It returns when the telephone rings at Hark.
	Dial(ctx context.Context, from string) (*Line, error)
	// Gone waits until Hark has let go of the last call.
	Gone(ctx context.Context) error
	// Do does what a line for the world says.
	Do(ctx context.Context, line string) error
}

// Patience is how long a conversation waits for what it expects to hear.
const Patience = 90 * time.Second

// Play plays a conversation to its end and hangs up. An error names the line of the step that failed, and holds the
// transcript of the call.
func Play(ctx context.Context, steps []Step, stage Stage) error {
	p := &player{stage: stage}
	for _, s := range steps {
		if err := p.step(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("line %d: %s %s: %w\n%s", s.Line, s.Verb, s.Arg, err, p), p.gone(ctx))
		}
	}
	if err := p.gone(ctx); err != nil {
		return err
	}
	return p.checkNever()
}

// Follow plays steps of the telephone on a call that is under way, from what was heard first in it, and does not hang up.
func Follow(ctx context.Context, steps []Step, line *Line) error {
	p := &player{line: line, calls: []*Line{line}}
	for _, s := range steps {
		if err := p.step(ctx, s); err != nil {
			return fmt.Errorf("%s %s: %w", s.Verb, s.Arg, err)
		}
	}
	return nil
}

// A player plays one conversation.
type player struct {
	stage Stage
	line  *Line   // the call at hand
	from  int     // where in its transcript hear looks on
	calls []*Line // all calls
	never []string
}

// String is the transcript of all calls.
func (p *player) String() string {
	var b strings.Builder
	for i, l := range p.calls {
		fmt.Fprintf(&b, "call %d\n%s", i+1, l)
	}
	return b.String()
}

func (p *player) step(ctx context.Context, s Step) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	switch s.Verb {
	case "":
		return p.stage.Do(ctx, s.Arg)
	case "never":
		p.never = append(p.never, s.Arg)
		return nil
	case "wait":
		d, _ := time.ParseDuration(s.Arg)
		return sleep(ctx, d)
	case "call":
		return p.dial(ctx, strings.TrimSpace(strings.TrimPrefix(s.Arg, "from")))
	}
	if p.line == nil {
		return errors.New("nobody has called")
	}
	switch s.Verb {
	case "press":
		p.line.Press(s.Arg)
	case "hear", "listen":
		return p.hear(ctx, s.Arg, s.Verb == "listen")
	case "say":
		return p.say(ctx, s.Arg)
	case "ended":
		return p.ended(ctx)
	case "hang up":
		return p.gone(ctx)
	}
	return nil
}

// dial begins a call, after the one before.
func (p *player) dial(ctx context.Context, from string) error {
	if err := p.gone(ctx); err != nil {
		return err
	}
	line, err := p.stage.Dial(ctx, from)
	if err != nil {
		return err
	}
	p.line, p.from = line, 0
	p.calls = append(p.calls, line)
	return nil
}

// hear waits until something is heard, or was heard out.
func (p *player) hear(ctx context.Context, text string, out bool) error {
	for {
		list, changed := p.line.Transcript()
		for i := p.from; i < len(list); i++ {
			if h := list[i]; !h.Event && strings.Contains(h.Text, text) && (h.Out || !out) {
				p.from = i + 1
				return nil
			}
		}
		if p.line.Over() {
			return errors.New("not heard before the call ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("not heard")
		}
	}
}

// say speaks once a recording has begun, and returns when all is said.
func (p *player) say(ctx context.Context, what string) error {
	d, samples, err := speech(what)
	if err != nil {
		return err
	}
	for {
		on, changed := p.line.Recording()
		if on {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("nothing is recorded")
		}
	}
	p.line.Talk(d, samples)
	return sleep(context.WithoutCancel(ctx), d)
}

// speech is what is said: silence of a length, or a WAV file.
func speech(what string) (time.Duration, []int16, error) {
	if d, err := time.ParseDuration(what); err == nil {
		return d, nil, nil
	}
	sound, err := wav.Read(what)
	if err == nil && sound.Rate != rate {
		err = fmt.Errorf("%s has %d Hz, not %d", what, sound.Rate, rate)
	}
	return time.Duration(len(sound.Samples)) * time.Second / rate, sound.Samples, err
}

// ended waits until Hark ends the call.
func (p *player) ended(ctx context.Context) error {
	for {
		_, changed := p.line.Transcript()
		if p.line.Over() {
			p.line = nil
			return p.stage.Gone(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("the call goes on")
		}
	}
}

// gone hangs up, if there is a call, and waits until Hark has let go of it.
func (p *player) gone(ctx context.Context) error {
	if p.line == nil {
		return nil
	}
	if !p.line.Over() {
		p.line.Hang()
	}
	p.line = nil
	return p.stage.Gone(ctx)
}

// checkNever looks for what must not have been heard.
func (p *player) checkNever() error {
	for _, l := range p.calls {
		list, _ := l.Transcript()
		for _, h := range list {
			for _, text := range p.never {
				if !h.Event && strings.Contains(h.Text, text) {
					return fmt.Errorf("never %s: heard %q\n%s", text, h.Text, p)
				}
			}
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
