package vxml

import (
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
)

// The types of <transfer> (VoiceXML 2.1, 8).
const (
	blind        = "blind"        // the caller is given away, whatever becomes of it
	bridge       = "bridge"       // the caller is here again when the connection ends
	consultation = "consultation" // the caller is given away once somebody answered, else here again
)

// outcomes are VoiceXML's words for how a connection ended, or did not come about (2.3.7.2.1).
var outcomes = map[ivr.DialEnd]string{
	ivr.DialBusy: "busy", ivr.DialNoAnswer: "noanswer", ivr.DialCongestion: "network_busy", ivr.DialKey: "near_end_disconnect",
	ivr.DialFar: "far_end_disconnect", ivr.DialMax: "maxtime_disconnect",
}

// transferType is how an element wants to connect.
func transferType(i *item) string {
	switch {
	case i.node.Has("type"):
		return i.attr("type")
	case i.attr("bridge") == "true":
		return bridge
	}
	return blind
}

// transfer connects the caller with somebody else. The Line has to be an ivr.Dialler, and the interpreter's Trunks
// decide who may be called.
func (f *formRun) transfer(i *item) error {
	if f.x.gone {
		return &fatal{ivr.ErrHangup}
	}
	kind := transferType(i)
	line, ok := f.x.line.(ivr.Dialler)
	if !ok || len(f.x.Trunks) == 0 || kind != blind && kind != bridge && kind != consultation {
		return throw("error.unsupported.transfer."+kind, "this line cannot call anybody")
	}
	req, err := f.dial(i, kind)
	if err != nil {
		return err
	}
	list, err := f.listen(i, &req)
	if err != nil {
		return err
	}
	if err := f.x.playQueue(); err != nil {
		return err
	}
	began := time.Now()
	out, err := line.Dial(f.x.live, req)
	f.x.listened(began, false)
	if err != nil {
		return f.x.ended(err)
	}
	return f.transferred(i, kind, out, list)
}

// dial reads the element's attributes.
func (f *formRun) dial(i *item, kind string) (ivr.Dial, error) {
	fr := f.frame(i)
	dest, err := fr.attrOr(i.element, "dest", "destexpr")
	if err != nil {
		return ivr.Dial{}, err
	}
	// There is nobody to give it to: it is computed for what it may do.
	if _, err := fr.attrOr(i.element, "aai", "aaiexpr"); err != nil {
		return ivr.Dial{}, err
	}
	d := ivr.Dial{Connect: seconds(i.attr("connecttimeout"), 0), Max: seconds(i.attr("maxtime"), 0), HandOver: kind != bridge}
	if d.Endpoint, err = f.x.endpoint(dest); err != nil {
		return d, err
	}
	if src := i.attr("transferaudio"); src != "" {
		if clip, err := f.x.sound(fr, i.element, src, fr.base(), f.x.lang()); err == nil {
			d.Ringing = []prompts.Clip{*clip}
		}
	}
	return d, nil
}

// endpoint is where a destination is dialled: "tel:+49-30-123" (RFC 3966; people also write "tel://"), if a trunk lets it out.
func (c *call) endpoint(dest string) (string, error) {
	scheme, number, ok := strings.Cut(strings.TrimSpace(dest), ":")
	if !ok || scheme == "" || number == "" || strings.ContainsAny(scheme, " /?#") {
		return "", throw("error.connection.baddestination", "the destination is no URI such as tel:+4930123")
	}
	if !strings.EqualFold(scheme, "tel") {
		return "", throw("error.unsupported.uri", "only tel: can be called, not %s:", scheme)
	}
	number, _, _ = strings.Cut(strings.TrimPrefix(number, "//"), ";")
	endpoint, err := c.Trunks.Endpoint(strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(number))
	if err != nil {
		return "", &Event{Name: "error.connection.noauthorization", Message: "this destination must not be called", cause: err}
	}
	return endpoint, nil
}

// listen makes the keys of a bridge's own grammars end it.
func (f *formRun) listen(i *item, d *ivr.Dial) ([]*active, error) {
	if d.HandOver || len(i.grammars) == 0 {
		return nil, nil
	}
	a := &activation{f: f, item: i}
	a.of(i.grammars, f.x.doc, active{item: i})
	if a.err != nil {
		return nil, a.err
	}
	d.Listen = func(key byte) bool {
		for _, g := range a.list {
			if g.m.Press(key); !g.m.Alive() { // the key may be the first of what ends it
				g.m = g.linked.NewMatcher()
				g.m.Press(key)
			}
			if g.m.Match() != nil {
				return true
			}
		}
		return false
	}
	return a.list, nil
}

// transferred does what the outcome means for the document.
func (f *formRun) transferred(i *item, kind string, out ivr.Dialled, list []*active) error {
	switch {
	case out.End == ivr.DialHandedOver:
		f.x.hungUp()
		return &Event{Name: evTransfer}
	case kind == blind:
		// Nobody is there, and a blind transfer does not come back to tell (2.3.7.1).
		f.x.log.Info("a blind transfer failed", "call", f.x.line.ID(), "end", string(out.End))
		_ = f.x.disconnect()
		return &Event{Name: evTransfer}
	case out.End == ivr.DialNoRoute:
		return throw("error.connection.noroute", "no way to the destination")
	}
	outcome := outcomes[out.End]
	if outcome == "" {
		outcome = "unknown"
	}
	f.fill(i, f.x.vm.Value(outcome))
	pairs := []any{"duration", out.Duration.Seconds()}
	if in := f.ended(list); in != nil {
		f.lastResult(in)
		pairs = append(pairs, "inputmode", "dtmf", "utterance", in.keys, "confidence", 1, "interpretation", in.value)
	}
	f.shadow(i, pairs...)
	return f.filled()
}

// ended is the input that ended a bridge, or nil.
func (f *formRun) ended(list []*active) *input {
	for _, g := range list {
		m := g.m.Match()
		if m == nil {
			continue
		}
		in, err := f.mean(&input{active: g, keys: m.Text()})
		if err == nil {
			return in
		}
	}
	return nil
}
