package main

import (
	"context"

	"hark/accounts"
	"hark/ivr"
	"hark/sessions"
)

// profiles lets callers change their own account.
type profiles struct{ *accounts.DB }

var _ ivr.Profiles = profiles{}

// Language implements ivr.Profiles.
func (p profiles) Language(ctx context.Context, user string) (string, error) {
	u, err := p.Get(ctx, user)
	return u.Language, err
}

// callers knows whose telephone a caller id is.
type callers struct {
	accounts *accounts.DB
	sessions sessions.Store
}

var _ ivr.Callers = callers{}

// Known implements ivr.Callers. A failure only means that the user number is asked for.
func (c callers) Known(ctx context.Context, caller string) (user, name string, ok bool) {
	users, err := c.accounts.UsersOfCaller(ctx, caller)
	if err != nil || len(users) != 1 {
		return "", "", false
	}
	if _, err := c.sessions.Lookup(ctx, users[0]); err != nil {
		return "", "", false
	}
	name, err = c.accounts.Name(ctx, users[0])
	return users[0], name, err == nil
}
