package ivr

import (
	"context"
	"strconv"

	"hark/prompts"
)

// perPage is how many choices of a list are offered at once.
const perPage = 4

// A list is the choices of a menu that are known only in the call: persons, replies, languages.
type list struct {
	label string                                                   // prompt that offers one; {number} is its key
	size  func(c *Call) int                                        // how many there are
	args  func(c *Call, i int) prompts.Args                        // fills the label
	lang  func(c *Call, i int) string                              // of the label, where it is not the call's; nil is
	take  func(ctx context.Context, c *Call, i int) (state, error) // one was chosen
	to    state                                                    // where that leads
}

// keys offers the choices on 1 to 4, and the next four of them behind 5.
func (l list) keys() []key {
	var keys []key
	for i := range perPage {
		at := func(c *Call) int { return c.page*perPage + i }
		k := key{press: strconv.Itoa(i + 1), label: l.label, to: l.to}
		k.when = func(c *Call) bool { return at(c) < l.size(c) }
		k.args = func(c *Call) prompts.Args {
			args := l.args(c, at(c))
			args["number"] = i + 1
			return args
		}
		if l.lang != nil {
			k.lang = func(c *Call) string { return l.lang(c, at(c)) }
		}
		k.do = func(ctx context.Context, c *Call) (state, error) { return l.take(ctx, c, at(c)) }
		keys = append(keys, k)
	}
	return append(keys, key{
		press: "5", label: "list.more", to: stay,
		when: func(c *Call) bool { return l.size(c) > perPage },
		do:   func(_ context.Context, c *Call) (state, error) { return l.turnPage(c), nil },
	})
}

// turnPage goes on to the next choices, and behind the last ones to the first.
func (l list) turnPage(c *Call) state {
	c.page++
	if c.page*perPage >= l.size(c) {
		c.page = 0
	}
	return stay
}
