package imtest

import (
	"context"
	"slices"

	"hark/im"
)

var peopleCases = []testCase{
	{name: "roster", run: testRoster},
	{name: "presence in", run: testPresenceIn},
	{name: "presence out", run: testPresenceOut},
	{name: "contacts", needs: func(a Abilities) bool { return a.Contacts }, run: testContacts},
}

// contact waits for a roster in which the address has this name, or is missing when there is false.
func (l *login) contact(a im.Address, name string, there bool) {
	l.b.Helper()
	l.find("Roster", func(e im.Event) bool {
		r, ok := e.Body.(im.Roster)
		if !ok {
			return false
		}
		i := slices.IndexFunc(r.Contacts, func(c im.Contact) bool { return c.Address == a })
		if !there {
			return i < 0
		}
		return i >= 0 && (name == "" || r.Contacts[i].Name == name)
	})
}

func testRoster(b *bench) {
	l := b.open(nil)
	l.contact(b.Peer.Address(), "", true)
	l.close(im.Logout)
}

func testPresenceIn(b *bench) {
	l := b.open(nil)
	for _, show := range []im.Show{im.Away, im.Busy, im.Available} {
		if err := b.Peer.Show(b.ctx, show); err != nil {
			b.Fatal(err)
		}
		l.find("Presence "+string(show), func(e im.Event) bool {
			p, ok := e.Body.(im.Presence)
			return ok && p.From == b.Peer.Address() && p.Show == show
		})
	}
	l.close(im.Logout)
}

func testPresenceOut(b *bench) {
	l := b.open(nil)
	b.sees(im.Available)
	for _, show := range []im.Show{im.Away, im.Busy, im.Available} {
		if err := l.conn.SetPresence(b.ctx, im.Presence{Show: show, Text: "on the phone"}); err != nil {
			b.Fatal(err)
		}
		b.sees(show)
	}
	l.close(im.Logout)
	b.sees(im.Offline)
}

func (b *bench) sees(s im.Show) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := b.Peer.Sees(ctx, s); err != nil {
		b.Fatalf("the peer does not see the user as %s: %v", s, err)
	}
}

func testContacts(b *bench) {
	l := b.open(nil)
	editor := l.conn.(im.RosterEditor)
	peer := b.Peer.Address()
	if err := editor.AddContact(b.ctx, im.Contact{Address: peer, Name: "The Peer"}); err != nil {
		b.Fatal(err)
	}
	l.contact(peer, "The Peer", true)
	b.peerSends(im.Outgoing{ID: "named", Body: "x"})
	if m := l.messages(1)[0]; m.Name != "The Peer" {
		b.Errorf("the sender is called %q", m.Name)
	}
	if err := editor.RemoveContact(b.ctx, peer); err != nil {
		b.Fatal(err)
	}
	l.contact(peer, "", false)
	l.close(im.Logout)
}
