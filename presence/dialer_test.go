package presence_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

// A server that takes the connection and says nothing keeps nobody for longer than his context.
func TestDialerGivesUp(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	d := &presence.Dialer{Dial: func(context.Context, string) (net.Conn, error) { return here, nil }}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, _, err := d.Login(ctx, wire.LoginRequest{Ticket: "x"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}
