package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"hark/accounts"
	"hark/im"
	"hark/im/local"
	"hark/sessions"
)

// directory tells the service between Hark users who they are.
type directory struct {
	users *accounts.DB
	store sessions.Store
}

// Name implements local.Directory.
func (d directory) Name(ctx context.Context, user string) (string, error) {
	u, err := d.users.Get(ctx, user)
	if errors.Is(err, accounts.ErrNotFound) {
		return "", local.ErrUnknown
	}
	return u.Name, err
}

// Contacts implements local.Directory: the Hark users in the user's own log.
func (d directory) Contacts(ctx context.Context, user string) (contacts []local.Contact, err error) {
	messages, err := d.store.Read(ctx, user, sessions.Query{Max: 500, Before: latest})
	if err != nil {
		return nil, err
	}
	wrote := map[string]bool{} // by number
	for _, m := range messages {
		if other, out := m.From, m.Outgoing; !out && other.Network == im.Hark {
			wrote[other.ID] = true
		} else if out && m.To.Network == im.Hark && !wrote[m.To.ID] {
			wrote[m.To.ID] = false
		}
	}
	for _, number := range slices.Sorted(maps.Keys(wrote)) {
		k := local.Contact{User: number, Wrote: wrote[number]}
		if k.Wrote {
			k.Name, err = d.Name(ctx, number)
		}
		if errors.Is(err, local.ErrUnknown) {
			continue // he wrote, and there is no such account any more
		} else if err != nil {
			return nil, err
		}
		contacts = append(contacts, k)
	}
	return contacts, nil
}

// wrote tells whether a user has a message from another one in his log.
func (d directory) wrote(ctx context.Context, user, from string) (bool, error) {
	found, err := d.store.Read(ctx, user, sessions.Query{With: im.Address{Network: im.Hark, ID: from}, In: true, Max: 1})
	return len(found) > 0, err
}

// latest is beyond every message, so that a query with it begins at the newest.
const latest sessions.Seq = 1 << 62

// deliverer lets Hark users write to each other through the session store.
type deliverer struct{ store sessions.Store }

// Deliver implements local.Deliverer.
func (d deliverer) Deliver(ctx context.Context, toUser string, m im.Message) error {
	_, err := d.store.Deliver(ctx, toUser, m)
	return err
}
