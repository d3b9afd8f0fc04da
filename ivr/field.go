package ivr

import (
	"context"
	"slices"
)

// runField is the step of every number: it speaks, takes digits, and hands them to the node's take. Star clears what
// was keyed, or goes back when nothing was; hash ends it.
func runField(ctx context.Context, c *Call) (state, error) {
	n := c.node
	list := slices.Concat(c.enter(n), []phrase{say(n.prompt)})
	for misses := 0; misses < maxTurns; {
		in, err := c.number(ctx, c.clips(ctx, append(c.aside(), list...)...), n.digits)
		if err != nil {
			return "", err
		}
		next := stay
		switch keyed := in.Keys != ""; {
		case in.End == "*" && keyed:
			list = []phrase{say(n.prompt)}
			continue
		case in.End == "*":
			return n.back, nil
		case in.End == "#" && !keyed && n.empty == nil:
			next = help
		case in.End == "#" && !keyed:
			next, err = n.empty(ctx, c)
		case keyed && (in.End == "#" || in.Why == Full || !n.exact):
			next, err = n.take(ctx, c, in.Keys)
		}
		if err != nil || next != stay && next != help {
			return next, err
		}
		misses++
		list = n.fieldRung(misses)
		if next == help {
			list = []phrase{say(n.help), say(n.prompt)}
		}
	}
	return atGiveUp, nil
}

// fieldRung is what a field says at a step of the error ladder.
func (n *node) fieldRung(misses int) []phrase {
	switch misses {
	case 1:
		return []phrase{say(n.prompt)}
	case 2:
		return []phrase{say(n.prompt + ".long")}
	}
	return []phrase{say(n.help), say(n.prompt)}
}
