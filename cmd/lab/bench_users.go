package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"hark/accounts"
	"hark/db"
	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// stores are Hark's accounts, opened beside the server as "hark account" does.
type stores struct {
	db       *db.DB
	accounts *accounts.DB
}

// openStores opens the database of a folder, making it when there is none.
func openStores(ctx context.Context, database, keys string, mode db.Mode) (s stores, err error) {
	if s.db, err = db.Open(ctx, db.Options{Source: database, Mode: mode}); err != nil {
		return s, err
	}
	secrets, err := accounts.LoadKeys(keys)
	if err == nil {
		s.accounts, err = accounts.Open(ctx, s.db, secrets, accounts.Options{})
	}
	if err != nil {
		return s, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// addUsers makes n accounts. login, when not nil, gives each a login at an IM network.
func (s *system) addUsers(ctx context.Context, n int, login func(i int) im.Account) (users []user, err error) {
	at, err := openStores(ctx, s.database(), s.keys(), db.Admin)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.db.Close()) }()
	for i := range n {
		u, err := at.add(ctx, fmt.Sprintf("Caller %d", i))
		if err != nil {
			return nil, err
		}
		users = append(users, u)
		if login == nil {
			continue
		}
		account := login(i)
		account.User = u.Number
		if err := at.accounts.SetLogin(ctx, account); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// add makes one account.
func (s stores) add(ctx context.Context, name string) (user, error) {
	u, pin, err := s.accounts.Add(ctx, accounts.NewUser{Name: name})
	return user{Name: u.Name, Number: u.Number, PIN: pin}, err
}

// loginsAtOnce is how many users are logged in at the same time.
const loginsAtOnce = 8

// login logs users in by the client interface, from where they call. The clients go away again; the sessions stay.
func (s *system) login(ctx context.Context, users []user) error {
	dialer := &presence.Dialer{Home: "hark://" + s.presence}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for _, u := range users {
		group.Go(func() error {
			client, _, err := dialer.Login(ctx, wire.LoginRequest{User: u.Number, PIN: u.PIN, Client: "phone", Caller: u.callerID()})
			if err != nil {
				return err
			}
			return client.Close()
		})
	}
	return group.Wait()
}
