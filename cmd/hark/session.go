package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hark/sessions"
)

func (p *program) sessionCommand() *cobra.Command {
	command := &cobra.Command{Use: "session", Short: "Look at sessions and end them"}
	var asJSON bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List the sessions: whose, where, since when, and how much waits",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.listSessions(cmd.Context(), s, asJSON) })
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	end := &cobra.Command{
		Use:   "end NUMBER",
		Short: "End a user's session; messages that wait stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.endSession(cmd.Context(), s, args[0]) })
		},
	}
	command.AddCommand(list, end)
	return command
}

// sessionRow is what an operator sees of a session. The session id stays out: it is no secret, but of no use either.
type sessionRow struct {
	User    string    `json:"user"`
	Node    string    `json:"node"`
	Alive   bool      `json:"alive"` // the node is
	Epoch   int64     `json:"epoch"`
	Since   time.Time `json:"since"`
	Waiting int       `json:"waiting"` // for the telephone
	Queued  int       `json:"queued"`  // on their way out
}

func (p *program) listSessions(ctx context.Context, s stores, asJSON bool) error {
	records, err := s.sessions.Owned(ctx, "")
	if err != nil {
		return err
	}
	rows := []sessionRow{}
	for _, r := range records {
		waiting, _, err := s.sessions.Waiting(ctx, r.User, "phone")
		if err != nil {
			return err
		}
		pending, err := s.sessions.Pending(ctx, r.User)
		if err != nil {
			return err
		}
		rows = append(rows, sessionRow{r.User, r.Node, r.Alive, int64(r.Epoch), r.Since, waiting, len(pending)})
	}
	if asJSON {
		return p.printJSON(rows)
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%v\t%d\t%s\t%d\t%d",
			r.User, orNone(r.Node), r.Alive, r.Epoch, r.Since.Local().Format(time.DateTime), r.Waiting, r.Queued))
	}
	return p.printTable("USER\tNODE\tALIVE\tEPOCH\tSINCE\tWAITING\tQUEUED", lines)
}

func (p *program) endSession(ctx context.Context, s stores, user string) error {
	record, err := s.sessions.Lookup(ctx, user)
	if err == nil {
		err = s.sessions.End(ctx, user, record.Epoch)
	}
	if err == nil {
		fmt.Fprintf(p.out, "The session of %s has ended. A server that has it open lets go of it.\n", user)
		return nil
	}
	if errors.Is(err, sessions.ErrNotFound) {
		return fmt.Errorf("%s has no session", user)
	}
	return err
}
