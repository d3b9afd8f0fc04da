package ivrtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
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

// A Phone is the caller's end of one call: a *Line, or a real telephone.
type Phone interface {
	// Press presses keys in one breath.
	Press(keys string)
	// Hear waits until something whose words contain the text is heard, behind what was found last: its beginning, or all
	// of it.
	Hear(ctx context.Context, text string, out bool) error
	// Say speaks once a recording has begun, and returns when all is said: for so long ("5s"), or a WAV file.
	Say(ctx context.Context, what string) error
	// Ended waits until the other end has hung up.
	Ended(ctx context.Context) error
	// Over tells that the other end has hung up.
	Over() bool
	// Hang hangs up.
	Hang()
	// Heard looks through the whole call for words that contain the text, and returns them.
	Heard(text string) (words string, yes bool)
	// String is the transcript of the call.
	String() string
}

// A Stage is where a conversation is played.
type Stage interface {
	// Ring begins a call. It returns when the telephone rings at Hark.
	Ring(ctx context.Context, from string) (Phone, error)
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
	line.found = 0
	p := &player{phone: line, calls: []Phone{line}}
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
	phone Phone   // the call at hand
	calls []Phone // all calls
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
	if p.phone == nil {
		return errors.New("nobody has called")
	}
	switch s.Verb {
	case "press":
		p.phone.Press(s.Arg)
	case "hear", "listen":
		return p.phone.Hear(ctx, s.Arg, s.Verb == "listen")
	case "say":
		return p.phone.Say(ctx, s.Arg)
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
	phone, err := p.stage.Ring(ctx, from)
	if err != nil {
		return err
	}
	p.phone = phone
	p.calls = append(p.calls, phone)
	return nil
}

// ended waits until Hark ends the call.
func (p *player) ended(ctx context.Context) error {
	if err := p.phone.Ended(ctx); err != nil {
		return err
	}
	p.phone = nil
	return p.stage.Gone(ctx)
}

// gone hangs up, if there is a call, and waits until Hark has let go of it.
func (p *player) gone(ctx context.Context) error {
	if p.phone == nil {
		return nil
	}
	if !p.phone.Over() {
		p.phone.Hang()
	}
	p.phone = nil
	return p.stage.Gone(ctx)
}

// checkNever looks for what must not have been heard.
func (p *player) checkNever() error {
	for _, phone := range p.calls {
		for _, text := range p.never {
			if words, yes := phone.Heard(text); yes {
				return fmt.Errorf("never %s: heard %q\n%s", text, words, p)
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
