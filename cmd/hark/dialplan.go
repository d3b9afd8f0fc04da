package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"hark/dialplan"
)

func (p *program) dialplanCommand() *cobra.Command {
	var context string
	var apps []string
	var agi bool
	command := &cobra.Command{
		Use:   "dialplan",
		Short: "Write the Asterisk dialplan for the configuration's numbers",
		Long: `Write the extensions for the numbers of the configuration, to be included in Asterisk's extensions.conf:

  hark dialplan > /etc/asterisk/extensions_hark.conf
  echo '#include extensions_hark.conf' >> /etc/asterisk/extensions.conf
  asterisk -rx 'dialplan reload'

Every number leads to Stasis and, when Hark is not there, to a spoken apology; there is no way out to the telephone
network. With --agi it leads to listen.agi by AGI() instead, for an Asterisk without ARI, and the file holds the nonce.
When several nodes share one Asterisk, name the asterisk.app of each: --app=hark1,hark2. A call is offered to them in turn.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			plan := c.plan()
			plan.Context = context
			if len(apps) > 0 {
				plan.Apps = apps
			}
			if agi {
				if plan.AGI, err = agiPlanAddress(c.Listen.AGI); err != nil {
					return err
				}
				plan.Nonce = c.Listen.AGINonce
			}
			return plan.Write(p.out)
		},
	}
	command.Flags().BoolVar(&agi, "agi", false, "lead to Hark over FastAGI (listen.agi)")
	command.Flags().StringSliceVar(&apps, "app", nil, "the Stasis applications to offer a call to in turn (default: asterisk.app)")
	command.PersistentFlags().StringVar(&context, "context", "hark", "the context that callers come into")
	command.AddCommand(p.dialplanVerify(&context))
	return command
}

func (p *program) dialplanVerify(context *string) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Look whether a caller could get out of the context to the telephone network",
		Long: `Read Asterisk's whole dialplan, from a file or standard input, and tell each way out of the context that callers come into:
what places a call, leads to where that is done, or cannot be proven harmless. The exit status is 0 when there is none.`,
		Example: `  asterisk -rx 'dialplan show' | hark dialplan verify`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			from := p.in
			if len(args) > 0 {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				from = file
			}
			ways, err := dialplan.Escapes(from, *context)
			if err != nil {
				return err
			}
			var problems []error
			for _, way := range ways {
				problems = append(problems, errors.New(way))
			}
			if len(ways) == 0 {
				fmt.Fprintf(p.out, "no way out of %s\n", *context)
			}
			return errors.Join(problems...)
		},
	}
}
