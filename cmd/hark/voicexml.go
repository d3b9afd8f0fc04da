package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hark/dialplan"
	"hark/ivr"
	"hark/ivr/console"
	"hark/vxml"
	"hark/vxml/fetch"
)

// pageURL is the URL of a page that may be given as a file, without "../" in it: it is to be the one that links within the
// page lead to.
func pageURL(page string) string {
	if u, err := url.Parse(page); err == nil && u.Host+u.Path != "" && strings.Contains(page, "://") {
		u = u.JoinPath()
		setDefault(&u.Path, "/")
		return u.String()
	}
	if path, err := filepath.Abs(page); err == nil {
		page = path
	}
	return (&url.URL{Scheme: "file", Path: page}).String()
}

// folderOf is the base of a page: whatever lies beside it may be fetched by it.
func folderOf(page string) string {
	before, _, _ := strings.Cut(pageURL(page), "?")
	return before[:strings.LastIndex(before, "/")+1]
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
	var allow []string
	check := &cobra.Command{
		Use:   "check FILE|URL",
		Short: "Tell what is wrong with a document, with line numbers",
		Long: `Tell what is wrong with a document, with line numbers. The exit status is 0 when it can be run, whatever else is told of it.
The configuration is not read.`,
		Example: `  hark vxml check /srv/dialogues/first.vxml`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return p.checkPage(cmd.Context(), args[0], allow) },
	}
	var o console.Options
	var player string
	run := &cobra.Command{
		Use:   "run FILE|URL",
		Short: "Run a document on the telephone in the terminal",
		Long: `Run a document on the telephone in the terminal: type the keys 0-9 * #, and read what a caller would hear; h hangs up. What
the document does is told on standard error. It may fetch what lies in its folder and what --allow names, nothing else.
The configuration is not read, and there is no messenger: Hark's own functions fail.`,
		Example: `  hark vxml run /srv/dialogues/first.vxml
  hark vxml run /srv/dialogues/english/main.vxml --allow file:///srv/dialogues/`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Player = strings.Fields(player)
			return p.runPage(cmd.Context(), args[0], allow, o)
		},
	}
	for _, c := range []*cobra.Command{check, run} {
		c.Flags().StringArrayVar(&allow, "allow", nil, "a further base to fetch from, as vxml.allow in hark.toml; may be repeated")
	}
	run.Flags().StringVar(&player, "player", "", "a program that plays the WAV file named as its last argument")
	run.Flags().StringVar(&o.Speech, "speech", "", "a WAV file to speak into recordings; silence without one")
	run.Flags().Float64Var(&o.Speed, "speed", 1, "how much faster than real time prompts pass")
	command.AddCommand(check, run)
	return command
}

// checkPage prints the problems of a page.
func (p *program) checkPage(ctx context.Context, page string, allow []string) (err error) {
	interpreter, err := vxml.New(vxml.Options{Fetch: fetch.Options{Allow: append(allow, folderOf(page))}})
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
func (p *program) runPage(ctx context.Context, page string, allow []string, o console.Options) (err error) {
	speaker, done, err := newReferenceSpeaker(ctx, defaultSynth)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	interpreter, err := vxml.New(vxml.Options{Fetch: fetch.Options{Allow: append(allow, folderOf(page))}, Voice: speaker,
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
