package xmpp

import (
	"context"
	"slices"

	"hark/im"
)

// A resource is one client of a contact.
type resource struct {
	name string
	im.Presence
}

// Bounds of what is remembered of others' presence: a contact's clients (the latest), and people while there is no roster.
const (
	maxResources = 16
	maxPeople    = 1000
)

// handlePresence takes somebody's presence, or a request to see ours. c.mu must be held.
func (c *Conn) handlePresence(e *element) {
	from := e.attr("from")
	bare := parseJID(from, "")
	if bare == "" || bare == c.own {
		return
	}
	switch e.attr("type") {
	case "", "unavailable":
		if !c.follows(bare) {
			return
		}
		c.shown(bare, resourceOf(from), readPresence(e, bare))
	case "subscribe":
		c.wantsToSee(bare, e)
	}
}

// follows tells whether somebody's presence matters: anybody may send his, and what strangers send must not fill the
// memory. c.mu must be held.
func (c *Conn) follows(bare string) bool {
	_, contact := c.roster[bare]
	_, shown := c.resources[bare]
	return contact || shown || c.roster == nil && len(c.resources) < maxPeople
}

// shown updates one client of a contact, and emits the contact's presence if that changes it. c.mu must be held.
func (c *Conn) shown(bare, name string, p im.Presence) {
	before := best(bare, c.resources[bare])
	list := slices.DeleteFunc(c.resources[bare], func(r resource) bool { return r.name == name })
	if p.Show != im.Offline {
		list = append(list, resource{name: name, Presence: p})
	}
	list = list[max(0, len(list)-maxResources):]
	if c.resources == nil {
		c.resources = make(map[string][]resource)
	}
	if c.resources[bare] = list; len(list) == 0 {
		delete(c.resources, bare)
	}
	// "Offline" is told even when nothing else was known: after a resumption the server only tells changes.
	if after := best(bare, list); after != before || after.Show == im.Offline {
		c.emit(true, after)
	}
}

// best is the most available client's presence.
func best(bare string, list []resource) im.Presence {
	rank := []im.Show{im.Available, im.Busy, im.Away}
	for _, show := range rank {
		for _, r := range list {
			if r.Show == show {
				return r.Presence
			}
		}
	}
	return im.Presence{From: address(bare), Show: im.Offline}
}

func readPresence(e *element, bare string) im.Presence {
	p := im.Presence{From: address(bare), Show: im.Available, Text: clip(e.textOf(nsClient, "status"), 500)}
	switch e.textOf(nsClient, "show") {
	case "away", "xa":
		p.Show = im.Away
	case "dnd":
		p.Show = im.Busy
	}
	if e.attr("type") == "unavailable" {
		p.Show = im.Offline
	}
	return p
}

// wantsToSee handles a request to see the user's presence. Somebody in the roster is let in; anybody else's request
// becomes a message, so that the user hears of it; AddContact grants it. c.mu must be held.
func (c *Conn) wantsToSee(bare string, e *element) {
	if _, known := c.roster[bare]; known {
		c.subscription(bare, "subscribed")
		return
	}
	text := clip(e.textOf(nsClient, "status"), 500)
	if text == "" {
		text = "I would like to add you to my contacts."
	}
	c.emit(true, im.Message{
		Origin: "subscribe/" + bare, From: address(bare), To: address(c.own), Body: text,
		Name: clip(e.textOf(nsNick, "nick"), 100), Sent: c.view.now().UTC(),
	})
}

// SetPresence publishes the user's availability. Invisible needs a server that knows XEP-0186; with any other the
// error is of class Policy and nothing changes. Offline keeps the login, but the server holds messages back.
func (c *Conn) SetPresence(ctx context.Context, p im.Presence) error {
	c.mu.Lock()
	was := c.show.Show
	c.mu.Unlock()
	if was == im.Invisible || p.Show == im.Invisible {
		if err := c.setInvisible(ctx, p.Show == im.Invisible); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show = im.Presence{Show: p.Show, Text: p.Text}
	if was == im.Offline && p.Show != im.Offline {
		c.lookBackLater(c.view.now())
	}
	return c.writtenOut(ctx, c.appear())
}

func (c *Conn) setInvisible(ctx context.Context, on bool) error {
	command := "visible"
	if on {
		command = "invisible"
	}
	_, err := c.call(ctx, "set", el(nsInvisible, command))
	return err
}

// appear sends the user's presence. c.mu must be held.
func (c *Conn) appear() (ticket uint64) {
	e := el(nsClient, "presence")
	switch c.show.Show {
	case im.Away:
		e.with(el(nsClient, "show").says("away"))
	case im.Busy:
		e.with(el(nsClient, "show").says("dnd"))
	case im.Offline:
		e = el(nsClient, "presence", "type", "unavailable")
	}
	if c.show.Text != "" {
		e.with(el(nsClient, "status").says(c.show.Text))
	}
	data := e.bytes()
	return c.sendStanza(sent{Data: data}, data)
}
