package ivr

import (
	"context"
	"errors"
	"slices"

	"hark/im"
	"hark/presence/wire"
)

// What the dialogue keeps of a user at the presence server, besides place and draft.
const (
	heardKey = "phone.heard" // numbers of messages that were heard out of order
	lastKey  = "phone.last"  // whom the user wrote to last
)

// homeNodes are the main menu and the way into it.
func homeNodes() []*node {
	return []*node{
		{name: atArrive, kind: passing, run: arrive, next: []state{atDrafts, atLost, atHome, atReader, atMore, atStatus, atSettings, atLanguage, atReview}},
		{name: atHome, kind: menu, run: runMenu, intro: homeIntro, help: "home.help",
			keys: []key{
				{press: "1", label: "home.key.1", do: startReading, to: atReader},
				{press: "2", label: "home.key.2", do: startWriting, to: atWho},
				{press: "3", label: "home.key.3", do: startNaming, to: atOnline},
				{press: "4", label: "home.key.4", to: atMore},
				{press: "#", label: "home.key.first", do: startReading, to: atReader, hot: true},
				{press: "*", label: "home.key.again", to: startAgain, hot: true},
			}},
	}
}

// arrive loads what waits for the caller, and listens for more.
func arrive(ctx context.Context, c *Call) (state, error) {
	if err := c.ask(ctx, c.load); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		c.log.Error("messages cannot be loaded", "err", err)
		c.over = errors.Is(err, errOver)
		return atLost, nil
	}
	c.loaded = true
	if c.adopted == "" {
		c.useLanguageOf(ctx, c.session.User)
	}
	c.session.news = c.follow(c.session.client, false)
	if c.adopted != "" {
		return c.goOn(ctx)
	}
	if c.greeted {
		// nothing more
	} else if c.resumed && c.session.Name != "" {
		c.tell(say("login.back", "name", c.session.Name))
	} else if c.resumed {
		c.tell(say("login.back.unnamed"))
	}
	c.tell(c.arrivals(ctx, c.cameBefore())...)
	c.tellLost(ctx)
	return atDrafts, nil
}

// load fetches messages, contacts, drafts and place. It may be done twice.
func (c *Call) load(ctx context.Context, m Messenger) error {
	c.queue, c.drafts, c.watched = queue{}, nil, nil
	q := &c.queue
	var kept wire.Unsent
	for _, get := range []func() error{
		func() error {
			return m.GetStates(ctx, map[string]any{
				heardKey: &q.beyond, goneKey: &q.gone.list, againKey: &q.again.list, speedKey: &c.speed, watchKey: &c.watched,
				wire.Place: &q.from, wire.Draft: &kept,
			})
		},
		func() error { return c.loadAgain(ctx, m) },
		func() error { return c.loadNew(ctx, m) },
		func() (err error) { c.people, err = m.Roster(ctx); return err },
		func() error { return c.loadNetworks(ctx, m) },
	} {
		if err := get(); err != nil {
			return err
		}
	}
	q.gone.kept, q.again.kept = slices.Clone(q.gone.list), slices.Clone(q.again.list)
	if q.placed = map[wire.PlaceValue]bool{}; q.from.Seq != 0 {
		q.placed[q.from] = true
	}
	c.drafts = kept.List()
	return nil
}

// loadAgain fetches the messages that were marked as new.
func (c *Call) loadAgain(ctx context.Context, m Messenger) error {
	q := &c.queue
	for _, seq := range q.again.list {
		reply, err := m.Fetch(ctx, wire.FetchRequest{After: seq - 1, Before: seq + 1, Max: 1})
		if err != nil {
			return err
		}
		q.add(reply.Messages)
	}
	q.newest = 0
	return nil
}

// loadNetworks asks for the states of the networks.
func (c *Call) loadNetworks(ctx context.Context, m Messenger) error {
	states, err := m.Networks(ctx)
	for _, state := range states {
		c.networks.note(state)
	}
	return err
}

// loadNew fetches the next new messages.
func (c *Call) loadNew(ctx context.Context, m Messenger) error {
	q := &c.queue
	reply, err := m.Fetch(ctx, wire.FetchRequest{New: true, After: q.newest, Max: page})
	if err != nil {
		return err
	}
	q.cursor = max(q.cursor, reply.Cursor)
	q.newest = max(q.newest, q.cursor)
	q.add(reply.Messages)
	q.more = 0
	if len(reply.Messages) > 0 {
		q.more = max(0, reply.Waiting-q.known())
	}
	return nil
}

