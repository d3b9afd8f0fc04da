package ivr

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// fewestLetters is how many keys make a search by name; fewer are a number only.
const fewestLetters = 2

// mostFound is how many persons are offered; among more of them one more letter decides.
const mostFound = 8

// whichKeys choose among the persons that were found.
func whichKeys() []key {
	return list{
		label: "which.key", to: atConfirm,
		size: func(c *Call) int { return len(c.found) },
		args: func(c *Call, i int) prompts.Args { return prompts.Args{"name": c.distinct(i)} },
		take: func(_ context.Context, c *Call, i int) (state, error) {
			c.person = c.found[i]
			return atConfirm, nil
		},
	}.keys()
}

// distinct is how one of the persons found is spoken of: with the address where another one is called the same.
func (c *Call) distinct(i int) any {
	a := c.found[i]
	name := c.called(a)
	same := func(b im.Address) bool { return b != a && c.called(b) == name }
	switch {
	case !slices.ContainsFunc(c.found, same):
		return name
	case a.Network == im.Hark:
		return fmt.Sprintf("%s, %s", name, strings.Join(strings.Split(a.ID, ""), " "))
	}
	return fmt.Sprintf("%s, %s", name, address(a.ID, c.words))
}

func whichIntro(c *Call) []phrase { return []phrase{say("which", "count", len(c.found))} }

// takeWho finds the person behind a short number, the first letters of a name, or a user number.
func takeWho(_ context.Context, c *Call, digits string) (state, error) {
	c.page, c.found = 0, c.people.find(digits)
	switch {
	case len(c.found) == 1:
		c.person = c.found[0]
		return atConfirm, nil
	case len(c.found) > mostFound && len(digits) < c.set.UserDigits:
		c.tell(say("who.more"))
		return stay, nil
	case len(c.found) > 0:
		return atWhich, nil
	case len(digits) == c.set.UserDigits:
		c.person = im.Address{Network: im.Hark, ID: digits}
		return atConfirm, nil
	}
	c.tell(say("who.none"))
	return stay, nil
}

// find lists whom keys may mean: the contact with that number first, then those with such a name, the present ones
// before the others.
func (p people) find(keys string) []im.Address {
	var list []im.Address
	if contact, ok := p.byNumber(keys); ok {
		list = append(list, contact.Address)
	}
	if len(keys) < fewestLetters {
		return list
	}
	for _, there := range []bool{true, false} {
		for _, contact := range p {
			if present(contact) == there && fitsName(keys, contact.Name) && !slices.Contains(list, contact.Address) {
				list = append(list, contact.Address)
			}
		}
	}
	return list
}

// present tells whether somebody is there, if only away or busy.
func present(contact wire.Contact) bool {
	return contact.Show == im.Available || contact.Show == im.Away || contact.Show == im.Busy
}
