package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// A slowServer lets nobody in before open is closed.
type slowServer struct {
	waiting atomic.Int32
	open    chan struct{}
}

func (s *slowServer) Connect(context.Context) (driver.Conn, error) {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	<-s.open
	return nil, nil
}

func (*slowServer) Driver() driver.Driver { return nil }

// Of many that want a connection, few ask the server at a time; all get in, but for those who give up.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &slowServer{open: make(chan struct{})}
		g := gate{server, make(chan struct{}, connectsAtOnce)}
		const callers = 5 * connectsAtOnce
		ended := make(chan error, callers)
		for range callers {
			go func() {
				_, err := g.Connect(t.Context())
				ended <- err
			}()
		}
		synctest.Wait()
		if n := server.waiting.Load(); n != connectsAtOnce {
			t.Errorf("%d ask at once", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Connect(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		close(server.open)
		for range callers {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}
