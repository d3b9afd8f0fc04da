package main

import (
	"context"
	"errors"

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
func (d directory) Contacts(ctx context.Context, user string) (contacts []im.Contact, err error) {
	messages, err := d.store.Read(ctx, user, sessions.Query{Max: 500, Before: latest})
	if err != nil {
		return nil, err
	}
	seen := map[im.Address]bool{}
	for _, m := range messages {
		other := m.From
		if m.Outgoing {
			other = m.To
		}
		if other.Network != im.Hark || seen[other] {
			continue
		}
		seen[other] = true
		name, err := d.Name(ctx, other.ID)
		if err == nil {
			contacts = append(contacts, im.Contact{Address: other, Name: name})
		} else if !errors.Is(err, local.ErrUnknown) {
			return nil, err
		}
	}
	return contacts, nil
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
