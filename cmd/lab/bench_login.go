package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hark/accounts"
	"hark/db"
)

const (
	loginUsers = 20  // each is one first login
	loginTries = 200 // later logins of each
	loginAim   = 100 * time.Microsecond
)

// measureLogin times the account server: a user's first login since the start, which costs an Argon2id, and later ones.
func measureLogin(ctx context.Context, l *lab) (_ []figure, err error) {
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := openStores(ctx, filepath.Join(dir, "hark.db"), filepath.Join(dir, "hark.keys"), db.Serve)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	var first, later []time.Duration
	for i := range loginUsers {
		u, err := s.add(ctx, fmt.Sprint(i))
		if err != nil {
			return nil, err
		}
		for try := range 1 + loginTries {
			took, err := s.login(ctx, u)
			switch {
			case err != nil:
				return nil, err
			case try == 0:
				first = append(first, took)
			default:
				later = append(later, took)
			}
		}
	}
	median := percentile(later, 50)
	return []figure{
		measured("login: PIN of a user, first time since the start", "%s ms (p50 of %d)", ms(percentile(first, 50)), len(first)),
		measured("login: the same user's PIN later", "%.0f µs (p50 of %d; p99 %.0f µs)",
			micros(median), len(later), micros(percentile(later, 99))).against("≤ 100 µs", median <= loginAim),
	}, nil
}

// login proves a PIN once, as the telephone's door does, and tells how long that took.
func (s stores) login(ctx context.Context, u user) (time.Duration, error) {
	begun := time.Now()
	_, err := s.accounts.Authenticate(ctx, accounts.Credentials{User: u.Number, PIN: u.PIN, Caller: u.callerID(), Door: "phone"})
	return time.Since(begun), err
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// callerID is the number that a user calls from, one of the user's own.
func (u user) callerID() string { return "49" + u.Number }
