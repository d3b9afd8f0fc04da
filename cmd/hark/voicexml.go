package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hark/dialplan"
	"hark/ivr"
	"hark/ivr/console"
	"hark/vxml"
	"hark/vxml/fetch"
)

// pageURL is the URL of a page that may be given as a file.
func pageURL(page string) string {
	if strings.Contains(page, "://") {
		return page
	}
	if path, err := filepath.Abs(page); err == nil {
		page = path
	}
	return "file://" + page
}

// folderOf is the base of a page: whatever lies beside it may be fetched by it.
func folderOf(page string) string {
	url := pageURL(page)
	return url[:strings.LastIndex(url, "/")+1]
}

// bases are what VoiceXML dialogues may fetch from (T18); none when no number is answered by one.
func (c config) bases() (bases []string) {
	for _, n := range c.Numbers {
		if n.Dialogue == dialplan.VoiceXML {
			bases = append(bases, folderOf(n.Page))
		}
	}
	if len(bases) > 0 {
		bases = append(bases, c.VXML.Allow...)
	}
	return bases
}

func (p *program) vxmlCommand() *cobra.Command {
	command := &cobra.Command{Use: "vxml", Short: "Check VoiceXML dialogues, and try them"}
	check := &cobra.Command{
		Use:   "check FILE|URL",
		Short: "Tell what is wrong with a document, with line numbers",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return p.checkPage(cmd.Context(), args[0]) },
	}
	var o console.Options
	var player string
	run := &cobra.Command{
		Use:   "run FILE|URL",
		Short: "Run a document on the telephone in the terminal",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Player = strings.Fields(player)
			return p.runPage(cmd.Context(), args[0], o)
		},
	}
	run.Flags().StringVar(&player, "player", "", "a program that plays the WAV file named as its last argument")
	run.Flags().StringVar(&o.Speech, "speech", "", "a WAV file to speak into recordings; silence without one")
	run.Flags().Float64Var(&o.Speed, "speed", 1, "how much faster than real time prompts pass")
	command.AddCommand(check, run)
	return command
}

// checkPage prints the problems of a page.
func (p *program) checkPage(ctx context.Context, page string) (err error) {
	interpreter, err := vxml.New(vxml.Options{Fetch: fetch.Options{Allow: []string{folderOf(page)}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, interpreter.Close()) }()
	problems, err := interpreter.Check(ctx, pageURL(page))
	if err != nil {
		return err
	}
	fatal := false
	for _, problem := range problems {
		fatal = fatal || problem.Fatal
		fmt.Fprintf(p.out, "%s:%d: %s\n", page, problem.Line, problem.Text)
	}
	if fatal {
		return fmt.Errorf("%s cannot be run", page)
	}
	fmt.Fprintf(p.out, "%s can be run.\n", page)
	return nil
}

// runPage makes one call in the terminal.
func (p *program) runPage(ctx context.Context, page string, o console.Options) (err error) {
	speaker, done, err := newReferenceSpeaker(ctx, defaultSynth)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	interpreter, err := vxml.New(vxml.Options{Fetch: fetch.Options{Allow: []string{folderOf(page)}}, Voice: speaker,
		Watch: func(n vxml.Note) { fmt.Fprintf(p.errOut, "(%s) %s\n", n.Kind, n.Text) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, interpreter.Close()) }()
	keys, restore, err := p.keypad()
	if err != nil {
		return err
	}
	defer restore()
	o.In, o.Out = keys, p.out
	return console.Run(ctx, o, func(ctx context.Context, line ivr.Line) error {
		return interpreter.Handle(ctx, line, pageURL(page))
	})
}
