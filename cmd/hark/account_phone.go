package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hark/accounts"
)

func (p *program) accountPhone() *cobra.Command {
	command := &cobra.Command{
		Use:   "phone",
		Short: "Show, set or forget the telephone at which a user is called",
		Long: `Show, set or forget the telephone at which a user is called: by other users out of the dialogue, and by Hark when a
message comes, if the user wants that. Users name and prove their telephone themselves, by calling in; "set" is for lines
whose owner you know, such as those of your own switch. Only numbers that dial.trunks lets through are ever called.`,
	}
	show := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				if _, err := s.accounts.Get(cmd.Context(), args[0]); err != nil {
					return nobody(args[0], err)
				}
				phone, err := s.accounts.Phone(cmd.Context(), args[0])
				if errors.Is(err, accounts.ErrNotFound) {
					fmt.Fprintf(p.out, "%s is called nowhere.\n", args[0])
					return nil
				}
				if err != nil {
					return err
				}
				return p.printTable("NUMBER\tPROVEN\tCALLED FOR MESSAGES\tNOT FROM\tTO\tA DAY", []string{fmt.Sprintf("%s\t%v\t%v\t%d:00\t%d:00\t%d",
					phone.Number, phone.Proven, phone.Ring, phone.QuietFrom, phone.QuietTo, phone.Daily)})
			})
		},
	}
	set := &cobra.Command{
		Use:     "set NUMBER TELEPHONE",
		Short:   "Call the user there; counts as proven",
		Example: `  hark account phone set 2740915 201`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				if _, err := s.config.Dial.trunks().Endpoint(args[1]); err != nil {
					return fmt.Errorf("%q is no number that dial.trunks lets through", args[1])
				}
				return nobody(args[0], s.accounts.BindPhone(cmd.Context(), args[0], args[1]))
			})
		},
	}
	drop := &cobra.Command{
		Use:   "drop NUMBER",
		Short: "Call the user nowhere",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				if _, err := s.accounts.Get(cmd.Context(), args[0]); err != nil {
					return nobody(args[0], err)
				}
				return s.accounts.DropPhone(cmd.Context(), args[0], "")
			})
		},
	}
	command.AddCommand(show, set, drop)
	return command
}
