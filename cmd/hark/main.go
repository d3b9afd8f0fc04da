// Command hark is instant messaging for people who have only a telephone, a WAP phone or a bare browser: every server
// of the system, and the tools to run it. "hark help" lists the subcommands.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	p := program{in: os.Stdin, out: os.Stdout, errOut: os.Stderr}
	if err := p.run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hark:", err)
		os.Exit(exitStatus(err))
	}
}

// program is main without the process around it, so that a test can run it.
type program struct {
	in          io.Reader
	out, errOut io.Writer
	configPath  string
}

// run executes one command line.
func (p *program) run(ctx context.Context, args []string) error {
	root := p.commands()
	root.SetArgs(longFlags(args))
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.errOut)
	return root.ExecuteContext(ctx)
}

// commands makes all commands.
func (p *program) commands() *cobra.Command {
	root := &cobra.Command{
		Use:   "hark",
		Short: "Instant messaging by telephone",
		Long: `Hark lets somebody with nothing but a telephone or a bare web browser use instant messaging,
and keeps their session alive when they hang up.

  hark check                  does the configuration make sense, and what would run?
  hark account add --name Ana make a user; prints the number and the PIN, once
  hark serve                  run it

The exit status is 0 when what was asked for is done, 2 when the command line makes no sense, else 1, with the reason on
standard error. The configuration explains every key; hark.toml beside the sources is the one to copy. "hark completion
--help" tells how a shell completes these commands.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVarP(&p.configPath, "config", "c", "/etc/hark/hark.toml", "configuration file")
	root.AddCommand(
		p.serveCommand(),
		p.checkCommand(),
		p.accountCommand(),
		p.sessionCommand(),
		p.nodeCommand(),
		p.dbCommand(),
		p.audioCommand(),
		p.dialogueCommand(),
		p.dialplanCommand(),
		p.vxmlCommand(),
		p.callCommand(),
		p.phoneCommand(),
		p.versionCommand(),
	)
	explainMisuse(root)
	return root
}

// longFlags lets "-config" be written as well as "--config": with one dash, as Go's own tools do.
func longFlags(args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		if a == "-config" || strings.HasPrefix(a, "-config=") {
			args[i] = "-" + a
		}
	}
	return args
}

// logger makes the process's logger; every package gets it passed in.
func (p *program) logger(c logConfig) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // config.check has read it
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.errOut, options))
	}
	return slog.New(slog.NewTextHandler(p.errOut, options))
}
