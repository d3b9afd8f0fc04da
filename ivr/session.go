package ivr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

// phoneClient is the client kind of every call: its cursor is the telephone's own.
const phoneClient = "phone"

// errLost says that the presence server is gone and could not be had again in time.
var errLost = errors.New("ivr: the presence server is gone")

// errOver says that the session was ended, at another door or by an administrator.
var errOver = errors.New("ivr: the session was ended elsewhere")

// A session is the caller's login at the presence server as the call holds it.
type session struct {
	client Messenger
	wire.SessionReply
	news *news // nil until the waiting messages were loaded
}

// close leaves the presence server; the session there goes on. To close the socket says all that DETACH would.
func (s *session) close() {
	if moved := s.news.stop(); moved != nil {
		_ = moved.client.Close()
	}
	_ = s.client.Close()
}

// ask makes a request of the presence server. When the server is gone it finds the session again and asks once more,
// so a request must be one that may be made twice. A caller who has to wait hears of it.
func (c *Call) ask(ctx context.Context, f func(ctx context.Context, m Messenger) error) error {
	return c.await(ctx, func(ctx context.Context) error {
		err := c.once(ctx, f)
		if err == nil || !gone(err) || ctx.Err() != nil {
			return err
		}
		if err := c.reconnect(ctx); err != nil {
			return err
		}
		return f(ctx, c.session.client)
	})
}

// once makes a request, and leaves enough of the caller's patience to find another server after a hung one.
func (c *Call) once(ctx context.Context, f func(ctx context.Context, m Messenger) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.set.Patience/2)
	defer cancel()
	return f(ctx, c.session.client)
}

// gone tells whether a request failed because this connection is of no more use.
func gone(err error) bool {
	var refusal *presence.Error
	if errors.As(err, &refusal) {
		return refusal.Code == wire.Fenced || refusal.Code == wire.Referral
	}
	return true
}

// reconnect resumes the session by its token, as often as Reconnect allows.
func (c *Call) reconnect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.set.Reconnect)
	defer cancel()
	if c.takeOver() {
		return nil
	}
	client, reply, err := persist(ctx, c.find())
	switch {
	case ended(err):
		return fmt.Errorf("%w: %w: %w", errLost, errOver, err)
	case err != nil:
		return fmt.Errorf("%w: %w", errLost, err)
	}
	c.log.Info("session found again", "epoch", reply.Epoch)
	c.renew(client, reply)
	return nil
}

// find returns what tries once to resume the session by its token, from any goroutine.
func (c *Call) find() func(ctx context.Context) (Messenger, wire.SessionReply, error) {
	dial, limit, request := c.srv.Dial, c.set.Reconnect, wire.ResumeRequest{Session: c.session.Session, Client: phoneClient}
	return func(ctx context.Context) (Messenger, wire.SessionReply, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return dial.Resume(ctx, request)
	}
}

// takeOver leaves the connection, and goes on with the one that was found meanwhile, if there is one.
func (c *Call) takeOver() bool {
	moved := c.session.news.stop()
	_ = c.session.client.Close()
	if moved == nil {
		return false
	}
	select {
	case <-moved.client.Done(): // that one broke, too
		_ = moved.client.Close()
		return false
	default:
	}
	c.log.Info("session found again beside the call", "epoch", moved.Epoch)
	c.renew(moved.client, moved.SessionReply)
	return true
}

// ended tells whether the presence server knows the caller, but no session any more.
func ended(err error) bool {
	return presence.HasCode(err, wire.NoSession) || presence.HasCode(err, wire.Expired)
}

// renew goes on with another connection to the same session, whose number and name stay what they were.
func (c *Call) renew(client Messenger, reply wire.SessionReply) {
	old := c.session.SessionReply
	or(&reply.Session, old.Session)
	or(&reply.Code, old.Code)
	or(&reply.Name, old.Name)
	or(&reply.User, old.User)
	or(&reply.Until, old.Until)
	c.session = &session{client: client, SessionReply: reply}
	if !c.loaded {
		return
	}
	c.session.news = c.follow(client, true)
}

// refused tells whether the presence server said no to who wanted in, rather than nothing.
func refused(err error) bool {
	var refusal *presence.Error
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code {
	case wire.AuthFailed, wire.Locked, wire.Expired, wire.NoSession, wire.NotFound, wire.Syntax:
		return true
	}
	return false
}

// sleep waits; it returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
