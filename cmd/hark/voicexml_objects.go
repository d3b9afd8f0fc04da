package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"hark/accounts"
	"hark/dialplan"
	"hark/ivr"
	"hark/presence"
	"hark/presence/wire"
	"hark/vxml"
)

// platform makes Hark's own functions for VoiceXML documents: <object classid="hark:…">. docs/voicexml.md describes them.
type platform struct {
	auth       accounts.Authenticator
	dial       ivr.Dialer
	recordings recordings
	directory  directory
	deliver    deliverer
	plan       dialplan.Plan // says whom a document may write to without a login
	patience   time.Duration // how long one function may take
	log        *slog.Logger
}

var _ vxml.Objects = (*platform)(nil)

// platform makes the objects of this process.
func (p *parts) platform() *platform {
	return &platform{
		auth: p.accounts, dial: ivr.PresenceDialer(p.dialer()), recordings: recordings{p.audio, p.config.Audio},
		directory: directory{p.accounts, p.sessions}, deliver: deliverer{p.sessions}, plan: p.config.plan(),
		patience: 2*p.takeover() + time.Second, log: p.log,
	}
}

// Begin implements vxml.Objects.
func (p *platform) Begin(line ivr.Line) vxml.CallObjects {
	return &callObjects{platform: p, line: line}
}

// callObjects are the functions of one call, with the caller's login. One goroutine uses them.
type callObjects struct {
	*platform
	line    ivr.Line
	client  ivr.Messenger // nil until somebody logged in
	session wire.SessionReply
	tries   int // refused logins
	sent    int // messages of nobody in particular
}

// objectCalls are the functions, by the classid's end.
var objectCalls = map[string]func(*callObjects, context.Context, arguments) (any, error){
	"login":    (*callObjects).login,
	"messages": (*callObjects).messages,
	"heard":    (*callObjects).heard,
	"send":     (*callObjects).send,
	"contacts": (*callObjects).contacts,
	"status":   (*callObjects).status,
	"place":    (*callObjects).place,
}

// The events that functions throw, besides error.noresource when Hark itself fails.
const (
	errRefused  = "error.hark.refused"  // a login: number, PIN or session number; why is never told
	errLogin    = "error.hark.login"    // the function needs a login first
	errArgument = "error.hark.argument" // a parameter is missing or makes no sense
	errUnknown  = "error.hark.unknown"  // nobody has that address
	errFull     = "error.hark.full"     // no room for the recording
	errLimit    = "error.hark.limit"    // too many messages
	errAway     = "error.hark.away"     // the presence server cannot be had at present
)

func event(name, format string, args ...any) error {
	return &vxml.Event{Name: name, Message: fmt.Sprintf(format, args...)}
}

// Call implements vxml.CallObjects.
func (o *callObjects) Call(ctx context.Context, classid string, params map[string]any) (any, error) {
	f := objectCalls[after(classid, "hark:")]
	if f == nil {
		return nil, vxml.ErrNoObject
	}
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	return f(o, ctx, params)
}

// after is what stands behind a prefix, "" without it.
func after(s, prefix string) string {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return ""
	}
	return s[len(prefix):]
}

// Close implements vxml.CallObjects: the session outlives the call.
func (o *callObjects) Close(context.Context) {
	if o.client != nil {
		_ = o.client.Close()
	}
}

// loginTries is how many refused logins a call may have; then the answer is no without a look.
const loginTries = 3

// login takes user and pin, or code and pin, or code alone from the telephone that it was given to.
func (o *callObjects) login(ctx context.Context, a arguments) (any, error) {
	client, reply, err := o.enter(ctx, a)
	switch {
	case err == nil:
	case errors.Is(err, accounts.ErrRefused) || refusedLogin(err):
		// What was keyed meanwhile is dropped, so that numbers keyed in one breath are one try (T1).
		o.tries++
		o.line.Flush()
		return nil, event(errRefused, "this cannot be checked")
	default:
		return nil, o.failed("login", err)
	}
	o.Close(ctx)
	o.client, o.session = client, reply
	return map[string]any{"user": reply.User, "name": reply.Name, "code": reply.Code, "waiting": reply.Waiting, "resumed": reply.Resumed}, nil
}

