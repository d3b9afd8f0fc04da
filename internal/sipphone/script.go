package sipphone

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// stepTime is how long "hear" and "expect-hangup" wait, unless the script says "timeout".
const stepTime = 15 * time.Second

// A step is one line of a script.
type step struct {
	line int
	verb string
	rest string
}

// StepError tells which step of a script failed.
type StepError struct {
	Line int
	Step string
	Err  error
	// Instead is the text or file of the script that fits best what was heard instead, or "" when none does.
	Instead string
	Score   float64 // of Instead
}

// Error tells line, step and cause.
func (e *StepError) Error() string {
	s := fmt.Sprintf("line %d: %s: %v", e.Line, e.Step, e.Err)
	if e.Instead != "" {
		s += fmt.Sprintf("; heard instead: %q (%.2f)", e.Instead, e.Score)
	}
	return s
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// Run runs a script of steps on a call, one in each line; empty lines and lines that begin with # are skipped:
//
//	hear TEXT         wait until the text is heard, as the speaker renders it (its first second and a half)
//	hear-all TEXT     the same, to the end of the text
//	hear-file FILE    wait until a sound file is heard
//	press KEYS        send keys; a comma is half a second
//	speak FILE        play a sound file into the call
//	tone HZ TIME      play a tone into the call
//	wait TIME         let time pass
//	timeout TIME      how long the steps after this one wait to hear
//	hangup            hang up
//	expect-hangup     wait until the other side hangs up
//
// speaker renders a text to an 8 kHz WAV file. What happens is written to out with the time since the start; keys are
// not. An error is a *StepError, or about the script itself.
func Run(ctx context.Context, call *Call, script io.Reader, speaker func(text string) (wavPath string, err error), out io.Writer) error {
	steps, err := parseScript(script)
	if err != nil {
		return err
	}
	r := &runner{call: call, speaker: speaker, out: out, steps: steps, limit: stepTime, start: time.Now()}
	for _, s := range steps {
		if err := r.run(ctx, s); err != nil {
			r.tell("failed: %s: %v", s, err)
			return r.explain(s, err)
		}
	}
	return nil
}

// parseScript reads the steps and refuses what no step is.
func parseScript(script io.Reader) ([]step, error) {
	var steps []step
	lines := bufio.NewScanner(script)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		verb, rest, _ := strings.Cut(text, " ")
		s := step{line: n, verb: verb, rest: strings.TrimSpace(rest)}
		v, ok := verbs[verb]
		if !ok {
			return nil, &StepError{Line: n, Step: verb, Err: errors.New("there is no such step")}
		}
		if v.bare != (s.rest == "") {
			return nil, &StepError{Line: n, Step: verb, Err: errors.New(v.usage())}
		}
		steps = append(steps, s)
	}
	return steps, lines.Err()
}

// A verb is a kind of step.
type verb struct {
	do   func(*runner, context.Context, step) error
	bare bool // takes nothing
}

func (v verb) usage() string {
	if v.bare {
		return "nothing may follow"
	}
	return "something must follow"
}

var verbs = map[string]verb{
	"hear":          {do: (*runner).hear},
	"hear-all":      {do: (*runner).hear},
	"hear-file":     {do: (*runner).hear},
	"press":         {do: (*runner).press},
	"speak":         {do: (*runner).speak},
	"tone":          {do: (*runner).tone},
	"wait":          {do: (*runner).wait},
	"timeout":       {do: (*runner).timeout},
	"hangup":        {do: (*runner).hangup, bare: true},
	"expect-hangup": {do: (*runner).expectHangup, bare: true},
}

// String is the step as it is shown. What is pressed may be a PIN: it is not shown.
func (s step) String() string {
	if s.verb == "press" {
		return fmt.Sprintf("press (%d keys)", len(s.rest))
	}
	return strings.TrimSpace(s.verb + " " + s.rest)
}

