package presence

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"hark/im"
	"hark/internal/shallow"
	"hark/presence/wire"
)

// The states of an uplink, as SERVICE and NETWORKS show them.
const (
	stateConnecting     = "connecting"
	stateOnline         = "online"
	stateRetrying       = "retrying"
	stateBadCredentials = "badcredentials"
	stateConflict       = "conflict"
	stateOffline        = "offline" // our own settings make it impossible, or the network refuses
)

const (
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
	// steady is how long a connection must have held for the next failure to begin the back-off anew.
	steady = time.Minute
)

// Why an uplink's connection ended when the network did not say.
var errOver = errors.New("presence: the connection is over")

// An uplink is one external login of a session. Its goroutine, run, opens the connection, sends what waits to be sent,
// and opens it again after a pause when it broke.
type uplink struct {
	session *Session
	service im.Service
	account im.Account
	network string

	ctx    context.Context // ends when the login shall end
	cancel context.CancelFunc
	how    atomic.Int32  // im.CloseMode, valid once ctx has ended
	kick   chan struct{} // cap 1: there may be something to send
	retry  chan struct{} // cap 1: try again though the last error forbade it
	done   chan struct{} // closed when run has returned

	// Owned by the session's goroutine.
	state   string
	since   time.Time
	conn    im.Conn // nil unless online
	synced  bool    // what waited at the network has come
	roster  []im.Contact
	present map[im.Address]im.Presence // who is not offline
}

// startUplink starts an external login, once before, the one it replaces, has ended; before may be nil. Only the
// session's goroutine calls it.
func startUplink(s *Session, service im.Service, account im.Account, before *uplink) *uplink {
	u := &uplink{
		session: s, service: service, account: account, network: account.Network,
		kick: make(chan struct{}, 1), retry: make(chan struct{}, 1), done: make(chan struct{}),
		state: stateConnecting, since: time.Now(),
	}
	u.ctx, u.cancel = context.WithCancel(s.ctx)
	s.tasks.Go(func() {
		if before != nil {
			<-before.done
		}
		u.run()
	})
	return u
}

// stop ends the login; done closes when it has ended.
func (u *uplink) stop(how im.CloseMode) {
	u.how.Store(int32(how))
	u.cancel()
}

// poke says that there may be something to send.
func (u *uplink) poke() {
	select {
	case u.kick <- struct{}{}:
	default:
	}
}

// again tries a login once more that was taken over by another client; the user came back, so he wants it.
func (u *uplink) again() {
	if u.state != stateConflict {
		return
	}
	select {
	case u.retry <- struct{}{}:
	default:
	}
}

// run keeps the login alive until stop.
func (u *uplink) run() {
	defer close(u.done)
	defer u.cancel()
	wait := backoffFirst
	for {
		begun := time.Now()
		err := u.live()
		u.session.outcomes.release(u.network)
		if u.ctx.Err() != nil {
			return
		}
		if time.Since(begun) > steady {
			wait = backoffFirst
		}
		if !u.pause(err, wait) {
			return
		}
		wait = min(2*wait, backoffMost)
	}
}

// pause waits until the next attempt makes sense; false means that the login shall end.
func (u *uplink) pause(err *im.Error, wait time.Duration) bool {
	if !err.Retryable() {
		u.session.log.Warn("presence: external login given up", "user", u.session.user, "network", u.network, "err", err)
		u.show(stateAfter(err), nil)
		select {
		case <-u.retry:
			return true
		case <-u.ctx.Done():
			return false
		}
	}
	delay := max(u.session.server.Jitter(wait), err.Retry)
	u.session.log.Info("presence: external login lost, will try again", "user", u.session.user, "network", u.network,
		"err", err, "after", delay)
	u.show(stateRetrying, nil)
	return u.session.server.sleep(u.ctx, delay)
}

// stateAfter is what a failure that is not tried again looks like.
func stateAfter(err *im.Error) string {
	switch err.Class {
	case im.Credential:
		return stateBadCredentials
	case im.Conflict:
		return stateConflict
	default:
		return stateOffline
	}
}

// live is the life of one connection. The error says why it ended.
func (u *uplink) live() *im.Error {
	u.show(stateConnecting, nil)
	var l *link
	var conn im.Conn
	var err error
	shallow.Run(func() {
		if l, conn, err = u.open(); err == nil {
			l.opened(conn)
			u.saveResume(conn.Resume())
		}
	})
	if err != nil {
		l.finish()
		return asError(err)
	}
	u.show(stateOnline, conn)
	over := u.pump(l, conn)
	u.show(stateConnecting, nil)
	u.closeConn(l, conn)
	return over
}

// open makes one attempt.
func (u *uplink) open() (*link, im.Conn, error) {
	ctx, cancel := context.WithTimeout(u.ctx, u.session.server.OpenTimeout)
	defer cancel()
	l := newLink(u)
	resume, err := u.session.server.Sessions.ResumeState(ctx, u.session.user, u.network)
	if err != nil {
		return l, nil, &im.Error{Class: im.Network, Err: err}
	}
	conn, err := u.service.Open(ctx, u.account, resume, l)
	return l, conn, err
}

// closeConn closes a connection, whether it broke or shall end, and stores from where the next one goes on.
func (u *uplink) closeConn(l *link, conn im.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), closeTimeout)
	defer cancel()
	l.finish()
	how := im.CloseMode(u.how.Load())
	if err := conn.Close(ctx, how); err != nil {
		u.session.log.Debug("presence: external login closed badly", "network", u.network, "err", err)
	}
	if how == im.Keep {
		u.saveResume(conn.Resume())
	} else {
		u.forgetResume()
	}
}

// saveResume stores from where the next connection goes on; without that it begins from what was stored last, and what
// comes twice is kept once.
func (u *uplink) saveResume(resume im.Resume) {
	if resume != nil {
		u.storeResume(resume)
	}
}

func (u *uplink) forgetResume() { u.storeResume(nil) }

func (u *uplink) storeResume(resume im.Resume) {
	s := u.session
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), closeTimeout)
	defer cancel()
	if err := s.server.Sessions.SetResume(ctx, s.user, s.epoch, u.network, resume); err != nil {
		s.log.Warn("presence: resume state not stored", "user", s.user, "network", u.network, "err", err)
	}
}

// show makes the state known; conn is the connection when the state is online.
func (u *uplink) show(state string, conn im.Conn) {
	u.session.post(func() {
		u.conn = conn
		if conn == nil {
			u.present, u.synced = nil, false
		}
		defer u.session.checkSettled()
		if u.state == state {
			return
		}
		if state == stateOnline || u.state == stateOnline {
			u.since = time.Now()
		}
		u.state = state
		u.session.tell(wire.Service, u.event())
		u.session.reportSoon()
	})
}

// event describes the uplink. Only the session's goroutine calls it.
func (u *uplink) event() wire.ServiceEvent {
	return wire.ServiceEvent{Network: u.network, Address: u.account.ID, State: u.state, Since: u.since.UTC()}
}

// asError makes any error an *im.Error; a foreign one is taken for a passing failure.
func asError(err error) *im.Error {
	if e, ok := errors.AsType[*im.Error](err); ok {
		return e
	}
	return &im.Error{Class: im.Network, Err: err}
}

// sameAccount tells whether two logins are one and the same.
func sameAccount(a, b im.Account) bool {
	return a.Network == b.Network && a.ID == b.ID && a.Password == b.Password && a.Server == b.Server &&
		maps.Equal(a.Options, b.Options)
}
