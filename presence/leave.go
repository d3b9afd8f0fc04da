package presence

import (
	"context"
	"time"
)

// logoutWait is how long LOGOUT waits for the external logins to end.
const logoutWait = 5 * time.Second

// leave carries out DETACH: the connection ends, the session goes on.
func (c *conn) leave(context.Context) (result, error) {
	return result{leave: true, text: "the session goes on"}, nil
}

// logout carries out LOGOUT: session and external logins end. It answers when they have ended, or after logoutWait.
func (c *conn) logout(ctx context.Context) (result, error) {
	session := c.session
	if err := session.ask(func() { session.detach(c) }); err != nil {
		return result{}, err
	}
	session.end(endingOver)
	timer := time.NewTimer(logoutWait)
	defer timer.Stop()
	select {
	case <-session.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	return result{leave: true, text: "the session has ended"}, nil
}
