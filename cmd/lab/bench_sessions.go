package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/im"
	"hark/internal/testbed"
)

const (
	idleSessions = 1000
	warmSessions = 20 // opened before the first look, so that what is needed once is not counted
	idleAim      = 40 << 10
)

// measureSessions measures what an idle session takes, with a live XMPP login over TLS, in Hark and in Prosody.
func measureSessions(ctx context.Context, l *lab) (_ []figure, err error) {
	const all = idleSessions + warmSessions
	l.tell("sessions: making %d accounts", all)
	logins := map[string]string{}
	for i := range all {
		logins[xmppName(i)] = "password of " + xmppName(i)
	}
	s, err := l.startWith(ctx, setup{prosody: &testbed.ProsodyOptions{Users: logins}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	users, err := s.addUsers(ctx, all, func(i int) im.Account {
		return im.Account{Network: im.XMPP, ID: xmppName(i) + "@" + s.prosody.Domain, Password: logins[xmppName(i)], Server: s.prosody.Addr}
	})
	if err != nil {
		return nil, err
	}
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	before, err := s.openSessions(ctx, users[:warmSessions], warmSessions)
	if err != nil {
		return nil, err
	}
	l.tell("sessions: opening %d", idleSessions)
	begun := time.Now()
	after, err := s.openSessions(ctx, users[warmSessions:], all)
	if err != nil {
		return nil, err
	}
	l.tell("sessions: open after %.1f s", time.Since(begun).Seconds())
	hark, prosody := (after.hark-before.hark)/idleSessions, (after.prosody-before.prosody)/idleSessions
	return []figure{
		measured(fmt.Sprintf("sessions: memory of one in Hark (%d idle, XMPP over TLS)", idleSessions), "%s", kib(hark)).
			against("≤ "+kib(idleAim), hark <= idleAim),
		measured("sessions: the same in Prosody", "%s", kib(prosody)),
	}, nil
}

func xmppName(i int) string { return fmt.Sprintf("user%d", i) }

// memory is the resident memory of both programs, Hark's after a collection of garbage.
type memory struct{ hark, prosody int64 }

// openSessions logs users in, waits until so many XMPP sessions are live at Prosody, and looks at the memory.
func (s *system) openSessions(ctx context.Context, users []user, live int) (memory, error) {
	if err := s.login(ctx, users); err != nil {
		return memory{}, err
	}
	if err := s.awaitLive(ctx, live); err != nil {
		return memory{}, err
	}
	return s.memory(ctx)
}

// awaitLive waits until Prosody has so many sessions.
func (s *system) awaitLive(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		live, err := s.prosody.Sessions()
		if err != nil || live == want {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d XMPP sessions are live: %w", live, want, context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// memory has Hark collect its garbage and reads the memory of both.
func (s *system) memory(ctx context.Context) (m memory, err error) {
	if _, err := s.sayMemory(ctx); err != nil {
		return m, err
	}
	hark, err := testbed.UsageOf(s.hark.Process.Pid)
	if err != nil {
		return m, err
	}
	prosody, err := s.prosody.Usage()
	return memory{hark.RSS, prosody.RSS}, err
}
