package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hark/internal/sipphone"
	"hark/presence"
	"hark/prompts"
)

// voice renders what callers expect to hear, with the synthesiser and the cache that Hark itself uses.
type voice struct{ speaker *prompts.Speaker }

// newVoice makes one on the rendered speech of Hark.
func newVoice(ctx context.Context, dir string) (voice, error) {
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		return voice{}, err
	}
	synth, err := prompts.NewSynthesiser(ctx, prompts.SynthOptions{})
	if err != nil {
		return voice{}, err
	}
	speaker, err := prompts.NewSpeaker(prompts.SpeakerOptions{Book: book, Synth: synth, Dir: dir})
	return voice{speaker}, err
}

// A caller is a person with a SIP telephone. Each step is printed as it comes true, and fails the demo otherwise.
type caller struct {
	name  string
	call  *sipphone.Call
	voice voice
	out   io.Writer
	since time.Time     // the answer
	began time.Duration // when the prompt began that was heard last, counted from the answer
	err   error         // the first step that failed; all later ones are passed over
}

// hearTime is how long a caller waits for what is to be heard.
const hearTime = 20 * time.Second

// dial calls Hark's number.
func (s *system) dial(ctx context.Context, v voice, name, callerID string, out io.Writer) (*caller, error) {
	to := fmt.Sprintf("sip:%s@%s", s.asterisk.Number, s.asterisk.SIPAddr)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	call, err := sipphone.Dial(ctx, sipphone.Options{To: to, CallerID: callerID})
	if err != nil {
		return nil, fmt.Errorf("%s cannot call %s: %w", name, to, err)
	}
	c := &caller{name: name, call: call, voice: v, out: out, since: time.Now()}
	c.tell("dials %s; answered after %v", s.asterisk.Number, call.Stats().Answer.Round(time.Millisecond))
	return c, nil
}

// tell prints a line from this caller's end.
func (c *caller) tell(format string, args ...any) {
	fmt.Fprintf(c.out, "  %-6s ☎ %5.1f  %s\n", c.name, time.Since(c.since).Seconds(), fmt.Sprintf(format, args...))
}

// do runs one step unless one failed before.
func (c *caller) do(what string, step func() error) {
	if c.err != nil {
		return
	}
	if err := step(); err != nil {
		c.err = fmt.Errorf("%s %s: %w", c.name, what, err)
		c.tell("FAILED %s: %v", what, err)
	}
}

// hears waits for a prompt of the catalogue.
func (c *caller) hears(ctx context.Context, id string, args prompts.Args) {
	c.do("hears prompt "+id, func() error {
		clip, err := c.voice.speaker.Say(ctx, "en", id, args)
		if err != nil {
			return err
		}
		return c.waitFor(ctx, clip)
	})
}

// hearsText waits for free text, such as a message.
func (c *caller) hearsText(ctx context.Context, text string) {
	c.do("hears "+text, func() error {
		clip, err := c.voice.speaker.SayText(ctx, "en", text)
		if err != nil {
			return err
		}
		return c.waitFor(ctx, clip)
	})
}

func (c *caller) waitFor(ctx context.Context, clip prompts.Clip) error {
	ctx, cancel := context.WithTimeout(ctx, hearTime)
	defer cancel()
	began, score, err := c.call.WaitHear(ctx, clip.File)
	if err != nil {
		return fmt.Errorf("best match %.2f: %w", score, err)
	}
	c.began = began
	c.tell("hears   %q (match %.2f)", clip.Text, score)
	return nil
}

// hearsTone waits until so much of a tone was heard.
func (c *caller) hearsTone(ctx context.Context, hz float64, long time.Duration) {
	c.do(fmt.Sprintf("hears %.0f Hz", hz), func() error {
		deadline := time.Now().Add(hearTime)
		for time.Now().Before(deadline) {
			heard := c.call.Heard()
			need := int(long.Seconds() * sipphone.Rate)
			if len(heard) >= need {
				if got, share := sipphone.ToneFrequency(heard[len(heard)-need:], sipphone.Rate); share > 0.5 && near(got, hz) {
					c.tell("hears   a tone of %.0f Hz for %v, the recording itself", got, long)
					return nil
				}
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-c.call.Done():
				return c.call.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
		return errors.New("not heard")
	})
}

// near allows for what a measurement over a telephone line is off.
func near(got, want float64) bool { return got > want-5 && got < want+5 }

// presses sends keys; secret ones are not shown.
func (c *caller) presses(ctx context.Context, keys, shown string) {
	c.do("presses keys", func() error {
		c.tell("presses %s", shown)
		return c.call.Press(ctx, keys)
	})
}

// records waits for the recording tone and then speaks a tone for 3 seconds, and ends with hash.
func (c *caller) records(ctx context.Context, hz float64) {
	c.hears(ctx, "record", nil)
	c.do("records", func() error {
		beep, err := c.voice.speaker.Earcon("tone")
		if err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, hearTime)
		defer cancel()
		if _, score, err := c.call.WaitHear(wait, beep.File); err != nil {
			return fmt.Errorf("no recording tone (%.2f): %w", score, err)
		}
		c.tell("speaks  a tone of %.0f Hz for 3 s, then #", hz)
		if err := c.call.SpeakPCM(ctx, sipphone.Tone(hz, 3*time.Second)); err != nil {
			return err
		}
		return c.call.Press(ctx, "#")
	})
}

// understandsDigits returns the n digits that were spoken one by one since the sample from.
func (c *caller) understandsDigits(ctx context.Context, from, n int) (digits string) {
	c.do("understands digits", func() (err error) {
		if digits, err = c.voice.digits(ctx, c.call.Heard()[from:], n, presence.ValidCode); err != nil {
			return err
		}
		c.tell("hears   the digits %s", digits)
		return nil
	})
	return digits
}

// ends waits until Hark hangs up.
func (c *caller) ends(ctx context.Context) {
	c.do("is hung up", func() error {
		select {
		case <-c.call.Done():
			c.tell("call ended by Hark")
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(hearTime):
			return errors.New("the call did not end")
		}
	})
	c.hangsUp(ctx)
}

// hangsUp ends the call, in whatever state it is.
func (c *caller) hangsUp(ctx context.Context) {
	ended := c.call.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := c.call.Hangup(ctx)
	if !ended {
		c.tell("hangs up")
	}
	if err != nil && !errors.Is(err, sipphone.ErrEnded) && !errors.Is(err, sipphone.ErrHungUp) && c.err == nil {
		c.err = err
	}
}
