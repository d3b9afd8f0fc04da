package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hark/presence"
	"hark/sessions"
)

func (p *program) sessionCommand() *cobra.Command {
	command := &cobra.Command{Use: "session", Short: "Look at sessions and end them", Example: `  hark session list --json
  hark session end 2740915`}
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
	show := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show everything that is known of a user's session",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.showSession(cmd.Context(), s, args[0], asJSON) })
		},
	}
	show.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.AddCommand(list, show, end)
	return command
}

// sessionRow is what an operator sees of a session. The session id stays out: it is no secret, but of no use either.
type sessionRow struct {
	User     string         `json:"user"`
	Node     string         `json:"node"`
	Address  string         `json:"address"`
	Alive    bool           `json:"alive"` // the node is
	Epoch    int64          `json:"epoch"`
	Since    time.Time      `json:"since"`
	Waiting  int            `json:"waiting"` // for the telephone
	Queued   int            `json:"queued"`  // on their way out
	Clients  map[string]int `json:"clients"` // attached, by kind
	Networks []networkRow   `json:"networks"`
	Reported time.Time      `json:"reported,omitzero"` // when the node told of clients and networks
}

// networkRow is one external login.
type networkRow struct {
	Network string    `json:"network"`
	Address string    `json:"address,omitempty"`
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
}

// describeSession gathers what is known of a session.
func describeSession(ctx context.Context, s stores, r sessions.Record) (row sessionRow, err error) {
	row = sessionRow{User: r.User, Node: r.Node, Address: r.Addr, Alive: r.Alive, Epoch: int64(r.Epoch), Since: r.Since,
		Clients: map[string]int{}, Networks: []networkRow{}}
	waiting, err := s.sessions.Waiting(ctx, r.User, "phone")
	if err != nil {
		return row, err
	}
	row.Waiting = waiting.Count
	pending, err := s.sessions.Pending(ctx, r.User)
	if err != nil {
		return row, err
	}
	row.Queued = len(pending)
	report, ok, err := presence.ReadReport(ctx, s.sessions, r)
	if err != nil || !ok || !r.Alive {
		return row, err
	}
	row.Clients, row.Reported = report.Clients, report.Made
	for _, n := range report.Networks {
		row.Networks = append(row.Networks, networkRow{n.Network, n.Address, n.State, n.Since})
	}
	return row, nil
}

func (p *program) listSessions(ctx context.Context, s stores, asJSON bool) error {
	records, err := s.sessions.Owned(ctx, "")
	if err != nil {
		return err
	}
	rows := []sessionRow{}
	var lines []string
	for _, r := range records {
		row, err := describeSession(ctx, s, r)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		lines = append(lines, row.line())
	}
	if asJSON {
		return p.printJSON(rows)
	}
	return p.printTable("USER\tNODE\tALIVE\tEPOCH\tAGE\tWAITING\tQUEUED\tCLIENTS\tNETWORKS", lines)
}

// line is the row in a table.
func (r sessionRow) line() string {
	return fmt.Sprintf("%s\t%s\t%v\t%d\t%s\t%d\t%d\t%s\t%s", r.User, orNone(r.Node), r.Alive, r.Epoch, age(r.Since),
		r.Waiting, r.Queued, r.clients(), r.networks())
}

// clients lists how many clients of which kind are attached: "phone 1, web 2".
func (r sessionRow) clients() string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(r.Clients)) {
		list = append(list, fmt.Sprintf("%s %d", kind, r.Clients[kind]))
	}
	return orNone(strings.Join(list, ", "))
}

// networks lists the external logins: "xmpp online, hark online".
func (r sessionRow) networks() string {
	var list []string
	for _, n := range r.Networks {
		list = append(list, n.Network+" "+n.State)
	}
	return orNone(strings.Join(list, ", "))
}

// age is how long ago something was, in whole seconds.
func age(t time.Time) string { return time.Since(t).Truncate(time.Second).String() }

func (p *program) showSession(ctx context.Context, s stores, user string, asJSON bool) error {
	record, err := s.sessions.Lookup(ctx, user)
	if errors.Is(err, sessions.ErrNotFound) {
		return fmt.Errorf("%s has no session", user)
	}
	if err != nil {
		return err
	}
	row, err := describeSession(ctx, s, record)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(row)
	}
	fmt.Fprintf(p.out, "user      %s\nnode      %s at %s, alive %v\nepoch     %d\nsince     %s (%s)\nwaiting   %d\nqueued    %d\nclients   %s\n",
		row.User, orNone(row.Node), orNone(row.Address), row.Alive, row.Epoch, row.Since.Local().Format(time.DateTime), age(row.Since),
		row.Waiting, row.Queued, row.clients())
	for _, n := range row.Networks {
		fmt.Fprintf(p.out, "network   %s as %s: %s for %s\n", n.Network, orNone(n.Address), n.State, age(n.Since))
	}
	return nil
}

func (p *program) endSession(ctx context.Context, s stores, user string) error {
	record, err := s.sessions.Lookup(ctx, user)
	if err == nil {
		err = s.sessions.End(ctx, user, record.Epoch)
	}
	if err == nil {
		fmt.Fprintf(p.out, "The session of %s has ended.", user)
		if !s.config.shared() { // with PostgreSQL the node that has it hears of this
			fmt.Fprint(p.out, " A server that has it open lets go of it at the next message or login.")
		}
		fmt.Fprintln(p.out)
		return nil
	}
	if errors.Is(err, sessions.ErrNotFound) {
		return fmt.Errorf("%s has no session", user)
	}
	return err
}
