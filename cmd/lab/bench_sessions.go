package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"hark/im"
	"hark/internal/testbed"
)

const (
	warmSessions = 20 // opened before the first look, so that what is needed once is not counted
	plainLogins  = 500
	idleAim      = 24 << 10
)

// idleSessions is at how many sessions the memory of one is measured.
var idleSessions = []int{1000, 3000}

// measureSessions measures what an idle session takes, with a live XMPP login over TLS, in Hark and in Prosody, and what
// a login takes that the XMPP library keeps without Hark.
func measureSessions(ctx context.Context, l *lab) (_ []figure, err error) {
	object, err := measureObject(ctx)
	if err != nil {
		return nil, err
	}
	all := idleSessions[len(idleSessions)-1] + warmSessions
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
	plain, err := s.plainMemory(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	figures, err := s.idleFigures(ctx, l, users)
	return append(figures, object, plain), err
}

// idleFigures opens more and more sessions and looks at the memory of both sides.
func (s *system) idleFigures(ctx context.Context, l *lab, users []user) (figures []figure, err error) {
	before, err := s.openSessions(ctx, users[:warmSessions], warmSessions)
	if err != nil {
		return nil, err
	}
	open := warmSessions
	for _, count := range idleSessions {
		l.tell("sessions: opening %d", count+warmSessions-open)
		begun := time.Now()
		after, err := s.openSessions(ctx, users[open:count+warmSessions], count+warmSessions)
		if err != nil {
			return figures, err
		}
		l.tell("sessions: open after %.1f s", time.Since(begun).Seconds())
		open = count + warmSessions
		each := after.minus(before).each(int64(count))
		figures = append(figures,
			measured(fmt.Sprintf("sessions: memory of one in Hark (%d idle, XMPP over TLS)", count), "%s (%s heap, %s stacks in use)",
				kib(each.hark), kib(each.heap), kib(each.stack)).
				against("≤ "+kib(idleAim), each.hark <= idleAim),
			measured(fmt.Sprintf("sessions: the same in Prosody (%d)", count), "%s", kib(each.prosody)))
	}
	return figures, nil
}

func xmppName(i int) string { return fmt.Sprintf("user%d", i) }

// memory is the resident memory of both programs, Hark's after a collection of garbage, and what Hark has in use.
type memory struct{ hark, heap, stack, prosody int64 }

func (m memory) minus(n memory) memory {
	return memory{m.hark - n.hark, m.heap - n.heap, m.stack - n.stack, m.prosody - n.prosody}
}

func (m memory) each(count int64) memory {
	return memory{m.hark / count, m.heap / count, m.stack / count, m.prosody / count}
}

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
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
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

var memoryLogged = regexp.MustCompile(`msg=memory .*heap_bytes=(\d+) stack_bytes=(\d+)`)

// memory has Hark collect its garbage and reads the memory of both.
func (s *system) memory(ctx context.Context) (m memory, err error) {
	said, err := s.sayMemory(ctx)
	if err != nil {
		return m, err
	}
	match := memoryLogged.FindStringSubmatch(said)
	if match == nil {
		return m, fmt.Errorf("hark does not tell its memory: %q", said)
	}
	m.heap, _ = strconv.ParseInt(match[1], 10, 64) // only digits match
	m.stack, _ = strconv.ParseInt(match[2], 10, 64)
	hark, err := testbed.UsageOf(s.hark.Process.Pid)
	if err != nil {
		return m, err
	}
	prosody, err := s.prosody.Usage()
	m.hark, m.prosody = hark.RSS, prosody.RSS
	return m, err
}
