package ivr

import (
	"context"
	"slices"
)

// runField is the step of every number: it speaks, takes digits, and hands them to the node's take. Star clears what
// was keyed, or goes back when nothing was; hash ends it.
func runField(ctx context.Context, c *Call) (state, error) {
	n := c.node
	c.keyed = false
	question := n.question(c)
	list := slices.Concat(c.enter(n), []phrase{say(question)})
	for misses := 0; misses < maxTurns; {
		in, err := c.number(ctx, c.clips(ctx, append(c.aside(), list...)...), n.digits)
		if err != nil {
			return "", err
		}
		next, told := stay, false
		switch keyed := in.Keys != ""; {
		case in.End == "*" && keyed:
			list = []phrase{say(question)}
			continue
		case in.End == "*":
			return n.back, nil
		case in.End == "#" && !keyed && n.empty == nil:
			next = help
		case in.End == "#" && !keyed:
			next, err = n.empty(ctx, c)
		case keyed && (in.End == "#" || in.Why == Full || !n.exact || n.max(c.set) == longestPIN):
			next, err = n.take(ctx, c, in.Keys)
			told = next == stay
		}
		if err != nil || next != stay && next != help {
			return next, err
		}
		if misses++; told { // why it does not do: who still tries is not given up
			misses = min(misses, maxTurns-1)
		}
		list = n.fieldRung(question, misses)
		if next == help {
			list = []phrase{say(n.help), say(question)}
		}
	}
	return atGiveUp, nil
}

// question is the prompt of a field at the moment.
func (n *node) question(c *Call) string {
	if n.asks != nil {
		return n.asks(c)
	}
	return n.prompt
}

// fieldRung is what a field says at a step of the error ladder.
func (n *node) fieldRung(question string, misses int) []phrase {
	switch {
	case misses == 1:
		return []phrase{say(question)}
	case misses == 2 && question == n.prompt:
		return []phrase{say(n.prompt + ".long")}
	}
	return []phrase{say(n.help), say(question)}
}
