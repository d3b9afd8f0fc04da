package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hark/internal/sipphone"
	"hark/prompts"
)

func (p *program) callCommand() *cobra.Command {
	var o sipphone.Options
	var record string
	var synth prompts.SynthOptions
	command := &cobra.Command{
		Use:   "call SIP-ADDRESS [SCRIPT]",
		Short: "A SIP test telephone: dial, press keys, speak, and recognise what is heard",
		Long: `Dial a SIP address and run a script of steps on the call, from a file or from standard input:

  hear TEXT         wait until the text is heard (its first second and a half)
  hear-all TEXT     the same, to the end of the text
  hear-file FILE    wait until a sound file is heard
  press KEYS        send keys as RFC 4733 events; a comma is half a second
  speak FILE        play a WAV file (8 kHz, 16 bit, mono) into the call
  tone HZ TIME      play a tone into the call
  wait TIME         let time pass
  timeout TIME      how long the steps after this one wait to hear
  hangup            hang up
  expect-hangup     wait until the other side hangs up

"hear" renders the text with a synthesiser, which must be the one that the called side speaks with, and looks for that
sound in what comes in: no speech recognition is involved. So the text is to be a whole sentence as prompts/en.toml has
it: the voice falls at its end. The exit status is 0 when every step came true.`,
		Example: `  printf 'hear Enter your user number, then hash.\npress 2740915#\nhear Enter your PIN.\nhangup\n' |
    hark call sip:7000@192.0.2.10 --record heard.wav`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.To = args[0]
			script, err := p.script(args[1:])
			if err != nil {
				return err
			}
			defer script.Close()
			return p.call(cmd.Context(), o, script, synth, record)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.CallerID, "caller", "", "caller id to show")
	flags.StringVar(&o.Codec, "codec", "pcmu", "pcmu or pcma")
	flags.StringVar(&o.User, "user", "", "user name for a switch that asks for one")
	flags.StringVar(&o.Password, "password", "", "password for it")
	flags.StringVar(&record, "record", "", "write what was heard to this WAV file")
	flags.StringVar(&synth.Driver, "synthesiser", "flite", "what the called side speaks with: flite or espeak-ng")
	return command
}

// script is the file that was named, or standard input.
func (p *program) script(args []string) (io.ReadCloser, error) {
	if len(args) == 1 {
		return os.Open(args[0])
	}
	return io.NopCloser(p.in), nil
}

// call runs one call.
func (p *program) call(ctx context.Context, o sipphone.Options, script io.Reader, synth prompts.SynthOptions, record string) (err error) {
	if !strings.HasPrefix(o.To, "sip:") {
		return fmt.Errorf("%q is no SIP address like sip:7000@192.0.2.10", o.To)
	}
	say, done, err := referenceVoice(ctx, synth)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	dialCtx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("nobody answered within 30 s"))
	defer cancel()
	call, err := sipphone.Dial(dialCtx, o)
	if err != nil {
		return err
	}
	err = sipphone.Run(ctx, call, script, say, p.out)
	if record != "" {
		err = errors.Join(err, call.SaveHeard(record))
	}
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelLast()
	if hangup := call.Hangup(last); hangup != nil && !errors.Is(hangup, sipphone.ErrEnded) {
		err = errors.Join(err, hangup)
	}
	s := call.Stats()
	fmt.Fprintf(p.out, "answered after %v, first sound after %v\n", s.Answer.Round(time.Millisecond), s.FirstRTP.Round(time.Millisecond))
	return err
}

// defaultSynth is flite in its own voice.
var defaultSynth = prompts.SynthOptions{}

// referenceVoice renders what is expected to be heard, in a folder that done removes.
func referenceVoice(ctx context.Context, o prompts.SynthOptions) (say func(string) (string, error), done func() error, err error) {
	speaker, done, err := newReferenceSpeaker(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	say = func(text string) (string, error) {
		clip, err := speaker.SayText(ctx, "en", text)
		return clip.File, err
	}
	return say, done, nil
}

// newReferenceSpeaker makes a speaker with a folder of its own, which done removes.
func newReferenceSpeaker(ctx context.Context, o prompts.SynthOptions) (speaker *prompts.Speaker, done func() error, err error) {
	synth, err := prompts.NewSynthesiser(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "hark-speech-")
	if err != nil {
		return nil, nil, err
	}
	speaker, err = prompts.NewSpeaker(prompts.SpeakerOptions{Book: book, Synth: synth, Dir: filepath.Join(dir, "speech")})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return speaker, func() error { return errors.Join(speaker.Close(), os.RemoveAll(dir)) }, nil
}