// runner is one run of a script.
type runner struct {
	call    *Call
	speaker func(string) (string, error)
	out     io.Writer
	steps   []step
	limit   time.Duration
	start   time.Time
}

func (r *runner) run(ctx context.Context, s step) error { return verbs[s.verb].do(r, ctx, s) }

// tell writes one line with the time since the start.
func (r *runner) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, "%7.2fs  %s\n", time.Since(r.start).Seconds(), fmt.Sprintf(format, args...))
}

// clip is the sound file that a hearing step waits for.
func (r *runner) clip(s step) (string, error) {
	if s.verb == "hear-file" {
		return s.rest, nil
	}
	if r.speaker == nil {
		return "", errors.New("there is no speaker to render the text")
	}
	return r.speaker(s.rest)
}

func (r *runner) hear(ctx context.Context, s step) error {
	file, err := r.clip(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("within %v", r.limit))
	defer cancel()
	wait := r.call.WaitHear
	if s.verb == "hear-all" {
		wait = r.call.WaitHearAll
	}
	at, score, err := wait(ctx, file)
	if err != nil {
		return err
	}
	r.tell("heard %q at %.2fs (%.2f)", s.rest, at.Seconds(), score)
	return nil
}

func (r *runner) press(ctx context.Context, s step) error {
	r.tell("%s", s)
	return r.call.Press(ctx, s.rest)
}

func (r *runner) speak(ctx context.Context, s step) error {
	r.tell("%s", s)
	return r.call.Speak(ctx, s.rest)
}

func (r *runner) tone(ctx context.Context, s step) error {
	first, second, _ := strings.Cut(s.rest, " ")
	hz, err := strconv.ParseFloat(first, 64)
	if err != nil || hz <= 0 || hz >= Rate/2 {
		return fmt.Errorf("%q is not a frequency", first)
	}
	d, err := time.ParseDuration(strings.TrimSpace(second))
	if err != nil {
		return err
	}
	r.tell("%s", s)
	return r.call.SpeakPCM(ctx, Tone(hz, d))
}

func (r *runner) wait(ctx context.Context, s step) error {
	d, err := time.ParseDuration(s.rest)
	if err != nil {
		return err
	}
	r.tell("%s", s)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.call.Done():
		return r.call.Err()
	}
}

func (r *runner) timeout(_ context.Context, s step) (err error) {
	r.limit, err = time.ParseDuration(s.rest)
	return err
}

func (r *runner) hangup(ctx context.Context, s step) error {
	r.tell("%s", s)
	return r.call.Hangup(ctx)
}

func (r *runner) expectHangup(ctx context.Context, _ step) error {
	timer := time.NewTimer(r.limit)
	defer timer.Stop()
	select {
	case <-r.call.Done():
	case <-timer.C:
		return fmt.Errorf("no hang-up within %v", r.limit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := r.call.Err(); !errors.Is(err, ErrHungUp) {
		return err
	}
	r.tell("the other side hung up")
	return nil
}

// explain makes the error of a step; when something was not heard it tells which other text of the script was.
func (r *runner) explain(failed step, err error) error {
	e := &StepError{Line: failed.line, Step: failed.String(), Err: err}
	if !errors.Is(err, ErrNotHeard) {
		return e
	}
	heard := r.call.ear.since(r.call.place())
	for _, s := range r.steps {
		if !strings.HasPrefix(s.verb, "hear") || s.rest == failed.rest {
			continue
		}
		if score := r.fits(heard, s); score > max(e.Score, MatchScore/2) {
			e.Instead, e.Score = s.rest, score
		}
	}
	return e
}

// fits tells how well a step's clip is in what was heard.
func (r *runner) fits(heard []int16, s step) float64 {
	file, err := r.clip(s)
	if err != nil {
		return 0
	}
	clip, err := readClip(file)
	if err != nil {
		return 0
	}
	_, score := FindClip(heard, clip[:min(len(clip), int(firstPart*Rate/time.Second))])
	return score
}
