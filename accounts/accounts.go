// Package accounts is the Account Information Server: who the users are, how they prove it, and which external logins
// they have.
//
// A user is known by a user number of 7 random digits and proves himself with a PIN that Hark assigns. Every failure
// sounds and takes the same (threat T3): ErrRefused, whether the user is unknown, the PIN wrong, or the account locked.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused is every refusal of a login. The reason goes to the log only.
	ErrRefused = errors.New("accounts: refused")
	// ErrNotFound: there is no such user, login or caller id (for administrators; never told to callers).
	ErrNotFound = errors.New("accounts: not found")
	// ErrBadPIN: the PIN does not have the right form or stands on the blocklist.
	ErrBadPIN = errors.New("accounts: this PIN is too easy to guess or has the wrong form")
	// ErrBadName: the name is empty, too long, or has signs in it that cannot be spoken or shown.
	ErrBadName = errors.New("accounts: this name is empty, longer than 60 characters, or has control characters")
)

// TryLater refuses because the account is locked for a while, or because the server protects itself. Who answers a
// caller must not let it differ from ErrRefused in words or time; errors.Is(err, ErrRefused) holds.
type TryLater struct{ After time.Duration }

// Error says how long.
func (e *TryLater) Error() string { return fmt.Sprintf("accounts: refused, try again in %s", e.After) }

// Is makes a TryLater an ErrRefused.
func (e *TryLater) Is(target error) bool { return target == ErrRefused }

// Credentials are what a caller keyed or a web user typed.
type Credentials struct {
	User   string // user number
	PIN    string
	Caller string // caller id, or the web client's address; it never authenticates, it only keeps a bucket of its own
	Door   string // "phone", "web", "wap"
}

// Authenticator checks credentials and returns a ticket for the presence server.
type Authenticator interface {
	// Authenticate returns a ticket that lives 30 seconds and works once, or an error that is ErrRefused.
	Authenticate(ctx context.Context, c Credentials) (ticket string, err error)
}

// Claims is what a valid ticket says.
type Claims struct {
	User    string
	Session string // set in a referral's ticket: the session to resume
	Target  string // the node that may redeem it, "" for any node
}
