package presence

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"hark/im"
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

// An uplink is one external login of a session. It opens the connection, sends what waits to be sent, and opens it again
// after a pause when it broke. All that is done by the functions of its mailbox, one after the other, in what is called
// the uplink's goroutine; there is none while the login waits.
type uplink struct {
	session *Session
	service im.Service
	account im.Account
	network string

	ctx    context.Context // ends when the login shall end
	cancel context.CancelFunc
	how    atomic.Int32  // im.CloseMode, valid once ctx has ended
	done   chan struct{} // closed when everything has ended
	work   mailbox
	poked  atomic.Bool // flush waits in the mailbox

	// Owned by the uplink's goroutine.
	link    *link         // nil while there is no connection
	tried   time.Time     // when the last attempt began
	wait    time.Duration // before the next one
	timer   *time.Timer   // posts the next attempt, or the next flush; nil for none
	givenUp bool          // there will be no attempt, unless the user wants it

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
		done: make(chan struct{}), wait: backoffFirst,
		state: stateConnecting, since: time.Now(),
	}
	u.ctx, u.cancel = context.WithCancel(s.server.base) // and not s.ctx, which would need a list of those that end with it
	s.tasks.Add(1)
	u.work.post(func() {
		if before != nil {
			<-before.done
		}
		u.connect()
	})
	return u
}

// stop ends the login; done closes when it has ended.
func (u *uplink) stop(how im.CloseMode) {
	u.how.Store(int32(how))
	u.cancel()
	u.work.post(u.finish)
}

// finish is the last thing that the uplink's goroutine does.
func (u *uplink) finish() {
	u.work.close()
	if u.timer != nil {
		u.timer.Stop()
	}
	u.disconnect()
	u.session.outcomes.release(u.network)
	close(u.done)
	u.session.tasks.Done()
}

// poke says that there may be something to send.
func (u *uplink) poke() {
	if !u.poked.Swap(true) {
		u.work.post(u.flush)
	}
}

// again tries a login once more that was taken over by another client; the user came back, so he wants it. Only the
// session's goroutine calls it.
func (u *uplink) again() {
	if u.state != stateConflict {
		return
	}
	u.work.post(func() {
		if u.givenUp {
			u.connect()
		}
	})
}

// after posts f later, and nothing else that was to be posted later.
func (u *uplink) after(d time.Duration, f func()) {
	if u.timer != nil {
		u.timer.Stop()
	}
	u.timer = time.AfterFunc(d, func() { u.work.post(f) })
}

// connect makes one attempt. Only the uplink's goroutine calls it.
func (u *uplink) connect() {
	if u.ctx.Err() != nil || u.link != nil {
		return
	}
	u.tried, u.givenUp = time.Now(), false
	u.show(stateConnecting, nil)
	l, conn, err := u.open()
	if err != nil {
		l.finish()
		u.lost(asError(err))
		return
	}
	u.link = l
	l.opened(conn)
	u.show(stateOnline, conn)
	u.publish(conn)
	u.flush()
}

// over says that a connection has ended. Any goroutine may call it.
func (u *uplink) over(l *link, err *im.Error) {
	u.work.post(func() {
		if u.link == l {
			u.disconnect()
			u.lost(err)
		}
	})
}

// disconnect closes the connection, if there is one. Only the uplink's goroutine calls it.
func (u *uplink) disconnect() {
	if l := u.link; l != nil {
		u.show(stateConnecting, nil)
		u.closeConn(l)
		u.link = nil
	}
}

// lost arranges for the next attempt, when one makes sense. Only the uplink's goroutine calls it.
func (u *uplink) lost(err *im.Error) {
	s := u.session
	s.outcomes.release(u.network)
	if u.ctx.Err() != nil {
		return
	}
	if !err.Retryable() {
		s.log.Warn("presence: external login given up", "user", s.user, "network", u.network, "err", err)
		u.givenUp = true
		u.show(stateAfter(err), nil)
		return
	}
	if time.Since(u.tried) > steady {
		u.wait = backoffFirst
	}
	delay := max(s.server.Jitter(u.wait), err.Retry)
	u.wait = min(2*u.wait, backoffMost)
	s.log.Info("presence: external login lost, will try again", "user", s.user, "network", u.network,
		"err", err, "after", delay)
	u.show(stateRetrying, nil)
	u.after(delay, u.connect)
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
func (u *uplink) closeConn(l *link) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), closeTimeout)
	defer cancel()
	l.finish()
	how := im.CloseMode(u.how.Load())
	if err := l.conn.Close(ctx, how); err != nil {
		u.session.log.Debug("presence: external login closed badly", "network", u.network, "err", err)
	}
	if how == im.Keep {
		u.saveResume(l.conn.Resume())
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
