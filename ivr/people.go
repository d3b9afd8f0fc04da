package ivr

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"unicode"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// people are the caller's contacts.
type people []wire.Contact

// byNumber finds a contact by its short number.
func (p people) byNumber(digits string) (wire.Contact, bool) {
	n, err := strconv.Atoi(digits)
	for _, contact := range p {
		if err == nil && n > 0 && contact.Number == n {
			return contact, true
		}
	}
	return wire.Contact{}, false
}

// byAddress finds a contact by address.
func (p people) byAddress(a im.Address) (wire.Contact, bool) {
	for _, contact := range p {
		if contact.Address == a {
			return contact, true
		}
	}
	return wire.Contact{}, false
}

// meet asks for the contacts and how available they are now.
func (c *Call) meet(ctx context.Context) error {
	return c.ask(ctx, func(ctx context.Context, m Messenger) (err error) {
		c.people, err = m.Roster(ctx)
		return err
	})
}

// called is how somebody is spoken of: by the contact's name, else by what the address says. A name that is a number, as of
// users who have none, is no amount.
func (c *Call) called(a im.Address) any {
	contact, _ := c.people.byAddress(a)
	name := cmp.Or(sayable(contact.Name), sayable(c.queue.names[a]), bare(a))
	if strings.Trim(name, "0123456789") == "" {
		return prompts.Digits(name)
	}
	return name
}

// sayable is a name without its pictures and signs, "" when nothing of it can be said: not every voice knows other scripts
// than ours.
func sayable(name string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Latin, unicode.Mn, unicode.Nd) || strings.ContainsRune(".'&@-", r) {
			return r
		}
		return ' '
	}, name)
	if !strings.ContainsFunc(kept, func(r rune) bool { return unicode.In(r, unicode.Latin, unicode.Nd) }) {
		return ""
	}
	return strings.Join(strings.Fields(kept), " ")
}

// bare makes something speakable of an address: what stands before the @, or all of a user number.
func bare(a im.Address) string {
	local, _, _ := strings.Cut(strings.TrimPrefix(a.ID, "@"), "@")
	return strings.NewReplacer(".", " ", "_", " ", "-", " ").Replace(local)
}

// facing is whom the call is about at the moment: whom one writes to, or whose message is read.
func (c *Call) facing() im.Address {
	if c.rec != nil || c.at == atRecord || c.at == atConfirm || c.at == atQuick || c.at == atOnline || c.at == atDial {
		return c.person
	}
	if m, ok := c.queue.current(); ok {
		return m.From
	}
	return c.last
}
