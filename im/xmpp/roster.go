package xmpp

import (
	"context"
	"slices"
	"strings"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// A contact is what the roster says about somebody.
type contact struct {
	name         string
	subscription string // "none", "to", "from", "both"
}

// askRoster fetches the roster. c.mu must be held.
func (c *Conn) askRoster() {
	c.tell("get", el(nsRoster, "query"), func(answer *element, err error) {
		if err != nil {
			c.log.Info("xmpp: no roster", "account", c.own, "err", err)
			return
		}
		c.roster = make(map[string]contact)
		c.learn(answer)
		c.emit(true, c.rosterEvent())
	})
}

// pushed takes a change of the roster. c.mu must be held.
func (c *Conn) pushed(q *element) {
	if c.roster == nil {
		return // the whole roster is still to come
	}
	c.learn(q)
	c.emit(true, c.rosterEvent())
}

// learn takes the items of a roster or a push. c.mu must be held.
func (c *Conn) learn(q *element) {
	if q == nil {
		return
	}
	for _, item := range q.kids {
		bare := parseJID(item.attr("jid"), "")
		if !item.is(nsRoster, "item") || bare == "" {
			continue
		}
		if item.attr("subscription") == "remove" {
			delete(c.roster, bare)
			continue
		}
		c.roster[bare] = contact{name: clip(item.attr("name"), 200), subscription: item.attr("subscription")}
	}
}

// rosterEvent lists the contacts by address. c.mu must be held.
func (c *Conn) rosterEvent() im.Roster {
	r := im.Roster{Contacts: make([]im.Contact, 0, len(c.roster))}
	for bare, k := range c.roster {
		r.Contacts = append(r.Contacts, im.Contact{Address: address(bare), Name: k.name})
	}
	slices.SortFunc(r.Contacts, func(a, b im.Contact) int { return strings.Compare(a.Address.ID, b.Address.ID) })
	return r
}

// nameOf is what the user calls somebody.
func (c *Conn) nameOf(bare string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.roster[bare].name
}

// trusts tells whether somebody may know that the user's client is there: a receipt tells as much as presence does.
// c.mu must be held.
func (c *Conn) trusts(bare string) bool {
	s := c.roster[bare].subscription
	return s == "both" || s == "from"
}

// AddContact puts somebody into the roster under a name, asks to see his presence, and lets him see the user's.
func (c *Conn) AddContact(ctx context.Context, contact im.Contact) error {
	bare, err := bareAddress(contact.Address)
	if err != nil {
		return err
	}
	item := el(nsRoster, "item", "jid", bare, "name", contact.Name)
	if _, err := c.call(ctx, "set", el(nsRoster, "query").with(item)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscription(bare, "subscribed")
	return c.writtenOut(ctx, c.subscription(bare, "subscribe"))
}

// RemoveContact takes somebody out of the roster, both ways.
func (c *Conn) RemoveContact(ctx context.Context, a im.Address) error {
	bare, err := bareAddress(a)
	if err != nil {
		return err
	}
	item := el(nsRoster, "item", "jid", bare, "subscription", "remove")
	_, err = c.call(ctx, "set", el(nsRoster, "query").with(item))
	return err
}

// subscription sends one of the presence types that manage subscriptions. c.mu must be held.
func (c *Conn) subscription(bare, kind string) (ticket uint64) {
	data := el(nsClient, "presence", "to", bare, "type", kind).bytes()
	return c.sendStanza(sent{Data: data}, data)
}

// bareAddress checks that a is an XMPP address and returns its bare JID.
func bareAddress(a im.Address) (string, error) {
	if a.Network != im.XMPP {
		return "", fail(im.Policy, "xmpp: %q is not an address of this network", a.String())
	}
	j, err := jid.Parse(a.ID)
	if err != nil {
		return "", fail(im.Policy, "xmpp: address: %w", err)
	}
	return j.Bare().String(), nil
}
