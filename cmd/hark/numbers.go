package main

import (
	"cmp"
	"context"

	"hark/dialplan"
	"hark/ivr"
	"hark/vxml"
	"hark/vxml/fetch"
)

// plan is the dialplan that the configuration describes.
func (c config) plan() dialplan.Plan {
	p := dialplan.Plan{Apps: []string{c.Asterisk.App}}
	for _, n := range c.Numbers {
		p.Routes = append(p.Routes, dialplan.Route{Number: n.Called, Language: n.Language, Dialogue: n.Dialogue, Page: n.Page, To: n.To, Prompts: n.Prompts})
	}
	return p
}

// dialogues answer the calls: which one, the number that was called says.
type dialogues struct {
	plan      dialplan.Plan
	messenger *ivr.Server
	voices    map[string]ivr.Voice // by the folder of a number's own words
	pages     *vxml.Interpreter    // nil when no number is answered by VoiceXML
	calls     *callList
	perCaller *perCaller
	most      int // calls at once of one caller id
}

// dialogues makes what the configured numbers need.
func (p *parts) dialogues() (d dialogues, err error) {
	d = dialogues{plan: p.config.plan(), messenger: p.dialogue(), voices: p.voices, calls: &p.calls, perCaller: &p.perCaller, most: p.config.Asterisk.PerCaller}
	if err := d.plan.Check(); err != nil {
		return d, err
	}
	trunks, err := p.config.wayOut()
	if err != nil {
		return d, err
	}
	if bases := p.config.bases(); len(bases) > 0 {
		d.pages, err = vxml.New(vxml.Options{
			Fetch: fetch.Options{Allow: bases}, Voice: p.speaker, Objects: p.platform(), Trunks: trunks, Log: p.log,
		})
		if err == nil {
			p.opened("VoiceXML interpreter", d.pages.Close)
		}
	}
	return d, err
}

// answer gives a call to the dialogue of the number that was called. A number that the plan does not know is answered
// too: whoever wrote the dialplan by hand sent it here.
func (d dialogues) answer(ctx context.Context, line ivr.Line) error {
	leave, ok := d.perCaller.enter(line, d.most)
	if !ok {
		return errTooManyCalls
	}
	defer leave()
	route, known := d.plan.Choose(line.Called())
	defer d.calls.add(line, cmp.Or(route.Dialogue, dialplan.Messenger))()
	if known && route.Dialogue == dialplan.VoiceXML {
		return d.pages.Handle(ctx, line, pageURL(route.Page))
	}
	chosen := *d.messenger
	chosen.Language = route.Language
	if voice := d.voices[route.Prompts]; voice != nil {
		chosen.Voice = voice
	}
	return chosen.Handle(ctx, line)
}
