package ivr

import (
	"context"
	"slices"

	"hark/im"
	"hark/presence/wire"
)

// watchKey is where the addresses are kept whose coming the user wants to be told of.
const watchKey = "phone.watch"

// onlineNodes tell who is there.
func onlineNodes() []*node {
	return []*node{
		{name: atOnline, kind: reading, run: nameOne, back: atHome, help: "online.help", keys: []key{
			{press: "1", label: "online.key.write", do: writeToNamed, to: atConfirm, hot: true},
			{press: "3", label: "online.key.call", do: callNamed, to: atDial, when: namedCanBeCalled, hot: true},
			{press: "4", label: "online.key.back", do: nameBefore, to: atOnline, hot: true},
			{press: "5", label: "online.key.watch", do: watchNamed, to: atOnline, hot: true},
			{press: "6", label: "online.key.next", do: nameNext, to: atOnline, hot: true},
			{press: "#", label: "online.key.stop", to: atHome, hot: true},
		}},
	}
}

// startNaming begins with those who are there; the others follow.
func startNaming(ctx context.Context, c *Call) (state, error) {
	if err := c.meet(ctx); err != nil {
		return "", err
	}
	c.named, c.spot, c.there = nil, 0, 0
	for _, there := range []bool{true, false} {
		for _, contact := range c.people {
			if present(contact) == there {
				c.named = append(c.named, contact.Address)
			}
		}
		if there {
			c.there = len(c.named)
		}
	}
	if len(c.named) == 0 {
		c.tell(say("online.nobody"))
		return stay, nil
	}
	if c.there == 0 {
		c.tell(say("online.none"))
	} else {
		c.tell(say("online", "count", c.there))
	}
	return atOnline, nil
}

// nameOne says one name, and goes on to the next when no key comes.
func nameOne(ctx context.Context, c *Call) (state, error) {
	if c.spot >= len(c.named) {
		c.tell(say("online.end"))
		return atHome, nil
	}
	c.person = c.named[c.spot]
	list := c.aside()
	if c.spot == c.there && c.there > 0 {
		list = append(list, say("online.others"))
	}
	press, _, err := c.turn(ctx, c.clips(ctx, append(list, c.introduced())...), c.set.OptionPause)
	switch {
	case err != nil:
		return "", err
	case press == "":
		return nameNext(ctx, c)
	}
	next, err := c.press(ctx, c.node, press)
	switch next {
	case unused:
		c.tell(say("key.unused"))
		return atOnline, err
	case help:
		c.tell(c.helpFor(c.node)...)
		return atOnline, err
	}
	return next, err
}

// introduced names the person at hand; a word about it only for those who are there, but not quite.
func (c *Call) introduced() phrase {
	contact, _ := c.people.byAddress(c.person)
	if contact.Show == im.Away || contact.Show == im.Busy {
		return say("who."+string(contact.Show), "name", c.called(c.person))
	}
	return say("online.name", "name", c.called(c.person))
}

func nameNext(_ context.Context, c *Call) (state, error) {
	c.spot++
	return atOnline, nil
}

func nameBefore(_ context.Context, c *Call) (state, error) {
	c.spot = max(0, c.spot-1)
	return atOnline, nil
}

func writeToNamed(_ context.Context, c *Call) (state, error) {
	c.after = atHome
	return atConfirm, nil
}

// watchNamed promises to tell when the person at hand comes online, or takes the promise back.
func watchNamed(ctx context.Context, c *Call) (state, error) {
	contact, _ := c.people.byAddress(c.person)
	c.spot++
	switch {
	case contact.Show == im.Available:
		c.tell(say("watch.there", "name", c.called(c.person)))
		return atOnline, nil
	case slices.Contains(c.watched, c.person):
		c.tell(say("watch.off", "name", c.called(c.person)))
		return atOnline, c.watch(ctx, func(list []im.Address) []im.Address { return without1(list, c.person) })
	}
	c.tell(say("watch.on", "name", c.called(c.person)))
	return atOnline, c.watch(ctx, func(list []im.Address) []im.Address { return append(without1(list, c.person), c.person) })
}

// without1 is a list without one address.
func without1(list []im.Address, a im.Address) []im.Address {
	return slices.DeleteFunc(slices.Clone(list), func(b im.Address) bool { return a == b })
}

// watch changes whom the user wants to be told of, here and at the server, where another call may have changed it too.
func (c *Call) watch(ctx context.Context, change func([]im.Address) []im.Address) error {
	c.watched = change(c.watched)
	c.session.news.watch(c.watched)
	return c.ask(ctx, func(ctx context.Context, m Messenger) error {
		var kept []im.Address
		return m.ChangeState(ctx, wire.State, watchKey, &kept, func() any {
			if list := change(kept); len(list) > 0 {
				return list
			}
			return nil
		})
	})
}

// arrivals tells who came of those that are watched, each once.
func (c *Call) arrivals(ctx context.Context, came []im.Address) []phrase {
	var list []phrase
	told := func(a im.Address) bool { return slices.Contains(came, a) }
	for _, a := range c.watched {
		if told(a) {
			list = append(list, say("watch.came", "name", c.called(a)))
		}
	}
	if len(list) == 0 {
		return nil
	}
	err := c.watch(ctx, func(list []im.Address) []im.Address { return slices.DeleteFunc(slices.Clone(list), told) })
	if err != nil {
		c.log.Warn("watched persons not kept", "err", err)
	}
	return list
}

// cameBefore lists the watched persons who are there when the call begins.
func (c *Call) cameBefore() []im.Address {
	var list []im.Address
	for _, a := range c.watched {
		if contact, ok := c.people.byAddress(a); ok && contact.Show == im.Available {
			list = append(list, a)
		}
	}
	return list
}
