package xmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"hark/im"
)

// Options of an im.Account that this service knows.
const (
	// OptionTLS is how the connection to Account.Server is encrypted: "direct" begins with TLS (XEP-0368), anything
	// else uses STARTTLS. Without Account.Server the domain's SRV records say it.
	OptionTLS = "tls"
	// OptionResource is the resource to ask for instead of Service.Resource.
	OptionResource = "resource"
)

// A Service logs users in at their XMPP servers. The zero value works; all fields must be set before the first Open.
type Service struct {
	// TLS is used for every connection, with ServerName set to the domain of the account when it is empty. nil checks
	// certificates against the system's roots.
	TLS *tls.Config
	// Insecure leaves encryption out, but for OptionTLS "direct". It is for tests and for a server on the same machine.
	Insecure bool
	// AllowPlain lets the password be sent in the clear inside TLS, to servers that cannot do SCRAM.
	AllowPlain bool
	// Resource is the resource that logins ask for; "" is "hark". It is the same for each login of a user, so that a
	// login that cannot be resumed replaces the one that it follows.
	Resource string
	// Dial connects; nil uses a net.Dialer. A pool of source addresses or a ban on private networks goes here.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolver finds the SRV records; nil is net.DefaultResolver.
	Resolver *net.Resolver
	Timing   Timing
	// Now is the clock for messages that carry no time; nil is time.Now.
	Now func() time.Time
	// Log gets the inside of errors, never a password or a body; nil discards.
	Log *slog.Logger

	configs sync.Map // *tls.Config by protocols and domain
}

// Timing says how long things may take; zero fields take the defaults.
type Timing struct {
	Idle  time.Duration // silence after which the server is asked for a sign of life; 90 s
	Reply time.Duration // how long a sign of life or a reply may take; 30 s
	Write time.Duration // how long one write may take; 20 s
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&t.Idle, 90*time.Second)
	set(&t.Reply, 30*time.Second)
	set(&t.Write, 20*time.Second)
	return t
}

var _ im.Service = (*Service)(nil)

// Network returns im.XMPP.
func (s *Service) Network() string { return im.XMPP }

// ownJID reads an account's address (RFC 7622), which has a user's name.
func ownJID(account im.Account) (jid.JID, error) {
	own, err := jid.Parse(account.ID)
	if err != nil || own.Localpart() == "" {
		return own, fail(im.Config, "xmpp: %q is not an address of the form user@domain", account.ID)
	}
	return own, nil
}

// Check tells what is wrong with a new account, as far as that is seen without its server: its address (RFC 7622), which is to
// be a bare one, and its Server. Errors: *im.Error of class Config.
func Check(account im.Account) error {
	own, err := ownJID(account)
	if err != nil {
		return err
	}
	if own.Resourcepart() != "" {
		return fail(im.Config, "xmpp: %q has a resource behind the address: %s", account.ID, own.Bare())
	}
	if _, _, err := net.SplitHostPort(account.Server); err != nil && account.Server != "" {
		return fail(im.Config, "xmpp: server %q is not of the form host:port", account.Server)
	}
	return nil
}

// Open logs in, or continues the login that resume describes. When the server has forgotten that one, Open logs in
// afresh over the same connection and fetches from the archive what came meanwhile. Errors are *im.Error: Credential
// when the password is wrong, Config when address, certificate or encryption make it impossible, Conflict, Throttled
// and Network as the server says.
func (s *Service) Open(ctx context.Context, account im.Account, resume im.Resume, sink im.Sink) (im.Conn, error) {
	own, err := ownJID(account)
	if err != nil {
		return nil, err
	}
	own = own.Bare()
	before, err := parseResume(resume, own)
	if err != nil {
		s.log().Warn("xmpp: resume state is not usable, logging in afresh", "account", own, "err", err)
	}
	l := &login{service: s, account: account, own: own, before: before}
	w, err := l.run(ctx)
	if err != nil && l.choked {
		s.log().Info("xmpp: the server broke off at a resume, logging in afresh", "account", own, "err", err)
		l.before.ID = ""
		w, err = l.run(ctx)
	}
	if err != nil {
		s.log().Info("xmpp: login failed", "account", own, "err", err)
		return nil, withContext(ctx, err)
	}
	c := newConn(s, w, l, sink)
	c.start(l)
	s.log().Info("xmpp: logged in", "account", own, "resumed", l.resumed, "sm", l.sm)
	return c, nil
}

// withContext makes the error an *im.Error; a context that has ended explains any other failure.
func withContext(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &im.Error{Class: im.Network, Err: errors.Join(ctx.Err(), err)}
	}
	return classify(err)
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// resource returns the resource to ask for: the one of the login before, if there was one.
func (s *Service) resource(account im.Account, before state) string {
	if j, err := jid.Parse(before.JID); err == nil && j.Resourcepart() != "" {
		return j.Resourcepart()
	}
	if r := account.Options[OptionResource]; r != "" {
		return r
	}
	if s.Resource != "" {
		return s.Resource
	}
	return "hark"
}
