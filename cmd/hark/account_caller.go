package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) accountCaller() *cobra.Command {
	command := &cobra.Command{
		Use:   "caller",
		Short: "Say from which telephones a user calls, list or forget them",
		Long: `Say from which telephones a user calls, list or forget them. Who calls from one of them, while his session goes on, is
greeted and asked for the PIN only; and strangers who fail at his account do not lock him out there. A caller id never
stands for a PIN: it can be forged.`,
	}
	add := &cobra.Command{
		Use:     "add NUMBER CALLERID",
		Short:   "The user calls from there; the caller id as Asterisk tells it",
		Example: `  hark account caller add 2740915 +4930123456`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				return nobody(args[0], s.accounts.BindCaller(cmd.Context(), args[0], args[1]))
			})
		},
	}
	list := &cobra.Command{
		Use:   "list NUMBER",
		Short: "List the caller ids of a user",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.listCallers(cmd.Context(), s, args[0]) })
		},
	}
	drop := &cobra.Command{
		Use:   "drop NUMBER CALLERID",
		Short: "The user does not call from there any more",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				return nobody("caller id "+args[1]+" of "+args[0], s.accounts.UnbindCaller(cmd.Context(), args[0], args[1]))
			})
		},
	}
	command.AddCommand(add, list, drop)
	return command
}

func (p *program) listCallers(ctx context.Context, s stores, number string) error {
	callers, err := s.accounts.Callers(ctx, number)
	if err != nil {
		return err
	}
	if len(callers) == 0 {
		fmt.Fprintf(p.out, "No caller id is known of %s.\n", number)
		return nil
	}
	return p.printTable("CALLER ID", callers)
}
