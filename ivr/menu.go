package ivr

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"hark/prompts"
)

// runMenu is the step of every menu: it speaks, waits for a key, and does what the key declares. Turns without a good
// key climb the ladder: the choices again, the long form, help, and the end.
func runMenu(ctx context.Context, c *Call) (state, error) {
	n := c.node
	c.keyed = false
	list := slices.Concat(c.enter(n), c.choices(n))
	announced := false
	for misses := 0; misses < maxTurns; {
		head := c.clips(ctx, append(c.aside(), c.networks.news()...)...)
		press, in, err := c.turn(ctx, append(head, c.clips(ctx, list...)...), c.set.MenuFirst)
		announced = announced || begun(in, len(head))
		switch {
		case errors.Is(err, errNotice):
			list = append(c.announce(ctx), c.choices(n)...)
			continue
		case err != nil:
			return "", err
		case press == "":
			misses++
			list = c.rung(n, misses)
			continue
		case !announced && n.unexpected(c, press):
			continue
		}
		next, err := c.press(ctx, n, press)
		if err != nil {
			return "", err
		}
		switch next {
		case unused:
			misses++
			c.line.Flush() // what was keyed behind it is not meant for here either
			list = append([]phrase{say("key.unused")}, c.choices(n)...)
		case help:
			list = c.helpFor(n)
		case stay:
			list = c.choices(n)
		default:
			return next, nil
		}
	}
	return atGiveUp, nil
}

// reaction is how fast nobody answers to what he hears.
const reaction = 300 * time.Millisecond

// begun tells whether a turn came so far that the caller could answer to the clip with this index.
func begun(in Input, clip int) bool {
	return in.Clip > clip || in.Clip == clip && in.At >= reaction
}

// unexpected tells whether a key, pressed before the caller knew where he is, must have been meant for another node.
func (n *node) unexpected(c *Call, press string) bool {
	k, ok := n.key(c, press)
	return ok && k.heard
}

// press does what the node has on a key.
func (c *Call) press(ctx context.Context, n *node, press string) (state, error) {
	if press == "#" && c.notice != 0 && n.leads(atReader) {
		return c.openNotice(), nil
	}
	c.notice = 0
	k, ok := n.key(c, press)
	switch {
	case !ok:
		return unused, nil
	case k.do != nil:
		return k.do(ctx, c)
	}
	return k.to, nil
}

// enter is what a node says on entering.
func (c *Call) enter(n *node) []phrase {
	if n.intro == nil {
		return nil
	}
	return n.intro(c)
}

// rung is what is said at a step of the error ladder.
func (c *Call) rung(n *node, misses int) []phrase {
	switch misses {
	case 1:
		return c.choices(n)
	case 2:
		return c.allKeys(n)
	}
	return c.helpFor(n)
}

// choices offers the keys of a node that are there at the moment, but not the hot keys.
func (c *Call) choices(n *node) []phrase {
	return c.offer(n, func(k key) bool { return !k.hot })
}

// allKeys offers the hot keys as well.
func (c *Call) allKeys(n *node) []phrase {
	return c.offer(n, func(key) bool { return true })
}

// helpFor is the help of a node, with all its keys.
func (c *Call) helpFor(n *node) []phrase {
	return append([]phrase{{id: n.help, args: c.facts()}}, c.allKeys(n)...)
}

// offer speaks the labels of the wanted keys, apart when there are many.
func (c *Call) offer(n *node, want func(key) bool) []phrase {
	var list []phrase
	for _, k := range n.keys {
		if want(k) && k.there(c) && k.label != "" {
			list = append(list, c.labelled(k))
		}
	}
	if len(list) > 3 {
		for i := range list[:len(list)-1] {
			list[i].pause = c.set.OptionPause
		}
	}
	return list
}

// labelled is the phrase that offers a key.
func (c *Call) labelled(k key) phrase {
	p := phrase{id: k.label, args: c.facts()}
	if k.args != nil {
		maps.Copy(p.args, k.args(c))
	}
	if k.lang != nil {
		p.lang = k.lang(c)
	}
	return p
}

// facts fills the placeholders of labels and help.
func (c *Call) facts() prompts.Args {
	return prompts.Args{"name": c.called(c.facing())}
}
