package ivr

import (
	"context"
	"strconv"
	"strings"

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

// called is how somebody is spoken of: by the contact's name, else by what the address says.
func (c *Call) called(a im.Address) any {
	if contact, ok := c.people.byAddress(a); ok && contact.Name != "" {
		return contact.Name
	}
	if name, ok := c.queue.names[a]; ok {
		return name
	}
	return bare(a)
}

// bare makes something speakable of an address: the digits of a user number, or what stands before the @.
func bare(a im.Address) any {
	if a.Network == im.Hark {
		return prompts.Digits(a.ID)
	}
	local, _, _ := strings.Cut(a.ID, "@")
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
