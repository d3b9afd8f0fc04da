package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
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
	var users []user
	for i := range loginUsers {
		u, err := s.add(ctx, fmt.Sprint(i))
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	first, firstCPU, err := s.logins(ctx, users, 1)
	if err != nil {
		return nil, err
	}
	later, laterCPU, err := s.logins(ctx, users, loginTries)
	if err != nil {
		return nil, err
	}
	median := percentile(later, 50)
	return []figure{
		measured("login: PIN of a user, first time since the start", "%s ms (p50 of %d), %s ms of CPU",
			ms(percentile(first, 50)), len(first), ms(firstCPU)),
		measured("login: the same user's PIN later", "%.0f µs (p50 of %d; p99 %.0f µs), %.0f µs of CPU",
			micros(median), len(later), micros(percentile(later, 99)), micros(laterCPU)).against("≤ 100 µs", median <= loginAim),
	}, nil
}

// logins has every user log in some times, and tells how long each took, and the CPU time of one.
func (s stores) logins(ctx context.Context, users []user, times int) (took []time.Duration, cpu time.Duration, err error) {
	before := ownCPU()
	for _, u := range users {
		for range times {
			d, err := s.login(ctx, u)
			if err != nil {
				return nil, 0, err
			}
			took = append(took, d)
		}
	}
	return took, (ownCPU() - before) / time.Duration(len(took)), nil
}

// login proves a PIN once, as the telephone's door does, and tells how long that took.
func (s stores) login(ctx context.Context, u user) (time.Duration, error) {
	begun := time.Now()
	_, err := s.accounts.Authenticate(ctx, accounts.Credentials{User: u.Number, PIN: u.PIN, Caller: u.callerID(), Door: "phone"})
	return time.Since(begun), err
}

// ownCPU is the CPU time of this process since its start, to the microsecond.
func ownCPU() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails only for another process than SELF
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// callerID is the number that a user calls from, one of the user's own.
func (u user) callerID() string { return "49" + u.Number }
