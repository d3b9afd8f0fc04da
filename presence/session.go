package presence

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

// closeTimeout bounds each step of a session's end.
const closeTimeout = 5 * time.Second

// A Session is a user's IM session object. It holds the external logins and the attached clients, and outlives every
// client.
//
// The functions of its mailbox own the fields marked so and do no I/O; everybody else reaches them by post or ask. They
// run one after the other, in what is called the session's goroutine. What has to be written for the session goes
// through its recorder; what clients ask for is read and written in the clients' own goroutines, since the store guards
// itself by epochs.
type Session struct {
	server *Server
	user   string
	epoch  sessions.Epoch
	begun  time.Time
	log    *slog.Logger
	ctx    context.Context // ends when the session has let go of everything
	cancel context.CancelFunc
	slot   *slot // in the server
	mail   mailbox
	ending sync.Once     // the first wish to end
	dying  chan struct{} // closed when the end begins: nothing is posted any more
	done   chan struct{} // closed when everything has ended and the slot is free
	tasks  sync.WaitGroup

	recorder recorder
	outcomes outcomes
	book     sync.Mutex // serialises changes of the stored contact numbers

	// Owned by the session's goroutine.
	clients   map[*conn]struct{}
	uplinks   []*uplink // at most one for a network
	status    wire.StatusRequest
	used      time.Time // when a client came or went last
	level     level
	waiters   []chan struct{} // closed once the session is settled
	reporting reporting
}

// An ending says how a session ends.
type ending struct {
	how     im.CloseMode  // what becomes of the external logins
	release bool          // give the record up, so that another node may have it
	to      string        // hand the record to this node; "" for none
	forget  bool          // end the record: the session is over
	bye     wire.ByeEvent // what the clients hear
}

// endingOver ends the session for good.
var endingOver = ending{how: im.Logout, forget: true, bye: byeOver}

// What clients hear when it was not they who ended it.
var (
	byeStopping = wire.ByeEvent{Code: wire.TryLater, Arg: "5", Text: "this server is stopping"}
	byeFenced   = wire.ByeEvent{Code: wire.Fenced, Text: "your session has moved"}
	byeOver     = wire.ByeEvent{Code: wire.NoSession, Text: "your session has ended"}
)

// newSession makes the session object of a slot and starts it. The server must have been held for it.
func newSession(s *Server, user string, place *slot, epoch sessions.Epoch, status wire.StatusRequest, logins []im.Account) *Session {
	ses := &Session{
		server: s, user: user, epoch: epoch, begun: time.Now(), log: s.Log, slot: place,
		dying: make(chan struct{}), done: make(chan struct{}),
		status: status, used: time.Now(),
	}
	ses.ctx, ses.cancel = context.WithCancel(s.base)
	ses.recorder.session = ses
	ses.post(func() { ses.follow(logins) })
	return ses
}

// post has f run by the session's goroutine; false means that the session is ending and f does not run.
func (s *Session) post(f func()) bool { return s.mail.post(f) }

// ask runs f in the session's goroutine and waits for it, which is never long. After an error f does not run any more.
func (s *Session) ask(f func()) error {
	ran := make(chan struct{})
	if !s.post(func() { f(); close(ran) }) {
		return errEnding
	}
	select {
	case <-ran:
		return nil
	case <-s.dying:
		return errEnding
	}
}

// end makes the session end; the first caller's wish counts. It does not wait.
func (s *Session) end(e ending) {
	s.ending.Do(func() { s.post(func() { s.close(e) }) })
}

// fenced ends the session because somebody else owns it.
func (s *Session) fenced() { s.end(ending{how: im.Keep, bye: byeFenced}) }

// awaitEnd waits until a session that is ending has begun to, so that nobody is given it any more.
func (s *Session) awaitEnd(ctx context.Context) {
	select {
	case <-s.dying:
	case <-ctx.Done():
	}
}

// ended tells whether the end has begun.
func (s *Session) ended() bool {
	select {
	case <-s.dying:
		return true
	default:
		return false
	}
}

