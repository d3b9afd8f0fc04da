package vxml

import (
	"slices"
	"time"

	"hark/ivr"
	"hark/vxml/srgs"
)

// overhear plays a track of bargeintype hotword, which only a whole match interrupts (VoiceXML 2.0, 4.1.5.1). All other keys
// are passed over, also in the time that the caller has to begin, which begins anew with each. The Input has a key when
// there is a match, and c.whole tells whether more may follow.
func (c *collecting) overhear(g ivr.Gather) (ivr.Input, error) {
	played, last := 0, time.Now()
	for {
		in, err := c.line.Gather(c.live, g)
		if err != nil || in.Keys == "" {
			c.anew()
			in.Clip += played
			return in, err
		}
		if time.Since(last) > c.between {
			c.anew()
		}
		last = time.Now()
		if c.whole = c.matchedBy(in.Keys[0]); c.whole != srgs.None {
			in.Clip += played
			return in, nil
		}
		played += in.Clip
		if g.Play = slices.Clone(g.Play[min(in.Clip, len(g.Play)):]); len(g.Play) > 0 {
			g.Play[0].Offset = in.At
		}
	}
}

// matchedBy gives a key to the grammars and returns Open or Final when they have enough. A key that does not go on may be
// the first of another try.
func (c *collecting) matchedBy(key byte) srgs.State {
	if !c.accepts(key) {
		c.anew()
	}
	if !c.accepts(key) {
		return srgs.None
	}
	c.in.keys += string(key)
	if s := c.press(key); s != srgs.Prefix {
		return s
	}
	return srgs.None
}

// anew forgets the keys pressed so far.
func (c *collecting) anew() {
	for _, a := range c.list {
		a.m = a.linked.NewMatcher()
	}
	c.in.keys, c.in.event, c.whole = "", "", srgs.None
}

// further goes on behind keys that are enough.
func (c *collecting) further(s srgs.State) error {
	if s == srgs.Final {
		return c.complete()
	}
	key, err := c.key(c.between)
	if err != nil {
		return err
	}
	return c.match(key)
}
