package presence

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

// roster carries out ROSTER: the people of all networks in one list, and who wrote, or was written to, without being on one.
func (c *conn) roster(ctx context.Context) (result, error) {
	names, err := c.session.names()
	if err != nil {
		return result{}, err
	}
	book, err := c.session.updateBook(ctx, names)
	if err != nil {
		return result{}, err
	}
	unread, err := c.server.Sessions.Unread(ctx, c.session.user, c.client)
	if err != nil {
		return result{}, err
	}
	contacts := make([]wire.Contact, 0, len(book.People))
	for i, p := range book.People {
		if _, listed := names.roster[p.Address]; !listed && !p.Wrote {
			continue // was taken off the roster; keeps the number all the same
		}
		contact := wire.Contact{
			Address: p.Address, Number: i + 1, Name: names.of(p.Address, p.Name), Show: im.Offline,
			Unread: unread[p.Address],
		}
		if now, ok := names.present[p.Address]; ok {
			contact.Show, contact.Text = now.Show, now.Text
		}
		contacts = append(contacts, contact)
	}
	contacts = fitContacts(contacts) // by number: strangers who come later push nobody out
	slices.SortFunc(contacts, inOrder)
	return result{payload: wire.RosterReply{Contacts: contacts}}, nil
}

// inOrder puts who is there first, then sorts by name.
func inOrder(a, b wire.Contact) int {
	return cmp.Or(
		cmp.Compare(showRank(a.Show), showRank(b.Show)),
		cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
		cmp.Compare(a.Number, b.Number))
}

func showRank(s im.Show) int {
	switch s {
	case im.Available:
		return 0
	case im.Away, im.Busy:
		return 1
	}
	return 2
}

// fitContacts keeps as many contacts as one frame holds.
func fitContacts(contacts []wire.Contact) []wire.Contact {
	room := fetchBytes
	for i, c := range contacts {
		raw, err := wire.Marshal(c)
		if room -= len(raw) + 1; err != nil || room < 0 {
			return contacts[:i]
		}
	}
	return contacts
}

// eachMessage calls f for each message after a number.
func (s *Session) eachMessage(ctx context.Context, after sessions.Seq, f func(sessions.Message)) error {
	const page = 500
	for {
		found, err := s.server.Sessions.Read(ctx, s.user, sessions.Query{After: after, Max: page})
		if err != nil {
			return err
		}
		for _, m := range found {
			f(m)
			after = m.Seq
		}
		if len(found) < page {
			return nil
		}
	}
}

// bookKey is where the contact numbers are kept, maxBook how many people have one at most. A book is a fact of the store,
// which keeps sessions.MaxState bytes of one.
const (
	bookKey   = "contacts"
	maxBook   = 400
	maxNamed  = 40  // bytes of a name in the book
	maxBooked = 256 // bytes of an address; one of 2,000 is a stranger's who wants to take the place of others
)

// A book gives each person a number that stays: the index plus one.
type book struct {
	People []person     `json:"people"`
	Upto   sessions.Seq `json:"upto"` // senders up to this message are in it
}

// A person is one line of the book.
type person struct {
	Address im.Address `json:"a"`
	Name    string     `json:"n,omitempty"` // what the messages called them, for who is on no roster
	Wrote   bool       `json:"w,omitempty"` // has written, or was written to
}

// room is how many bytes of the book the line takes at most, whatever the person will be called: nothing in a name takes
// more than twice its bytes in JSON.
func (p person) room() int {
	address, _ := wire.Marshal(p.Address) // a text cannot fail
	return len(address) + 2*maxNamed + len(`{"a":,"n":"","w":true},`)
}

// updateBook reads the book, adds who is new, and stores it if anybody is.
func (s *Session) updateBook(ctx context.Context, known *names) (book, error) {
	s.book.Lock()
	defer s.book.Unlock()
	var b book
	raw, err := s.server.Sessions.GetState(ctx, s.user, bookKey)
	if err != nil {
		return b, err
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &b); err != nil {
			return b, fmt.Errorf("presence: stored contacts: %w", err)
		}
	}
	changed, err := s.extendBook(ctx, &b, known)
	if err != nil || !changed {
		return b, err
	}
	if raw, err = wire.Marshal(b); err != nil {
		return b, err
	}
	return b, s.server.Sessions.SetState(ctx, s.user, bookKey, raw)
}

// extendBook adds the people of the rosters, by name, and then who wrote or was written to, in order.
func (s *Session) extendBook(ctx context.Context, b *book, known *names) (changed bool, err error) {
	people := slices.SortedFunc(maps.Keys(known.roster), func(a, b im.Address) int {
		return cmp.Or(cmp.Compare(known.roster[a], known.roster[b]), cmp.Compare(a.String(), b.String()))
	})
	index, room := make(map[im.Address]int, len(b.People)), sessions.MaxState-64
	for i, p := range b.People {
		index[p.Address] = i
		room -= p.room()
	}
	add := func(a im.Address) *person {
		i, known := index[a]
		if !known {
			fresh := person{Address: a}
			if len(b.People) == maxBook || room < fresh.room() || len(a.ID) > maxBooked {
				return &fresh
			}
			room -= fresh.room()
			i, changed = len(b.People), true
			index[a] = i
			b.People = append(b.People, fresh)
		}
		return &b.People[i]
	}
	for _, a := range people {
		add(a)
	}
	err = s.eachMessage(ctx, b.Upto, func(m sessions.Message) {
		b.Upto, changed = m.Seq, true
		if m.State == im.Failed {
			return
		}
		p := add(other(m.Message))
		if p.Wrote = true; !m.Outgoing { // the name in a message is its sender's
			p.Name = cmp.Or(cleanText(m.Name, maxNamed), p.Name)
		}
	})
	return changed, err
}

// names tells what people are called and whether they are there, at one moment.
type names struct {
	roster  map[im.Address]string
	present map[im.Address]im.Presence
}

// names takes the session's knowledge.
func (s *Session) names() (*names, error) {
	n := &names{roster: make(map[im.Address]string), present: make(map[im.Address]im.Presence)}
	err := s.ask(func() {
		for _, u := range s.uplinks {
			for _, c := range u.roster {
				n.roster[c.Address] = c.Name
			}
			for a, p := range u.present {
				n.present[a] = p
			}
		}
	})
	return n, err
}

// of returns what somebody is called: on the roster, in the message, or by the address. What Hark knows of its users is
// not asked: who is on no roster and has never written is not to be found out about (threat T3).
func (n *names) of(a im.Address, said string) string {
	if name := cmp.Or(n.roster[a], said); name != "" {
		return name
	}
	name, _, _ := strings.Cut(a.ID, "@")
	return name
}
