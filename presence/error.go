package presence

import (
	"errors"
	"fmt"
	"time"

	"hark/accounts"
	"hark/presence/wire"
	"hark/sessions"
)

// ErrClosed is what a Client's methods return (wrapped) when its socket is gone.
var ErrClosed = errors.New("presence: the connection is closed")

// ErrLoop is what a Dialer returns (wrapped) when it was referred more than MaxHops times, or to a host it had been at.
var ErrLoop = errors.New("presence: referred in a circle")

// What the server's own parts tell each other; clients hear FENCED and EXPIRED.
var (
	errEnding  = errors.New("presence: the session is ending")
	errExpired = errors.New("presence: the session token's time is over")
)

// An Error is a refusal in the protocol: what stands in a NO or a BAD. Client methods return it, and the server's
// handlers make it; the inside of a failure goes to the log instead.
type Error struct {
	Status wire.Outcome // wire.NO or wire.BAD
	Code   string       // one of wire's codes
	Arg    string       // the code's argument; for REFERRAL it holds a ticket and must not be logged
	Text   string       // words for a person
}

// Error returns status, code and text, without the argument of a referral.
func (e *Error) Error() string {
	arg := e.Arg
	if e.Code == wire.Referral {
		arg = "…"
	}
	return fmt.Sprintf("presence: %s [%s %s] %s", e.Status, e.Code, arg, e.Text)
}

// Is makes errors with the same code equal, whatever their argument and text.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// HasCode tells whether err is an *Error with this code of package wire.
func HasCode(err error, code string) bool { return errors.Is(err, &Error{Code: code}) }

// refuse makes a NO.
func refuse(code, arg, text string) *Error {
	return &Error{Status: wire.NO, Code: code, Arg: arg, Text: text}
}

// tryLater makes the NO for a failure that passes by itself.
func tryLater(after time.Duration) *Error {
	return refuse(wire.TryLater, fmt.Sprint(max(1, int(after.Seconds()))), "not now, try again later")
}

// badArgument makes the BAD for a request whose argument makes no sense.
func badArgument(text string) *Error {
	return &Error{Status: wire.BAD, Code: wire.Syntax, Text: text}
}

// refusal makes any error one that a client may hear; ok is false when its inside has to go to the log.
func refusal(err error) (e *Error, ok bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e, true
	}
	var syntax *wire.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return badArgument(syntax.Reason), true
	case errors.Is(err, accounts.ErrRefused):
		return refuse(wire.AuthFailed, "", "I cannot check that"), true
	case errors.Is(err, errExpired):
		return refuse(wire.Expired, "", "log in again"), true
	case errors.Is(err, sessions.ErrFenced), errors.Is(err, errEnding):
		return refuse(wire.Fenced, "", "your session has moved or ended"), true
	case errors.Is(err, sessions.ErrNotFound):
		return refuse(wire.NotFound, "", "there is no such thing"), true
	case errors.Is(err, sessions.ErrChanged):
		return refuse(wire.Changed, "", "this was changed meanwhile, get it anew"), true
	case errors.Is(err, sessions.ErrDuplicate):
		return refuse(wire.Limit, "", "this id was used for another message"), true
	case errors.Is(err, errStopping):
		return tryLater(5 * time.Second), true
	}
	return tryLater(5 * time.Second), false
}
