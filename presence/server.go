package presence

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hark/im"
	"hark/sessions"
)

// A Server is one presence server: a node of the session database that owns session objects and serves them to thin
// clients. Fill in the fields, start Run, then Serve on as many listeners as wanted; Pipe serves this process.
type Server struct {
	Name     string                // of the node, "ps1"; the same at every start
	Addr     string                // as clients dial it, "harks://host:port"
	Sessions sessions.Store        // the Central Session Database
	Accounts Accounts              // the Account Information Server
	Services map[string]im.Service // by network; "hark" is the one between Hark users
	Log      *slog.Logger          // nil drops the log

	// Secret keys the hashes of session tokens and session numbers; all nodes share it, and it is not kept in the
	// database. When nil, one is drawn at the start, and tokens and numbers do not outlive the process.
	Secret []byte

	Lease       time.Duration // of the node; 0 is 10 s
	BeatEvery   time.Duration // 0 is 3 s
	OpenTimeout time.Duration // for one attempt at an external login; 0 is 30 s
	StopTimeout time.Duration // for Shutdown when Run's context ends; 0 is 15 s
	RestorePace time.Duration // between two sessions that are opened again by themselves; 0 is 20 ms
	SessionIdle time.Duration // a session that no client used for so long ends; 0 is 7 days
	MaxClients  int           // connections at once of clients in other processes; 0 is 20,000
	SendEvery   time.Duration // a user may send one message in so long; 0 is 1 s, negative is no limit (threat T13)
	SendBurst   int           // and so many at once; 0 is 10

	// Retention bounds every user's log; it is applied every hour.
	Retention sessions.Retention

	// Jitter chooses how long to wait, from 0 to at most d; nil chooses at random.
	Jitter func(d time.Duration) time.Duration

	once    sync.Once
	node    atomic.Pointer[nodeLife]
	drained atomic.Bool // this node takes no sessions
	missed  atomic.Bool // the node may own sessions that are not open
	guesses guessLimit
	tasks   sync.WaitGroup // everything that was started
	base    context.Context
	cancel  context.CancelFunc

	mu        sync.Mutex
	stopping  bool
	up        chan struct{} // closed while the node is up
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	outside   int                // how many of them are of other processes
	sessions  map[string]*slot   // by user
	buckets   map[string]*bucket // by user, of those who have sent lately
}

// errStopping is why nothing new begins.
var errStopping = errors.New("presence: the server is stopping")

// setup fills in what was left zero.
func (s *Server) setup() {
	s.once.Do(func() {
		if s.Log == nil {
			s.Log = slog.New(slog.DiscardHandler)
		}
		if s.Secret == nil {
			s.Secret = make([]byte, 32)
			rand.Read(s.Secret)
			s.Log.Warn("presence: no secret given: session numbers end with this process")
		}
		s.Lease = cmp.Or(s.Lease, 10*time.Second)
		s.BeatEvery = cmp.Or(s.BeatEvery, 3*time.Second)
		s.OpenTimeout = cmp.Or(s.OpenTimeout, 30*time.Second)
		s.StopTimeout = cmp.Or(s.StopTimeout, 15*time.Second)
		s.RestorePace = cmp.Or(s.RestorePace, 20*time.Millisecond)
		s.SessionIdle = cmp.Or(s.SessionIdle, 7*24*time.Hour)
		s.MaxClients = cmp.Or(s.MaxClients, 20_000)
		s.SendEvery = cmp.Or(s.SendEvery, time.Second)
		s.SendBurst = cmp.Or(s.SendBurst, 10)
		if s.Jitter == nil {
			s.Jitter = func(d time.Duration) time.Duration { return mathrand.N(d + 1) }
		}
		s.base, s.cancel = context.WithCancel(context.Background())
		s.up = make(chan struct{})
		s.listeners = make(map[net.Listener]struct{})
		s.conns = make(map[*conn]struct{})
		s.sessions = make(map[string]*slot)
		s.buckets = make(map[string]*bucket)
	})
}

// start runs f in a goroutine that Shutdown waits for; once the server is stopping it refuses.
func (s *Server) start(f func()) error {
	if err := s.hold(); err != nil {
		return err
	}
	go func() {
		defer s.tasks.Done()
		f()
	}()
	return nil
}

// hold has Shutdown wait until s.tasks.Done is called; once the server is stopping it refuses.
func (s *Server) hold() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	s.tasks.Add(1)
	return nil
}

// Stats is a look at a server.
type Stats struct {
	Clients  int // connections
	Sessions int // session objects
}

// Stats counts connections and sessions.
func (s *Server) Stats() Stats {
	s.setup()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Clients: len(s.conns), Sessions: len(s.sessions)}
}

// Shutdown stops the server in order: nothing new begins, the external logins are closed so that they can be resumed,
// the sessions go to the other nodes, or are released when there are none, the clients hear BYE, and the node gives up
// its lease. It returns when all goroutines have ended, or with ctx's error when ctx ends first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.setup()
	others := s.others(ctx)
	s.mu.Lock()
	s.stopping = true
	for l := range s.listeners {
		l.Close()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.endAll(spread(others))
		s.dropConns()
		s.cancel()
		s.tasks.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel()
		return ctx.Err()
	}
	return s.stopNode(ctx)
}

// dropConns says BYE to the connections that belong to no session.
func (s *Server) dropConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.bye(byeStopping)
	}
}
