package fastagi

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// calls are the connections in progress; those that have shown their nonce have a line. Its methods may be called from
// any goroutine.
type calls struct {
	mu      sync.Mutex
	lines   map[net.Conn]*Line
	running int // lines
	changed chan struct{}

	aborted context.Context // ends when nobody wants to wait any more
	abort   context.CancelFunc
}

func (c *calls) init() {
	c.lines = make(map[net.Conn]*Line)
	c.changed = make(chan struct{})
	c.aborted, c.abort = context.WithCancel(context.Background())
}

// count is how many calls there are.
func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

// open notes a connection, and closed forgets it.
func (c *calls) open(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines[conn] = nil
}

func (c *calls) closed(conn net.Conn) {
	conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lines[conn] != nil {
		c.running--
	}
	delete(c.lines, conn)
	close(c.changed)
	c.changed = make(chan struct{})
}

// admit makes a call of a connection, unless there are limit already.
func (c *calls) admit(conn net.Conn, l *Line, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running >= limit {
		return false
	}
	c.lines[conn] = l
	c.running++
	return true
}

// endAll ends every call with a cause, and every connection that is none yet.
func (c *calls) endAll(cause error) {
	c.each(func(conn net.Conn, l *Line) {
		if l == nil {
			conn.Close()
		} else {
			l.end(cause)
		}
	})
}

// cutAll closes every connection.
func (c *calls) cutAll() { c.each(func(conn net.Conn, _ *Line) { conn.Close() }) }

func (c *calls) each(f func(net.Conn, *Line)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, l := range c.lines {
		f(conn, l)
	}
}

// wait waits until there is no connection, at most for d; the error tells how many are left.
func (c *calls) wait(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		c.mu.Lock()
		n, changed := len(c.lines), c.changed
		c.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("fastagi: %d calls did not end in time", n)
		}
	}
}
