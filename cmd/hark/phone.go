package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"hark/ivr/console"
)

func (p *program) phoneCommand() *cobra.Command {
	o := console.Options{Called: "7000"}
	var player string
	command := &cobra.Command{
		Use:   "phone",
		Short: "A telephone in the terminal, without any Asterisk",
		Long: `Call Hark from the terminal: type the keys 0-9 * #, and read what a caller would hear; h hangs up. It works on the
configuration's own database, so no "hark serve" may run beside it.`,
		Example: `  hark phone
  hark phone --player "aplay -q" --speech hello.wav`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			o.Out, o.Player = p.out, strings.Fields(player)
			keys, restore, err := p.keypad()
			if err != nil {
				return err
			}
			defer restore()
			o.In = keys
			return p.phone(cmd.Context(), c, o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Caller, "caller", "", "caller id to show")
	flags.StringVar(&o.Called, "called", o.Called, "number to dial")
	flags.StringVar(&player, "player", "", "a program that plays the WAV file named as its last argument")
	flags.StringVar(&o.Speech, "speech", "", "a WAV file to speak into recordings; silence without one")
	flags.Float64Var(&o.Speed, "speed", 1, "how much faster than real time prompts pass")
	return command
}

// keypad is where keys come from: the terminal, one at a time, or a pipe.
func (p *program) keypad() (keys io.Reader, restore func() error, err error) {
	if p.in != os.Stdin || !isTerminal(os.Stdin) {
		return p.in, func() error { return nil }, nil
	}
	return console.Open()
}

// isTerminal tells whether keys are typed and do not come from a pipe or a file.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// phone makes one call on a Hark of its own: everything but Asterisk and the web door.
func (p *program) phone(ctx context.Context, c config, o console.Options) (err error) {
	c.Asterisk.ARI, c.Listen.Web, c.Listen.Presence = "", "", ""
	parts := &parts{config: c, log: p.logger(logConfig{Level: "warn", Format: "text"})}
	defer func() { err = errors.Join(err, parts.close()) }()
	if err := parts.open(ctx); err != nil {
		return err
	}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- parts.presence.Run(inner) }()
	defer func() { stop(); err = errors.Join(err, ignoreCancel(<-served)) }()
	fmt.Fprintln(p.errOut, "Type 0-9 * #; h hangs up.")
	dialogues, err := parts.dialogues()
	if err != nil {
		return err
	}
	return console.Run(ctx, o, dialogues.answer)
}
