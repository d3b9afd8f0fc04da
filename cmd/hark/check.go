package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"hark/accounts"
	"hark/db"
	"hark/ivr/stasis"
	"hark/prompts"
)

func (p *program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Read the configuration, say what would run, and try what can be tried",
		Long: `Read the configuration and print what "hark serve" would run. Everything that is wrong is told with its line.
Then look whether the synthesiser, the database, the secrets and the certificates are there, and whether Asterisk lets Hark
in. Nothing is made or changed, and a running server is not disturbed. The exit status is 0 when all is well.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			p.describe(c)
			return p.try(cmd.Context(), c)
		},
	}
}

// describe prints what would run.
func (p *program) describe(c config) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(p.out, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("node", "%s, database %s, secrets %s", c.Name, c.database(), c.Keys)
	if c.Asterisk.ARI == "" {
		line("telephone", "none: asterisk.ari is not set")
	} else {
		line("telephone", "Asterisk at %s, application %s, at most %d calls", c.Asterisk.ARI, c.Asterisk.App, c.Asterisk.Calls)
	}
	if c.Listen.AGI != "" {
		line("FastAGI", "at %s, recordings in %s", c.Listen.AGI, c.agiFolder())
	}
	for _, n := range c.Numbers {
		line("number", "%s: %s in %s", n.Called, n.Dialogue, n.Language)
	}
	line("speech", "%s, kept in %s", c.Prompts.Synthesiser, c.Prompts.Cache)
	line("recordings", "in %s, links %s…, kept for %s", c.Audio.place(), c.Audio.URL, c.Audio.Keep)
	line("web", "%s", orNone(c.Listen.Web))
	line("operator", "%s", orNone(c.Listen.Admin))
	line("clients", "%s", orNone(c.Listen.Presence))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// try looks whether what the configuration names is there.
func (p *program) try(ctx context.Context, c config) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var problems []error
	result := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
			return
		}
		fmt.Fprintf(p.out, "%-12s ok\n", what)
	}
	result("numbers", c.plan().Check())
	result("texts", c.tryTexts())
	synth, err := prompts.NewSynthesiser(ctx, c.Prompts.synthesiser())
	for _, n := range c.Numbers {
		if err == nil {
			_, err = synth.Key(n.Language)
		}
	}
	result("synthesiser", err)
	result("data folder", writable(c.Data))
	result("database", db.Check(ctx, c.DB))
	result("secrets", c.tryKeys())
	result("certificates", c.tryCertificates())
	if c.Audio.Bucket != "" {
		result("recordings", tryBucket(ctx, c.Audio))
	}
	if c.Asterisk.ARI != "" {
		app := &stasis.App{URL: c.Asterisk.ARI, User: c.Asterisk.User, Password: c.Asterisk.Password, Name: c.Asterisk.App}
		result("asterisk", app.Check(ctx))
	}
	return errors.Join(problems...)
}

// tryTexts looks for the words of every number in its language.
func (c config) tryTexts() error {
	_, err := prompts.LoadBook(nil, c.Prompts.Dir)
	for _, n := range c.Numbers {
		if _, own := bookIn(n.Language, c.Prompts.Dir, n.Prompts); err == nil && own != nil {
			err = fmt.Errorf("number %s: %w", n.Called, own)
		}
	}
	return err
}

// tryKeys reads the file of secrets when there is one; "hark serve" makes it.
func (c config) tryKeys() error {
	if _, err := os.Stat(c.Keys); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := accounts.LoadKeys(c.Keys)
	return err
}

// tryCertificates reads the certificates that the configuration names.
func (c config) tryCertificates() error {
	_, err := rootsWith("xmpp.ca", c.XMPP.CA)
	_, nodes := rootsWith("listen.ca", c.Listen.CA)
	err = errors.Join(err, nodes)
	if l := c.Listen; l.Cert != "" || l.Key != "" {
		if _, own := tls.LoadX509KeyPair(l.Cert, l.Key); own != nil {
			err = errors.Join(err, fmt.Errorf("listen.cert and listen.key: %w", own))
		}
	}
	return err
}

// tryBucket connects to the bucket.
func tryBucket(ctx context.Context, c audioConfig) error {
	b, err := c.openBackend(ctx)
	if err != nil {
		return err
	}
	return b.Close()
}

// writable tells whether files can be made in a folder, which need not exist if it can be made.
func writable(folder string) error {
	for {
		info, err := os.Stat(folder)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is not a folder", folder)
		}
		if err == nil {
			if err := unix.Access(folder, unix.W_OK); err != nil {
				return fmt.Errorf("nothing can be written in %s: %w; \"runuser -u hark -- hark check\" looks as the user who is to run it", folder, err)
			}
			return nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		folder = filepath.Dir(folder)
	}
}
