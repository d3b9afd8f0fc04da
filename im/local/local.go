// Package local is instant messaging between Hark users: an im.Service without any external server. A user's address is
// "hark:" and the user number.
//
// # Where messages go
//
// Send hands a message to the Deliverer, which puts it into the recipient's message log, whether the recipient has a
// session anywhere or not. So an incoming message does not come out of the recipient's Conn: his session reads it from
// its own log, when the store's Watch tells it that somebody else wrote there. What the Sink gets is the roster, the
// presence and typing of others, and the delivery reports on the user's own messages.
//
// # Presence
//
// The Service knows who is logged in at it, that is, on this node. Users on other nodes are shown as offline; messages
// reach them all the same.
//
// # Strangers
//
// Whoever has an account can write to any number, and hears when nobody has it. He must not find out by it which numbers
// there are (threat T3): after some wrong numbers a day, every number that has not written to him is nobody's. And the
// name of another user, his presence, his typing and what he has read are told only to those whom he has written to.
package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hark/im"
)

// ErrUnknown is what a Directory says about a number that nobody has.
var ErrUnknown = errors.New("local: nobody has this number")

// A Deliverer keeps messages for users. sessions.Store does it.
type Deliverer interface {
	// Deliver adds m to the log of the user. It is idempotent by m.Origin and returns when m is on disk.
	Deliver(ctx context.Context, toUser string, m im.Message) error
}

// A Directory knows the users. Both methods may be called from any goroutine.
type Directory interface {
	// Name returns what the user is called, "" if he has no name. The error is ErrUnknown when nobody has the number.
	Name(ctx context.Context, user string) (string, error)
	// Contacts lists with whom the user has messages.
	Contacts(ctx context.Context, user string) ([]Contact, error)
}

// A Contact is another number on a user's list.
type Contact struct {
	User  string
	Name  string // "" for one who has no name or has never written
	Wrote bool   // has written to the user; otherwise was only written to, and may be nobody
}

// A Service connects the users of one node. The fields must be set before the first Open.
type Service struct {
	Deliverer Deliverer
	Directory Directory
	// Now is the clock that stamps messages; nil is time.Now.
	Now func() time.Time

	mu     sync.Mutex
	online map[string][]*Conn // by user; several while one session replaces another
	wrong  map[string]misdials
}

var _ im.Service = (*Service)(nil)

// Network returns im.Hark.
func (s *Service) Network() string { return im.Hark }

// Open puts the user online. There is nothing to resume and no password: whoever opens has authenticated the user. The
// error is of class Config when there is no such user, and Network when the directory does not answer.
func (s *Service) Open(ctx context.Context, account im.Account, _ im.Resume, sink im.Sink) (im.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &im.Error{Class: im.Network, Err: err}
	}
	name, err := s.Directory.Name(ctx, account.ID)
	if err != nil {
		return nil, directoryError(err)
	}
	contacts, err := s.Directory.Contacts(ctx, account.ID)
	if err != nil {
		return nil, directoryError(err)
	}
	c := newConn(s, account.ID, name, contacts, sink)
	s.enter(c)
	return c, nil
}

// directoryError is of class Config when there is no such user, and of class Network when the directory failed.
func directoryError(err error) error {
	class := im.Config
	if !errors.Is(err, ErrUnknown) {
		class = im.Network
	}
	return &im.Error{Class: class, Err: err}
}

// enter puts a Conn online, gives it the roster, and shows everybody to everybody.
func (s *Service) enter(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.online == nil {
		s.online = make(map[string][]*Conn)
	}
	s.online[c.user] = append(s.online[c.user], c)
	c.post(c.roster())
	for user, k := range c.contacts {
		if k.Wrote {
			c.post(s.presence(user))
		}
	}
	s.announce(c.user)
	c.post(im.Synced{})
}

// leave takes a Conn offline.
func (s *Service) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*Conn
	for _, other := range s.online[c.user] {
		if other != c {
			rest = append(rest, other)
		}
	}
	if s.online[c.user] = rest; len(rest) == 0 {
		delete(s.online, c.user)
	}
	s.announce(c.user)
}

// announce tells everybody whom the user has written to how he is. s.mu must be held.
func (s *Service) announce(user string) {
	p := s.presence(user)
	for other, conns := range s.online {
		for _, c := range conns {
			if c.contacts[user].Wrote && other != user {
				c.post(p)
			}
		}
	}
}

// presence is how others see the user. s.mu must be held.
func (s *Service) presence(user string) im.Presence {
	p := im.Presence{From: address(user), Show: im.Offline}
	for _, c := range s.online[user] {
		if c.shown.Show != im.Invisible && c.shown.Show != im.Offline {
			p.Show, p.Text = c.shown.Show, c.shown.Text
		}
	}
	return p
}

// show changes a Conn's presence.
func (s *Service) show(c *Conn, p im.Presence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.shown = p
	s.announce(c.user)
}

// meet puts the user and the number that he has written to on the roster of each other, as far as they are online. The
// one who was written to learns who the user is, and not the other way round.
func (s *Service) meet(user, name, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.introduce(user, Contact{User: to})
	s.introduce(to, Contact{User: user, Name: name, Wrote: true})
}

// introduce puts a contact on the user's roster, unless as much is known already. s.mu must be held.
func (s *Service) introduce(user string, k Contact) {
	for _, c := range s.online[user] {
		old, known := c.contacts[k.User]
		if user == k.User || known && (old.Wrote || !k.Wrote) {
			continue
		}
		c.contacts[k.User] = k
		c.post(c.roster())
		if k.Wrote {
			c.post(s.presence(k.User))
		}
	}
}

// pass gives an event about one user to every Conn of another one, if he has written to that one.
func (s *Service) pass(from, to string, body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.online[to] {
		if c.contacts[from].Wrote {
			c.post(body)
		}
	}
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now().UTC()
}

func address(user string) im.Address { return im.Address{Network: im.Hark, ID: user} }

// policy makes an error of class Policy.
func policy(format string, args ...any) error {
	return &im.Error{Class: im.Policy, Err: fmt.Errorf(format, args...)}
}
