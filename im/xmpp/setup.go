package xmpp

import (
	"slices"
	"strconv"
	"time"

	"hark/im"
)

// pageSize is how many messages of the archive are fetched at once.
const pageSize = 50

// goOn takes up what the login before left: what the server had handled is reported as sent; the rest is sent again,
// at once on the resumed stream, and after a look into the archive on a new one. c.mu must be held.
func (c *Conn) goOn(l *login) {
	b := l.before
	old := ledger{out: b.Out, queue: b.Queue}
	ids := old.catchUp(l.handled, l.known)
	for _, t := range old.recent {
		c.ledger.remember(t)
	}
	again := old.takeQueue()
	c.held = slices.Clone(b.Held)
	if l.resumed {
		c.ledger.in, c.ledger.acked, c.ledger.marked = b.In, b.In, b.In
		c.ledger.out = l.handled
		for _, s := range again {
			c.sendStanza(s, s.Data)
		}
	} else {
		again = slices.DeleteFunc(again, func(s sent) bool { return s.ID == "" })
		c.held = append(c.held, again...)
	}
	c.emitSent(ids)
}

// setUp asks for what a login needs. c.mu must be held.
func (c *Conn) setUp(l *login) {
	defer func() { c.put(c.request()) }()
	c.askRoster()
	if l.resumed && !l.before.Appeared.IsZero() {
		c.lookBackLater(l.before.Appeared)
	}
	known := l.before.Archive
	switch {
	case l.resumed && !l.before.Fetching && len(c.held) == 0:
		if l.outdated() && known.ID != "" {
			c.fetch(known, c.settle)
		} else {
			c.settle()
		}
		return
	case !l.resumed:
		c.introduce()
	}
	if known.ID != "" {
		c.catchUp(known)
	} else {
		c.begin(known.At)
	}
}

// introduce asks a new login's server for what a stream keeps. c.mu must be held.
func (c *Conn) introduce() {
	if c.show.Show == im.Invisible {
		c.tell("set", el(nsInvisible, "invisible"), func(*element, error) {})
	}
	c.tell("set", el(nsCarbons, "enable"), func(_ *element, err error) {
		if err != nil {
			c.log.Info("xmpp: no carbon copies", "account", c.own, "err", err)
		}
	})
}

// begin appears when no message of the archive is known: what waits comes by itself then. A query before that would tell
// some servers (Prosody) that we fetch it from the archive. Only when a login before, which began at since, has left
// something to be sent again is the archive read on from there. c.mu must be held.
func (c *Conn) begin(since time.Time) {
	c.appear()
	c.lookBackLater(c.view.now())
	begun := func() {
		c.sendHeld()
		c.findArchiveEnd()
		c.settle()
	}
	if len(c.held) == 0 || since.IsZero() {
		begun()
		return
	}
	c.fetchSince(since.Add(-clockSkew), begun)
}

// catchUp reads the archive, appears, and reads what came to the archive before that. c.mu must be held.
func (c *Conn) catchUp(after archive) {
	c.fetch(after, func() {
		c.appear()
		c.lookBackLater(c.view.now())
		c.sendHeld()
		c.fetch(c.ledger.archive, c.settle)
	})
}

// settle tells that what waited has come, as soon as the server has answered a ping that was sent after everything that
// makes it come. c.mu must be held.
func (c *Conn) settle() {
	c.tell("get", el(nsPing, "ping"), func(_ *element, err error) {
		if refused, _ := err.(*refusal); err == nil || refused != nil {
			c.emit(true, im.Synced{})
		}
	})
}

// sendHeld sends what the login before could not, and the archive does not show. c.mu must be held.
func (c *Conn) sendHeld() {
	held := c.held
	c.held = nil
	for _, s := range held {
		c.sendStanza(s, s.Data)
	}
}

// findArchiveEnd learns where the archive ends now. c.mu must be held.
func (c *Conn) findArchiveEnd() {
	id := c.newID()
	c.tell("set", archiveQuery(id, nil, el(nsRSM, "max").says("1"), el(nsRSM, "before")), func(fin *element, err error) {
		last := fin.child(nsRSM, "set").textOf(nsRSM, "last")
		if err == nil && last != "" && c.ledger.archive.ID == "" {
			c.ledger.archive = archive{ID: last, At: c.view.now().UTC()}
		}
	})
}

// fetch gets what the archive has after a message, page by page, and then goes on with done. A page is only asked for
// when the one before was read, so the sink's back-pressure holds. c.mu must be held.
func (c *Conn) fetch(after archive, done func()) {
	max := el(nsRSM, "max").says(strconv.Itoa(pageSize))
	c.query = c.newID()
	c.tell("set", archiveQuery(c.query, nil, max, el(nsRSM, "after").says(after.ID)), c.page(after, done))
}

// fetchSince is fetch for when the archive does not know the message any more. c.mu must be held.
func (c *Conn) fetchSince(t time.Time, done func()) {
	c.query = c.newID()
	max := el(nsRSM, "max").says(strconv.Itoa(pageSize))
	start := field("start", t.UTC().Format(time.RFC3339))
	c.tell("set", archiveQuery(c.query, start, max), c.page(archive{}, done))
}

// page handles the end of a page.
func (c *Conn) page(after archive, done func()) func(*element, error) {
	return func(fin *element, err error) {
		c.query = ""
		last := fin.child(nsRSM, "set").textOf(nsRSM, "last")
		refused, _ := err.(*refusal)
		switch {
		case refused != nil && refused.condition == "item-not-found" && !after.At.IsZero():
			c.fetchSince(after.At, done)
			return
		case err != nil:
			c.log.Info("xmpp: no archive", "account", c.own, "err", err)
			if refused == nil {
				return // the connection is over
			}
		case fin.attr("complete") != "true" && last != "" && last != after.ID:
			c.fetch(archive{ID: last}, done)
			return
		}
		done()
	}
}

// archiveQuery is a query of XEP-0313 with result set management (XEP-0059).
func archiveQuery(id string, filter *element, set ...*element) *element {
	q := el(nsMAM, "query", "queryid", id)
	if filter != nil {
		q.with(el(nsForm, "x", "type", "submit").with(field("FORM_TYPE", nsMAM), filter))
	}
	return q.with(el(nsRSM, "set").with(set...))
}

func field(name, value string) *element {
	return el(nsForm, "field", "var", name).with(el(nsForm, "value").says(value))
}
