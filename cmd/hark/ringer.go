package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/accounts"
	"hark/ivr"
	"hark/ivr/stasis"
	"hark/presence"
	"hark/sessions"
)

const (
	ringEvery  = 5 * time.Second  // how often the ringer looks whom to call
	ringSettle = 15 * time.Second // so old is a message that a call is made for: a web page may have shown it before
	ringAtOnce = 20               // calls that the ringer has in progress at most
)

// A ringer calls users: once, to see that a telephone is theirs, and when a message came while they were away. Several
// nodes may run one each: the database says which of them makes a call.
type ringer struct {
	telephones
	sessions sessions.Store
	from     string // the number that is shown
	call     func(ctx context.Context, o stasis.Outgoing) error
	ready    func() bool // Asterisk can be reached
	answer   func(ctx context.Context, line ivr.Line, user, name string) error
	parts    *parts

	mu   sync.Mutex
	busy map[string]bool // users who are being called
}

// ringer makes it; nil when there is nothing to call with.
func (p *parts) ringer(app *stasis.App) *ringer {
	if app == nil || len(p.config.Dial.Trunks) == 0 {
		return nil
	}
	server := p.dialogue()
	return &ringer{
		telephones: p.telephones(), sessions: p.sessions, from: p.config.shownNumber(), parts: p,
		call: app.Call, ready: app.Connected, answer: server.Ring, busy: map[string]bool{},
	}
}

// shownNumber is the number that is shown to those whom Hark calls.
func (c config) shownNumber() string {
	if c.Dial.From != "" {
		return c.Dial.From
	}
	return c.Numbers[0].Called
}

// run looks whom to call until ctx ends, and waits for the calls that are in progress then.
func (r *ringer) run(ctx context.Context) error {
	if r == nil {
		return nil
	}
	var calls errgroup.Group
	calls.SetLimit(ringAtOnce)
	tick := time.NewTicker(ringEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return calls.Wait()
		case <-tick.C:
			r.look(ctx, &calls)
		}
	}
}

// look calls whoever is to be called now.
func (r *ringer) look(ctx context.Context, calls *errgroup.Group) {
	if !r.ready() {
		return
	}
	tests, rings, err := r.accounts.PhonesToCall(ctx)
	if err != nil {
		r.parts.log.Warn("nobody can be called", "err", err)
		return
	}
	for _, user := range tests {
		r.start(ctx, calls, user, r.takeTest)
	}
	for _, user := range rings {
		r.start(ctx, calls, user, r.takeMessage)
	}
}

// start calls a user in a goroutine of its own, if take says so and nobody is calling that one.
func (r *ringer) start(ctx context.Context, calls *errgroup.Group, user string, take func(context.Context, string) (bool, error)) {
	if !r.claim(user) {
		return
	}
	began := calls.TryGo(func() error {
		defer r.release(user)
		if ok, err := take(ctx, user); err == nil && ok {
			r.ring(ctx, user)
		} else if err != nil && !errors.Is(err, accounts.ErrTooOften) && ctx.Err() == nil {
			r.parts.log.Warn("a user cannot be called", "user", user, "err", err)
		}
		return nil
	})
	if !began {
		r.release(user)
	}
}

func (r *ringer) claim(user string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[user] {
		return false
	}
	r.busy[user] = true
	return true
}

func (r *ringer) release(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, user)
}

// takeTest takes the call that proves a telephone, once the user is no longer in a call himself: it is mostly that telephone.
func (r *ringer) takeTest(ctx context.Context, user string) (bool, error) {
	clients, err := r.attached(ctx, user)
	if err != nil || clients["phone"] > 0 {
		return false, err
	}
	return r.accounts.TakeTest(ctx, user)
}

// takeMessage takes the call because of the newest message, when that is new, nobody is there to see it, and the user
// does not rest.
func (r *ringer) takeMessage(ctx context.Context, user string) (bool, error) {
	phone, err := r.accounts.Phone(ctx, user)
	if err != nil || settings(phone).Quiet(r.now()) {
		return false, err
	}
	newest, err := r.sessions.Read(ctx, user, sessions.Query{Before: latest, Max: 1, In: true})
	if err != nil || len(newest) == 0 || int64(newest[0].Seq) <= phone.Rung || r.now().Sub(newest[0].Stored) < ringSettle {
		return false, err
	}
	if known, err := r.seen(ctx, user, newest[0].Seq); known || err != nil {
		return false, err
	}
	return r.accounts.TakeRing(ctx, user, int64(newest[0].Seq))
}

// seen tells whether the user has the message already, or is there to get it.
func (r *ringer) seen(ctx context.Context, user string, seq sessions.Seq) (bool, error) {
	for _, client := range []string{"phone", "web"} {
		if read, err := r.sessions.Cursor(ctx, user, client); err != nil || read >= seq {
			return true, err
		}
	}
	clients, err := r.attached(ctx, user)
	attached := 0
	for _, n := range clients {
		attached += n
	}
	return err != nil || attached > 0, err
}

// attached are the clients that are attached to the user's session, by kind.
func (r *ringer) attached(ctx context.Context, user string) (map[string]int, error) {
	owner, err := r.sessions.Lookup(ctx, user)
	if errors.Is(err, sessions.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	report, _, err := presence.ReadReport(ctx, r.sessions, owner)
	return report.Clients, err
}

// ring calls the user, and returns when the call is over.
func (r *ringer) ring(ctx context.Context, user string) {
	phone, err := r.accounts.Phone(ctx, user)
	if err != nil {
		r.parts.log.Warn("a user cannot be called", "user", user, "err", err)
		return
	}
	endpoint, err := r.trunks.Endpoint(phone.Number)
	if err != nil {
		r.parts.log.Warn("a user's telephone must not be dialled", "user", user)
		return
	}
	name, err := r.accounts.Name(ctx, user)
	if err != nil {
		r.parts.log.Warn("a user is called without a name", "user", user, "err", err)
	}
	err = r.call(ctx, stasis.Outgoing{
		Endpoint: endpoint, Number: phone.Number, From: r.from,
		Handle: func(ctx context.Context, line ivr.Line) error {
			defer r.parts.calls.add(line, "messenger, called by Hark")()
			return r.answer(ctx, line, user, name)
		},
	})
	switch {
	case errors.Is(err, stasis.ErrNotAnswered):
		r.parts.log.Info("a user does not answer", "user", user)
	case err != nil && ctx.Err() == nil:
		r.parts.log.Warn("a user cannot be called", "user", user, "err", err)
	}
}
