package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hark/audio"
)

func (p *program) audioCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "audio",
		Short: "Look after the voice messages",
		Long:  `Look after the voice messages. These commands work beside a running server.`,
		Example: `  hark audio list --user 2740915
  hark audio revoke https://im.example.org/a/AVEybp8vzAWWxCGB1bKpFKpUwDg1wTNKW8JA`,
	}
	var owner string
	var asJSON bool
	list := p.audioAction("list", "List the recordings and drafts", cobra.NoArgs,
		func(ctx context.Context, s *audio.Store, _ []string) error { return p.listAudio(ctx, s, owner, asJSON) })
	list.RunE = orNoRecordings(list.RunE, func() error { return p.printRecordings(nil, asJSON) })
	list.Flags().StringVar(&owner, "user", "", "only those of this user number")
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	show := p.audioAction("show ID", "Show everything that is known about a recording", cobra.ExactArgs(1),
		func(ctx context.Context, s *audio.Store, args []string) error {
			r, err := s.Show(ctx, args[0])
			if err != nil {
				return noRecording(args[0], err)
			}
			return p.printJSON(r)
		})
	revoke := p.audioAction("revoke ID|LINK…", "Delete recordings; their links say \"gone\" from now on", cobra.MinimumNArgs(1), p.revokeAudio)
	gc := p.audioAction("gc", "Remove what has expired, and what a crash left behind", cobra.NoArgs,
		func(ctx context.Context, s *audio.Store, _ []string) error {
			swept, err := s.GC(ctx)
			fmt.Fprintf(p.out, "%d expired, %d left behind: removed.\n", swept.Expired, swept.Orphans)
			return err
		})
	verify := p.audioAction("verify", "Read and decode every recording, and tell what is wrong", cobra.NoArgs, p.verifyAudio)
	for _, command := range []*cobra.Command{gc, verify} {
		command.RunE = orNoRecordings(command.RunE, p.sayNoRecordings)
	}
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new links with a new key; old links stay valid. Restart the server afterwards",
		Long: `Sign new links with a new key; old links stay valid. The keys are in the file of secrets with ".links" behind its
name: copy that to every node, and restart the servers.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			firstKey, err := c.firstLinkKey()
			if err != nil {
				return err
			}
			if err := audio.RotateKeys(c.linkKeys(), firstKey); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.out, "New links are signed with the new key in %s as soon as the server is restarted. Other nodes need a copy of it first.\n", c.linkKeys())
			return err
		},
	}
	command.AddCommand(list, show, revoke, gc, verify, rotate)
	return command
}

// errNoRecordings: the folder of the recordings is not there, since there never was one. These commands do not make it: run
// as another user they would own it.
var errNoRecordings = errors.New("there are no voice messages yet")

// anyRecordings fails with errNoRecordings when there never were any.
func (c config) anyRecordings() error {
	if _, err := os.Stat(c.Audio.Dir); err != nil && c.Audio.Bucket == "" {
		return fmt.Errorf("%w: %w", errNoRecordings, err)
	}
	return nil
}

// orNoRecordings has a command do something else when there are no voice messages yet.
func orNoRecordings(run func(*cobra.Command, []string) error, none func() error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if errors.Is(err, errNoRecordings) && errors.Is(err, os.ErrNotExist) {
			return none()
		}
		return err
	}
}

func (p *program) sayNoRecordings() error {
	_, err := fmt.Fprintln(p.out, "There are no voice messages yet.")
	return err
}

// audioAction makes a command that works on the store.
func (p *program) audioAction(use, short string, args cobra.PositionalArgs, do func(context.Context, *audio.Store, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) (err error) {
		c, err := loadConfig(p.configPath)
		if err != nil {
			return err
		}
		if err := c.anyRecordings(); err != nil {
			return err
		}
		store, err := openAudioBeside(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		return do(cmd.Context(), store, args)
	}}
}

// openAudioBeside opens the store beside a running server, which does the sweeping.
func openAudioBeside(ctx context.Context, c config) (*audio.Store, error) {
	return c.openAudio(ctx, -1, nil)
}

func (p *program) listAudio(ctx context.Context, s *audio.Store, owner string, asJSON bool) error {
	recordings, err := s.List(ctx, owner)
	if err != nil {
		return err
	}
	return p.printRecordings(recordings, asJSON)
}

func (p *program) printRecordings(recordings []audio.Recording, asJSON bool) error {
	if asJSON {
		return p.printJSON(append([]audio.Recording{}, recordings...)) // [] and never null
	}
	var rows []string
	for _, r := range recordings {
		kind := "recording"
		if r.Draft {
			kind = "draft"
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", r.ID, r.Owner, kind, r.Duration.Round(100*time.Millisecond),
			r.Created.Local().Format(time.DateTime), r.Expires.Local().Format(time.DateTime)))
	}
	return p.printTable("ID\tUSER\tKIND\tLENGTH\tMADE\tEXPIRES", rows)
}

func (p *program) revokeAudio(ctx context.Context, s *audio.Store, args []string) error {
	for _, which := range args {
		if err := s.Revoke(ctx, which); err != nil {
			return noRecording(which, err)
		}
		fmt.Fprintf(p.out, "Revoked %s.\n", which)
	}
	return nil
}

func (p *program) verifyAudio(ctx context.Context, s *audio.Store, _ []string) error {
	checked, faults, err := s.Verify(ctx)
	for _, f := range faults {
		fmt.Fprintf(p.out, "%s: %v\n", f.ID, f.Err)
	}
	fmt.Fprintf(p.out, "%d checked, %d faulty.\n", checked, len(faults))
	if err == nil && len(faults) > 0 {
		err = errors.New("some recordings are faulty; \"hark audio revoke\" removes one")
	}
	return err
}

// noRecording says in words that there is no such recording.
func noRecording(which string, err error) error {
	switch {
	case errors.Is(err, audio.ErrNotFound), errors.Is(err, audio.ErrGone), errors.Is(err, audio.ErrNotOurs):
		return fmt.Errorf("there is no recording %s; \"hark audio list\" shows what there is", which)
	}
	return err
}
