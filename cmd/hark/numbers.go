package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hark/dialplan"
	"hark/ivr"
)

// plan is the dialplan that the configuration describes.
func (c config) plan() dialplan.Plan {
	p := dialplan.Plan{App: c.Asterisk.App}
	for _, n := range c.Numbers {
		p.Routes = append(p.Routes, dialplan.Route{Number: n.Called, Language: n.Language, Dialogue: n.Dialogue, Page: n.Page})
	}
	return p
}

// answer gives a call to the dialogue of the number that was called. A number that the plan does not know is answered
// too: whoever wrote the dialplan by hand sent it here.
func answer(ctx context.Context, plan dialplan.Plan, dialogue *ivr.Server, line ivr.Line) error {
	route, known := plan.Choose(line.Called())
	if known && route.Dialogue != dialplan.Messenger {
		return fmt.Errorf("the dialogue %q of number %s is not there", route.Dialogue, route.Number)
	}
	chosen := *dialogue
	chosen.Language = route.Language
	return chosen.Handle(ctx, line)
}

func (p *program) dialplanCommand() *cobra.Command {
	var context string
	var agi bool
	command := &cobra.Command{
		Use:   "dialplan",
		Short: "Write the Asterisk dialplan for the configuration's numbers",
		Long: `Write the extensions for the numbers of the configuration, to be included in Asterisk's extensions.conf:

  hark dialplan > /etc/asterisk/extensions_hark.conf
  echo '#include extensions_hark.conf' >> /etc/asterisk/extensions.conf
  asterisk -rx 'dialplan reload'

Every number leads to Stasis and, when Hark is not there, to a spoken apology; there is no way out to the telephone
network. With --agi it leads to listen.agi by AGI() instead, for an Asterisk without ARI, and the file holds the nonce.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			plan := c.plan()
			plan.Context = context
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
	command.Flags().StringVar(&context, "context", "hark", "the context that callers come into")
	return command
}
