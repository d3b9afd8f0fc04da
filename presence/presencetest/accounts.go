package presencetest

import (
	"context"
	"fmt"
	"sync"

	"hark/accounts"
	"hark/im"
)

// A User is an account of Accounts.
type User struct {
	PIN    string
	Name   string
	Logins []im.Account
}

// Accounts is an Account Information Server in memory, without locks. Its tickets work once, at their target.
type Accounts struct {
	mu      sync.Mutex
	users   map[string]User
	tickets map[string]accounts.Claims
	last    int
}

// Set makes or changes a user.
func (a *Accounts) Set(number string, u User) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users == nil {
		a.users = make(map[string]User)
	}
	for i := range u.Logins {
		u.Logins[i].User = number
	}
	a.users[number] = u
}

// SetName is as accounts.DB's.
func (a *Accounts) SetName(_ context.Context, number, name string) error {
	if name == "" || len(name) > 60 {
		return accounts.ErrBadName
	}
	return a.change(number, func(u *User) { u.Name = name })
}

// SetPIN is as accounts.DB's.
func (a *Accounts) SetPIN(_ context.Context, number, pin string) error {
	if reason := accounts.Guessable(number, pin); reason != "" {
		return fmt.Errorf("%w: it %s", accounts.ErrBadPIN, reason)
	}
	return a.change(number, func(u *User) { u.PIN = pin })
}

func (a *Accounts) change(number string, change func(*User)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, known := a.users[number]
	if !known {
		return accounts.ErrNotFound
	}
	change(&u)
	a.users[number] = u
	return nil
}

// Authenticate implements accounts.Authenticator.
func (a *Accounts) Authenticate(_ context.Context, c accounts.Credentials) (string, error) {
	a.mu.Lock()
	u, ok := a.users[c.User]
	a.mu.Unlock()
	if !ok || u.PIN != c.PIN {
		return "", accounts.ErrRefused
	}
	return a.Refer(context.Background(), accounts.Claims{User: c.User})
}

// Refer implements presence.Referrer.
func (a *Accounts) Refer(_ context.Context, c accounts.Claims) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tickets == nil {
		a.tickets = make(map[string]accounts.Claims)
	}
	a.last++
	ticket := fmt.Sprintf("ticket-%d", a.last)
	a.tickets[ticket] = c
	return ticket, nil
}

// Redeem implements presence.Accounts.
func (a *Accounts) Redeem(_ context.Context, ticket, node string) (accounts.Claims, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.tickets[ticket]
	delete(a.tickets, ticket)
	if !ok || c.Target != "" && c.Target != node {
		return accounts.Claims{}, accounts.ErrRefused
	}
	return c, nil
}

// Logins implements presence.Accounts.
func (a *Accounts) Logins(_ context.Context, user string) ([]im.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]im.Account(nil), a.users[user].Logins...), nil
}

// Name implements presence.Accounts.
func (a *Accounts) Name(_ context.Context, user string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users[user].Name, nil
}
