package presence

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"hark/presence/wire"
)

// DefaultPort is where a presence server listens.
const DefaultPort = "7778"

// A Dialer finds the presence server that owns a session: it dials, logs in, and follows referrals. It may be used by
// any number of goroutines.
type Dialer struct {
	// Home is the URL of the first server: "hark://host:port" (plain, loopback only), "harks://host:port" (TLS), or
	// "pipe:" for the server in this process.
	Home string
	// Pipe connects to the server in this process (Server.Pipe); needed when Home is "pipe:".
	Pipe func(ctx context.Context) (net.Conn, error)
	// Dial replaces dialling by scheme, when not nil.
	Dial func(ctx context.Context, url string) (net.Conn, error)
	// TLS is used for harks://; nil verifies with the system's certificates.
	TLS *tls.Config
	Log *slog.Logger
	// Loops counts the logins that ended with ErrLoop, for an operator to see; nil counts nothing.
	Loops *atomic.Int64
}

// Login logs in wherever the session is. A PIN is sent to the first server only. The caller closes the client. Errors:
// as Client.Login; ErrLoop; what dialling gave.
func (d *Dialer) Login(ctx context.Context, req wire.LoginRequest) (*Client, wire.SessionReply, error) {
	first := func(c *Client) (wire.SessionReply, error) { return c.Login(ctx, req) }
	return d.begin(ctx, first, byTicket(ctx, req.Client, req.Caller))
}

// Resume attaches wherever the session is; otherwise as Login. A token is shown to the owner, too, for whom it is as good:
// a ticket would log in anew, with a new token and a new session number each time.
func (d *Dialer) Resume(ctx context.Context, req wire.ResumeRequest) (*Client, wire.SessionReply, error) {
	first := func(c *Client) (wire.SessionReply, error) { return c.Resume(ctx, req) }
	if req.Session != "" {
		return d.begin(ctx, first, func(string) ask { return first })
	}
	return d.begin(ctx, first, byTicket(ctx, req.Client, req.Caller))
}

// Follow goes where a server's BYE refers to, with the ticket in it; kind and caller are those of the login. Errors:
// as Login; the BYE itself as an *Error when it refers to nowhere.
func (d *Dialer) Follow(ctx context.Context, bye wire.ByeEvent, kind, caller string) (*Client, wire.SessionReply, error) {
	return d.follow(ctx, byTicket(ctx, kind, caller), refuse(bye.Code, bye.Arg, bye.Text), map[string]bool{})
}

// ask is one attempt to get into a session.
type ask func(*Client) (wire.SessionReply, error)

// byTicket is what is asked where a referral leads: to log in with its ticket.
func byTicket(ctx context.Context, kind, caller string) func(ticket string) ask {
	return func(ticket string) ask {
		return func(c *Client) (wire.SessionReply, error) {
			return c.Login(ctx, wire.LoginRequest{Ticket: ticket, Client: kind, Caller: caller})
		}
	}
}

// begin asks the first server, and goes wherever it refers to; then makes what is asked there of the referral's ticket.
func (d *Dialer) begin(ctx context.Context, first ask, then func(ticket string) ask) (*Client, wire.SessionReply, error) {
	been := map[string]bool{}
	client, reply, err := d.attempt(ctx, d.Home, been, first)
	if err == nil {
		return client, reply, nil
	}
	return d.follow(ctx, then, err, been)
}

// circled writes down that a session could not be found because the nodes refer to each other.
func (d *Dialer) circled(err error) error {
	if d.Loops != nil {
		d.Loops.Add(1)
	}
	if d.Log != nil {
		d.Log.Warn("presence: a session is nowhere: do two nodes have one address?", "err", err)
	}
	return err
}

// follow asks every server that it is referred to until one says something else.
func (d *Dialer) follow(ctx context.Context, then func(ticket string) ask, err error, been map[string]bool) (*Client, wire.SessionReply, error) {
	for range MaxHops {
		referral := referralOf(err)
		if referral == nil {
			return nil, wire.SessionReply{}, err
		}
		if been[referral.Host] {
			return nil, wire.SessionReply{}, d.circled(fmt.Errorf("%w: to %s again", ErrLoop, referral.Host))
		}
		been[referral.Host] = true
		var client *Client
		var reply wire.SessionReply
		client, reply, err = d.attempt(ctx, referral.Addr(), been, then(referral.Ticket))
		if err == nil {
			return client, reply, nil
		}
	}
	if referralOf(err) != nil {
		err = d.circled(fmt.Errorf("%w: more than %d times", ErrLoop, MaxHops))
	}
	return nil, wire.SessionReply{}, err
}

// attempt asks one server. The client is closed when there is an error.
func (d *Dialer) attempt(ctx context.Context, url string, been map[string]bool, ask ask) (*Client, wire.SessionReply, error) {
	conn, err := d.dial(ctx, url)
	if err != nil {
		return nil, wire.SessionReply{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // a server that hangs does not greet
	client, err := NewClient(conn, d.Log)
	if !stop() && err != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, wire.SessionReply{}, err
	}
	reply, err := d.askNode(client, been, ask)
	if err != nil {
		client.Close()
		return nil, wire.SessionReply{}, err
	}
	return client, reply, nil
}

// askNode asks unless the node, which may have several host names, was asked before.
func (d *Dialer) askNode(c *Client, been map[string]bool, ask ask) (wire.SessionReply, error) {
	node := "node " + c.Hello().Node
	if been[node] {
		return wire.SessionReply{}, d.circled(fmt.Errorf("%w: to %s again", ErrLoop, node))
	}
	been[node] = true
	return ask(c)
}

// dial connects by scheme.
func (d *Dialer) dial(ctx context.Context, url string) (net.Conn, error) {
	if d.Dial != nil {
		return d.Dial(ctx, url)
	}
	if url == "pipe:" {
		if d.Pipe == nil {
			return nil, errors.New("presence: there is no server in this process to connect to")
		}
		return d.Pipe(ctx)
	}
	scheme, host, _ := strings.Cut(url, "://")
	host = withPort(host)
	switch scheme {
	case "harks":
		return (&tls.Dialer{Config: d.TLS}).DialContext(ctx, "tcp", host)
	case "hark":
		return dialPlain(ctx, host)
	}
	return nil, fmt.Errorf("presence: the address of a server begins with hark:// or harks://, not %q", scheme)
}

// dialPlain connects without TLS, which is for this machine only.
func dialPlain(ctx context.Context, host string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		conn.Close()
		return nil, fmt.Errorf("presence: %s is not this machine: use harks:// (TLS)", host)
	}
	return conn, nil
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err != nil {
		return net.JoinHostPort(strings.Trim(host, "[]"), DefaultPort)
	}
	return host
}
