package web

import (
	"context"
	"maps"

	"hark/im"
	"hark/presence/wire"
)

// The cursor of a client kind runs over all messages, but a reader of conversations sees one person's messages and not
// another's. So the web door notes in a small fact of the session up to where each conversation was seen, and moves the
// cursor as far as everything before it was seen.

// seenKey is where that is noted.
const seenKey = "web.seen"

// maxUnread is how many unread messages are looked at.
const maxUnread = 1000

// counts tells how many messages of each person were not seen yet. Where nothing is noted beside the cursor, the list of
// people knows.
func (v *visit) counts(ctx context.Context) (map[im.Address]int, error) {
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	if len(notes.seen) > 0 {
		u, err := v.unread(ctx)
		return u.count, err
	}
	people, err := v.contacts(ctx)
	count := make(map[im.Address]int)
	for _, c := range people {
		if c.Unread > 0 {
			count[c.Address] = c.Unread
		}
	}
	return count, err
}

// unread is what was not seen yet, in full.
type unread struct {
	count  map[im.Address]int
	seen   map[string]int64 // by address: up to this message
	first  int64            // the first message that was not seen, 0 for none
	cursor int64            // the cursor as it is
	last   int64            // the newest unread message that was looked at
}

// unread reads what was not seen yet.
func (v *visit) unread(ctx context.Context) (unread, error) {
	notes, err := v.notes(ctx)
	if err != nil {
		return unread{}, err
	}
	u := unread{count: make(map[im.Address]int), seen: notes.seen}
	for looked := 0; looked < maxUnread; {
		reply, err := v.client.Fetch(ctx, wire.FetchRequest{New: true, After: u.last, Max: 100, Brief: true})
		if err != nil {
			return u, err
		}
		u.cursor = reply.Cursor
		if len(reply.Messages) == 0 {
			break
		}
		for _, m := range reply.Messages {
			u.look(m)
		}
		if looked += len(reply.Messages); looked >= reply.Waiting {
			break
		}
	}
	return u, nil
}

// look counts a message.
func (u *unread) look(m wire.Message) {
	u.last = m.Seq
	if m.Seq <= u.seen[m.From.String()] {
		return
	}
	u.count[m.From]++
	if u.first == 0 {
		u.first = m.Seq
	}
}

// see notes that a conversation was seen up to a message.
func (v *visit) see(ctx context.Context, person im.Address, upto int64) error {
	u, err := v.unread(ctx)
	if err != nil || upto <= u.seen[person.String()] || upto <= u.cursor {
		return err
	}
	upto = min(upto, max(u.last, u.cursor))
	if err := v.changeSeen(ctx, func(seen map[string]int64) { seen[person.String()] = max(seen[person.String()], upto) }); err != nil {
		return err
	}
	after, err := v.unread(ctx)
	if err != nil {
		return err
	}
	cursor := after.last
	if after.first != 0 {
		cursor = after.first - 1
	}
	if cursor <= after.cursor {
		return nil
	}
	if err := v.client.Ack(ctx, cursor); err != nil {
		return err
	}
	v.roster = nil // its counts are over
	// What the cursor has made needless is forgotten.
	return v.changeSeen(ctx, func(seen map[string]int64) {
		maps.DeleteFunc(seen, func(_ string, upto int64) bool { return upto <= cursor })
	})
}

// changeSeen changes the notes, beside what another page does to them at the same moment.
func (v *visit) changeSeen(ctx context.Context, change func(seen map[string]int64)) error {
	v.noted = nil
	var seen map[string]int64
	return v.client.ChangeState(ctx, wire.State, seenKey, &seen, func() any {
		if seen == nil {
			seen = make(map[string]int64)
		}
		if change(seen); len(seen) == 0 {
			return nil
		}
		return seen
	})
}
