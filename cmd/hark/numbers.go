package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"hark/dialplan"
	"hark/ivr"
	"hark/vxml"
	"hark/vxml/fetch"
)

// plan is the dialplan that the configuration describes.
func (c config) plan() dialplan.Plan {
	p := dialplan.Plan{App: c.Asterisk.App}
	for _, n := range c.Numbers {
		p.Routes = append(p.Routes, dialplan.Route{Number: n.Called, Language: n.Language, Dialogue: n.Dialogue, Page: n.Page, To: n.To})
	}
	return p
}

// dialogues answer the calls: which one, the number that was called says.
type dialogues struct {
	plan      dialplan.Plan
	messenger *ivr.Server
	pages     *vxml.Interpreter // nil when no number is answered by VoiceXML
	calls     *callList
}

// dialogues makes what the configured numbers need.
func (p *parts) dialogues() (d dialogues, err error) {
	d = dialogues{plan: p.config.plan(), messenger: p.dialogue(), calls: &p.calls}
	if err := d.plan.Check(); err != nil {
		return d, err
	}
	if bases := p.config.bases(); len(bases) > 0 {
		d.pages, err = vxml.New(vxml.Options{Fetch: fetch.Options{Allow: bases}, Voice: p.speaker, Objects: p.platform(), Log: p.log})
		if err == nil {
			p.opened("VoiceXML interpreter", d.pages.Close)
		}
	}
	return d, err
}

// answer gives a call to the dialogue of the number that was called. A number that the plan does not know is answered
// too: whoever wrote the dialplan by hand sent it here.
func (d dialogues) answer(ctx context.Context, line ivr.Line) error {
	route, known := d.plan.Choose(line.Called())
	defer d.calls.add(line, cmp.Or(route.Dialogue, dialplan.Messenger))()
	if known && route.Dialogue == dialplan.VoiceXML {
		return d.pages.Handle(ctx, line, pageURL(route.Page))
	}
	chosen := *d.messenger
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