// enter asks the account server, then the presence server.
func (o *callObjects) enter(ctx context.Context, a arguments) (ivr.Messenger, wire.SessionReply, error) {
	user, pin, code, caller := a.text("user"), a.text("pin"), a.text("code"), o.line.Caller()
	switch {
	case o.tries >= loginTries:
		return nil, wire.SessionReply{}, accounts.ErrRefused
	case code != "" && (pin != "" || caller != ""):
		return o.dial.Resume(ctx, wire.ResumeRequest{Code: code, PIN: pin, Caller: caller, Client: phoneKind})
	case user == "" || pin == "":
		return nil, wire.SessionReply{}, accounts.ErrRefused
	}
	ticket, err := o.auth.Authenticate(ctx, accounts.Credentials{User: user, PIN: pin, Caller: caller, Door: phoneKind})
	if err != nil {
		return nil, wire.SessionReply{}, err
	}
	return o.dial.Login(ctx, wire.LoginRequest{Ticket: ticket, Client: phoneKind, Caller: caller})
}

// phoneKind is the client kind of every telephone: the place in the messages is the same in every dialogue.
const phoneKind = "phone"

// refusedLogin tells that the presence server said no.
func refusedLogin(err error) bool {
	var no *presence.Error
	if !errors.As(err, &no) {
		return false
	}
	switch no.Code {
	case wire.AuthFailed, wire.Locked, wire.Expired, wire.NoSession, wire.NotFound, wire.Syntax:
		return true
	}
	return false
}

// ask makes a request of the presence server. When that is gone the session is looked for, and asked once more: a request
// must be one that may be made twice.
func (o *callObjects) ask(ctx context.Context, what string, f func(ivr.Messenger) error) error {
	if o.client == nil {
		return event(errLogin, "nobody is logged in")
	}
	err := f(o.client)
	if lost(err) && ctx.Err() == nil {
		if err = o.again(ctx); err == nil {
			err = f(o.client)
		}
	}
	return o.failed(what, err)
}

// lost tells that this connection is of no more use.
func lost(err error) bool {
	var no *presence.Error
	if errors.As(err, &no) {
		return no.Code == wire.Fenced || no.Code == wire.Referral
	}
	return err != nil
}

// again resumes the session by its token.
func (o *callObjects) again(ctx context.Context) error {
	_ = o.client.Close()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		client, reply, err := o.dial.Resume(ctx, wire.ResumeRequest{Session: o.session.Session, Client: phoneKind})
		if err == nil {
			o.client = client
			if reply.Session != "" {
				o.session.Session = reply.Session
			}
			return nil
		}
		if refusedLogin(err) || !pause(ctx, wait) {
			return err
		}
	}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// failed makes an event of what the presence server did not do.
func (o *callObjects) failed(what string, err error) error {
	var no *presence.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &no):
		o.log.Warn("a VoiceXML object failed", "call", o.line.ID(), "object", what, "err", err)
		return event(errAway, "Hark cannot be reached")
	case no.Code == wire.NotFound:
		return event(errUnknown, "nobody has that address")
	case no.Code == wire.Limit || no.Code == wire.TooLong:
		return event(errLimit, "%s", no.Text)
	}
	return event(errAway, "%s", no.Text)
}

// arguments are the <param> of an object.
type arguments map[string]any

// text is a parameter as text, "" when there is none. A number is written out.
func (a arguments) text(name string) string {
	switch v := a[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		if v == math.Trunc(v) {
			return strconv.FormatInt(int64(v), 10)
		}
	}
	return fmt.Sprint(a[name])
}

// number is a parameter as a whole number, or 0.
func (a arguments) number(name string) int64 {
	n, err := strconv.ParseInt(a.text(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// yes is a parameter as a condition, def when it is not there.
func (a arguments) yes(name string, def bool) bool {
	switch v := a[name].(type) {
	case bool:
		return v
	case nil:
		return def
	}
	return a.text(name) != "false" && a.text(name) != ""
}
