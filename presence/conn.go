package presence

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"hark/presence/wire"
)

const (
	pingAfter      = 30 * time.Second // of silence
	clientDead     = 90 * time.Second // without a whole line
	requestTimeout = 10 * time.Second
	maxMalformed   = 3 // requests in a row
)

// A conn is one client connection. Its reader goroutine, serve, reads requests and carries them out one after the other;
// a client may pipeline them. Anybody may push to its outbox.
type conn struct {
	server  *Server
	nc      net.Conn
	outside bool // of another process
	reader  *wire.Reader
	out     *outbox
	log     *slog.Logger
	ctx     context.Context // ends when the reader does
	cancel  context.CancelFunc
	ping    *time.Timer

	came time.Time // when it attached to its session; owned by the session's goroutine

	// Owned by the reader; client is set once, before the session knows the connection.
	session   *Session // nil until LOGIN or RESUME
	client    string   // client kind
	malformed int      // in a row
	bad       int      // failed LOGIN and RESUME
}

// ServeConn serves one client until it leaves, it is detached, or the server stops; it closes nc. While the server is
// stopping it says BYE and returns at once. ctx's end has the same effect as the server's.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) { s.serveConn(ctx, nc, true) }

// serveConn is ServeConn; outside tells that the client is in another process.
func (s *Server) serveConn(ctx context.Context, nc net.Conn, outside bool) {
	s.setup()
	c := &conn{server: s, nc: nc, outside: outside, reader: wire.NewReader(nc), out: newOutbox(nc), log: s.Log}
	c.ctx, c.cancel = context.WithCancel(ctx)
	defer c.cancel()
	if err := s.register(c); err != nil {
		nc.SetWriteDeadline(time.Now().Add(byeTimeout))
		wire.NewWriter(nc).Write(byeFrame(wire.ByeEvent{Code: wire.TryLater, Arg: "5", Text: err.Error()}))
		nc.Close()
		return
	}
	defer s.unregister(c)
	stop := context.AfterFunc(ctx, func() { c.bye(byeStopping) })
	defer stop()
	var writer sync.WaitGroup
	writer.Go(c.out.write)
	c.serve()
	c.out.finish(nil)
	writer.Wait()
}

var errTooMany = errors.New("presence: too many connections")

// register adds a connection, or refuses it. Those of other processes are bounded, since anybody may make them; the doors of
// this one bound their own, and strangers must not take their place.
func (s *Server) register(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	if c.outside && s.outside >= s.MaxClients {
		return errTooMany
	}
	if c.outside {
		s.outside++
	}
	s.conns[c] = struct{}{}
	s.tasks.Add(1)
	return nil
}

func (s *Server) unregister(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	if c.outside {
		s.outside--
	}
	s.mu.Unlock()
	s.tasks.Done()
}

// serve greets, and reads and carries out requests until the client is gone.
func (c *conn) serve() {
	hello, err := wire.Marshal(wire.HelloEvent{Node: c.server.Name, Proto: wire.Version, Caps: []string{"REFERRAL", "RESUME"}})
	if err != nil {
		c.log.Error("presence: cannot greet", "err", err)
		return
	}
	c.out.push(wire.Event{Name: wire.Hello, JSON: hello}.Append(nil))
	c.ping = time.AfterFunc(pingAfter, c.askForLife)
	c.ping.Reset(pingAfter) // now that the timer's function can see c.ping
	defer c.ping.Stop()
	defer c.cancel() // before the timer stops: see askForLife
	for c.serveOne() {
	}
	if c.session != nil {
		c.session.post(func() { c.session.detach(c) })
	}
}

// askForLife asks a silent client for a sign of life. The timer calls it, perhaps just when the reader gives the client up
// and stops the timer: then it must not go on.
func (c *conn) askForLife() {
	c.out.push(wire.Event{Name: wire.Ping}.Append(nil))
	if c.ping.Reset(pingAfter); c.ctx.Err() != nil {
		c.ping.Stop()
	}
}

// serveOne reads one line and deals with it; false ends the connection.
func (c *conn) serveOne() bool {
	c.nc.SetReadDeadline(time.Now().Add(clientDead))
	req, err := c.reader.Request()
	if syntax, ok := errors.AsType[*wire.SyntaxError](err); ok {
		return c.badFrame(syntax)
	}
	if err != nil {
		return false
	}
	c.ping.Reset(pingAfter)
	return c.carryOut(req)
}

// badFrame answers what is not a frame.
func (c *conn) badFrame(err *wire.SyntaxError) bool {
	if err.Tag == "" {
		c.out.push(wire.Event{Name: string(wire.BAD), Code: wire.Syntax, Text: err.Reason}.Append(nil))
	} else if !c.reply(wire.Reply{Tag: err.Tag, Status: wire.BAD, Code: wire.Syntax, Text: err.Reason}) {
		return false
	}
	return c.countMalformed()
}

// countMalformed counts one request that made no sense; false ends the connection.
func (c *conn) countMalformed() bool {
	if c.malformed++; c.malformed < maxMalformed {
		return true
	}
	c.bye(wire.ByeEvent{Code: wire.Syntax, Text: "this is not the Hark client protocol"})
	return false
}

// reply answers; false means that the client is gone.
func (c *conn) reply(r wire.Reply) bool { return c.out.wait(r.Append(nil)) }

// exists tells how much waits; a newer count replaces an older one that is not yet written. Any goroutine may call it.
func (c *conn) exists(level wire.ExistsEvent) {
	raw, err := wire.Marshal(level)
	if err != nil {
		c.log.Error("presence: EXISTS not written", "err", err)
		return
	}
	c.out.setLevel(wire.Event{Name: wire.Exists, JSON: raw}.Append(nil))
}

// bye has the connection end after a last word. Any goroutine may call it; it does not wait.
func (c *conn) bye(b wire.ByeEvent) { c.out.finish(byeFrame(b).Append(nil)) }

func byeFrame(b wire.ByeEvent) wire.Event {
	return wire.Event{Name: wire.Bye, Code: b.Code, CodeArg: b.Arg, Text: b.Text}
}