// close is the last thing that the session's goroutine does: it lets go of clients, external logins and record, each
// within closeTimeout.
func (s *Session) close(e ending) {
	s.mail.close()
	close(s.dying)
	if e.to == "" { // else they hear where to go, as soon as they are expected there
		s.sayBye(e.bye)
	}
	s.recorder.drain(closeTimeout)
	if e.forget {
		s.settle("end", s.server.Sessions.End)
	}
	for _, u := range s.uplinks {
		u.stop(e.how)
	}
	for _, u := range s.uplinks {
		<-u.done
	}
	switch {
	case e.to != "":
		s.handOver(e)
	case e.release:
		s.settle("release", s.server.Sessions.Release)
	}
	s.cancel()
	s.tasks.Wait()
	s.log.Info("presence: session closed", "user", s.user, "epoch", s.epoch, "over", e.forget)
	s.server.clear(s.user, s.slot)
	close(s.done)
	s.server.tasks.Done()
}

// sayBye has the connections of all clients end. Only the session's goroutine calls it.
func (s *Session) sayBye(b wire.ByeEvent) {
	for c := range s.clients {
		c.bye(b)
	}
}

// settle gives the record back in one way or another.
func (s *Session) settle(what string, how func(context.Context, string, sessions.Epoch) error) {
	ctx, cancel := context.WithTimeout(s.ctx, closeTimeout)
	defer cancel()
	if err := how(ctx, s.user, s.epoch); err != nil {
		s.log.Warn("presence: session record not given back", "user", s.user, "by", what, "err", err)
	}
}

// attach adds a client. Only the session's goroutine calls it.
func (s *Session) attach(c *conn) {
	if s.clients == nil {
		s.clients = make(map[*conn]struct{})
	}
	s.clients[c] = struct{}{}
	s.used = time.Now()
	c.came = s.used
	s.reportSoon()
}

// detach removes a client. Only the session's goroutine calls it.
func (s *Session) detach(c *conn) {
	if delete(s.clients, c); len(s.clients) == 0 {
		s.clients, s.level.known = nil, nil
	}
	s.used = time.Now()
	s.reportSoon()
}

// tell sends an event to all clients; one that is not reading misses it. Only the session's goroutine calls it.
func (s *Session) tell(name string, payload any) {
	if len(s.clients) == 0 {
		return
	}
	raw, err := wire.Marshal(payload)
	if err != nil {
		s.log.Error("presence: event not written", "event", name, "err", err)
		return
	}
	frame := wire.Event{Name: name, JSON: raw}.Append(nil)
	for c := range s.clients {
		c.out.push(frame)
	}
}

// follow starts the external logins that are new, restarts those that changed or that gave up, and stops those that are
// gone. Only the session's goroutine calls it.
func (s *Session) follow(logins []im.Account) {
	wanted := make(map[string]im.Account, len(logins)+1)
	for _, a := range logins {
		wanted[a.Network] = a
	}
	if _, ok := wanted[im.Hark]; !ok {
		wanted[im.Hark] = im.Account{User: s.user, Network: im.Hark, ID: s.user}
	}
	stopped := make(map[string]*uplink)
	s.uplinks = slices.DeleteFunc(s.uplinks, func(u *uplink) bool {
		if a, ok := wanted[u.network]; ok && sameAccount(a, u.account) {
			return false
		}
		u.stop(im.Logout)
		stopped[u.network] = u
		return true
	})
	for network, a := range wanted {
		service := s.server.Services[network]
		if service == nil {
			s.log.Warn("presence: no such network here", "user", s.user, "network", network)
			continue
		}
		if u := s.uplink(network); u != nil {
			u.again()
			continue
		}
		s.uplinks = append(s.uplinks, startUplink(s, service, a, stopped[network]))
	}
}

// uplink finds the login at a network, nil if there is none. Only the session's goroutine calls it.
func (s *Session) uplink(network string) *uplink {
	for _, u := range s.uplinks {
		if u.network == network {
			return u
		}
	}
	return nil
}