// land goes to where the caller was, after a session number, and to the main menu otherwise.
func (c *Call) land(ctx context.Context) (state, error) {
	if c.resumed && c.queue.index(c.queue.from.Seq) >= 0 {
		return startReading(ctx, c)
	}
	return atHome, nil
}

// groups is how many persons the main menu names.
const groups = 3

// homeIntro tells what waits, by person and by kind.
func homeIntro(c *Call) []phrase {
	c.collect()
	c.notice = 0
	q := &c.queue
	q.active, q.said, q.undo = false, im.Address{}, deletion{}
	var list []phrase
	if n := c.session.Dropped; n > 0 {
		c.session.Dropped = 0
		list = append(list, say("home.dropped", "count", n))
	}
	waiting := q.unheard()
	switch {
	case len(waiting) == 0:
		return append(list, say("home.none"))
	case q.more > 0:
		return append(list, say("home.many", "count", len(waiting)+q.more))
	}
	list = append(list, say("home.new", "count", len(waiting)))
	list = append(list, c.senders(waiting)...)
	if first, ok := c.people.byAddress(waiting[0].From); ok && first.Show == im.Available {
		list = append(list, say("home.online", "name", c.called(first.Address)))
	}
	return list
}

// sender is one line of the main menu's summary.
type sender struct {
	from  im.Address
	voice bool
}

// senders says how many messages came from whom, and which by voice.
func (c *Call) senders(waiting []*item) []phrase {
	var order []sender
	count := map[sender]int{}
	for _, it := range waiting {
		s := sender{it.From, it.voiced()}
		if !slices.Contains(order, s) {
			order = append(order, s)
		}
		count[s]++
	}
	var list []phrase
	others := 0
	for i, s := range order {
		if i >= groups {
			others += count[s]
			continue
		}
		list = append(list, c.summary(s, count[s], count[s] == len(waiting)))
	}
	if others > 0 {
		list = append(list, say("home.others", "count", others))
	}
	return list
}

// summary is one sender's line; only says that there is no other, which makes the number needless.
func (c *Call) summary(s sender, n int, only bool) phrase {
	id := "home.from"
	if only {
		id += ".one"
	}
	if s.voice {
		id += ".voice"
	}
	return say(id, "count", n, "name", c.called(s.from))
}

// collect takes messages that came during the call into the queue and returns them.
func (c *Call) collect() []*item {
	fresh := c.queue.add(c.session.news.collect())
	c.queue.more = max(0, c.queue.more-len(fresh))
	return fresh
}

// announce tells of a message that came during a menu; hash leads to it.
func (c *Call) announce(ctx context.Context) []phrase {
	list := c.arrivals(ctx, c.session.news.arrived())
	behind := c.queue.more > 0 // then others, which waited before, come along
	fresh := c.collect()
	if len(fresh) == 0 {
		return list
	}
	first := fresh[0]
	if behind {
		first = fresh[len(fresh)-1]
	}
	c.notice = first.Seq
	if first.voiced() {
		return append(list, earcon("voice"), say("notice.voice", "name", c.called(first.From)))
	}
	return append(list, earcon("message"), say("notice.from", "name", c.called(first.From)))
}

// openNotice goes to the message that was just announced.
func (c *Call) openNotice() state {
	c.queue.move(c.queue.index(c.notice))
	c.notice = 0
	return atReader
}

// startReading begins where the caller stopped last time, or with the first new message, or with the last old one.
func startReading(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	if i := q.index(q.from.Seq); i >= 0 && !q.items[i].heard {
		c.resumeAt(i)
		return atReader, nil
	}
	if i, ok := q.firstUnheard(); ok {
		q.move(i)
		return atReader, nil
	}
	if _, err := c.older(ctx); err != nil {
		return "", err
	}
	if len(q.items) == 0 {
		c.tell(say("reader.nothing"))
		return stay, nil
	}
	q.move(len(q.items) - 1)
	c.tell(say("reader.old"))
	return atReader, nil
}

// resumeAt goes to the kept place; it is used up by that.
func (c *Call) resumeAt(i int) {
	q := &c.queue
	q.move(q.postpone(i))
	q.at = millis(q.from.MS)
	q.from = wire.PlaceValue{}
	c.tell(say("reader.resume"))
}
