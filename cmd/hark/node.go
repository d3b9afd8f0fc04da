package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hark/accounts"
	"hark/sessions"
)

func (p *program) nodeCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "node",
		Short: "Look at the nodes of a cluster, empty one, and fill it again",
		Example: `  hark node list
  hark node drain ps1.internal:7778`,
	}
	command.AddCommand(p.nodeList(), p.nodeDrain(), p.nodeResume(), p.nodeDead(), p.nodeCA())
	return command
}

// nodeRow is what an operator sees of a node.
type nodeRow struct {
	Name       string    `json:"name"`
	Address    string    `json:"address"`
	Starts     int64     `json:"starts"`
	Alive      bool      `json:"alive"`
	LeaseUntil time.Time `json:"leaseUntil"`
	Draining   bool      `json:"draining"`
	Sessions   int       `json:"sessions"`
}

func (p *program) nodeList() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List the nodes: where, whether alive, how many sessions",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.listNodes(cmd.Context(), s, asJSON) })
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func (p *program) listNodes(ctx context.Context, s stores, asJSON bool) error {
	nodes, err := s.sessions.Nodes(ctx)
	if err != nil {
		return err
	}
	rows := []nodeRow{}
	var lines []string
	for _, n := range nodes {
		rows = append(rows, nodeRow{n.Name, n.Addr, int64(n.Inc), n.Alive, n.LeaseUntil, n.Draining, n.Sessions})
		lines = append(lines, fmt.Sprintf("%s\t%s\t%d\t%v\t%v\t%d", n.Name, n.Addr, n.Inc, n.Alive, n.Draining, n.Sessions))
	}
	if asJSON {
		return p.printJSON(rows)
	}
	return p.printTable("NAME\tADDRESS\tSTARTS\tALIVE\tDRAINING\tSESSIONS", lines)
}

// drainLimit is how long "node drain" waits.
const drainLimit = 10 * time.Minute

func (p *program) nodeDrain() *cobra.Command {
	return &cobra.Command{
		Use:   "drain NAME",
		Short: "Move all sessions of a node to the others, and wait until it has none",
		Long: `Move all sessions of a node to the others, and wait until it has none. Calls go on: their clients follow. The node
takes no sessions until "hark node resume", or until it starts again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.drainNode(cmd.Context(), s, args[0]) })
		},
	}
}

func (p *program) drainNode(ctx context.Context, s stores, name string) error {
	if err := s.sessions.SetDraining(ctx, name, true); err != nil {
		return noNode(name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	for {
		node, others, err := findNode(ctx, s, name)
		switch {
		case err != nil:
			return err
		case others == 0:
			return fmt.Errorf("no other node is alive that could take the %d sessions of %s", node.Sessions, name)
		case node.Sessions == 0:
			fmt.Fprintf(p.out, "%s has no sessions any more.\n", name)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s still has %d sessions: %w", name, node.Sessions, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// findNode finds a node, and counts the other ones that take sessions.
func findNode(ctx context.Context, s stores, name string) (node sessions.Node, others int, err error) {
	nodes, err := s.sessions.Nodes(ctx)
	err = errors.Join(err, noNode(name, sessions.ErrNotFound))
	for _, n := range nodes {
		switch {
		case n.Name == name:
			node, err = n, nil
		case n.Alive && !n.Draining:
			others++
		}
	}
	return node, others, err
}

func (p *program) nodeResume() *cobra.Command {
	return &cobra.Command{
		Use:   "resume NAME",
		Short: "Let a drained node take sessions again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				return noNode(args[0], s.sessions.SetDraining(cmd.Context(), args[0], false))
			})
		},
	}
}

func (p *program) nodeDead() *cobra.Command {
	return &cobra.Command{
		Use:   "dead NAME",
		Short: "Say that a node's process has ended, so that the others need not wait for its lease",
		Long: `Say that a node's process has ended: the others take its sessions over at once instead of after its lease. A service
manager can say it whenever the process ends, however it ends; for systemd:

  [Service]
  ExecStopPost=/usr/local/bin/hark node dead NAME

If it is not true nothing is lost: the node notices at its next beat, lets go of its sessions, and starts anew.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				node, _, err := findNode(cmd.Context(), s, args[0])
				if err != nil {
					return err
				}
				return s.sessions.StopNode(cmd.Context(), node.Name, node.Inc)
			})
		},
	}
}

func (p *program) nodeCA() *cobra.Command {
	return &cobra.Command{
		Use:   "ca",
		Short: "Print the certificate (PEM) with which clients elsewhere can check the nodes",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			keys, err := accounts.LoadKeys(c.Keys)
			if err != nil {
				return err
			}
			ca, err := newNodeCA(keys.Derive("node certificates"))
			if err != nil {
				return err
			}
			_, err = p.out.Write(ca.pem())
			return err
		},
	}
}

// noNode says in words that there is no such node.
func noNode(name string, err error) error {
	if errors.Is(err, sessions.ErrNotFound) {
		return fmt.Errorf("there is no node %s; \"hark node list\" shows which there are", name)
	}
	return err
}
