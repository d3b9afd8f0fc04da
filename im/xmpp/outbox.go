package xmpp

import (
	"context"
	"errors"
	"time"

	"hark/im"
)

// maxUnwritten is how much may wait to be written; a server that does not read that much is gone.
const maxUnwritten = 1 << 20

var errStuck = errors.New("xmpp: the server does not read")

// put queues bytes to be written and returns the ticket to wait for. It never blocks. c.mu must be held.
func (c *Conn) put(data []byte) (ticket uint64) {
	if c.cause != nil {
		return 0
	}
	c.unwritten = append(c.unwritten, data...)
	c.queued += uint64(len(data))
	if len(c.unwritten) > maxUnwritten {
		c.breakOff(errStuck)
		return 0
	}
	if !c.writing {
		c.writing = true
		c.live++
		go c.write()
	}
	return c.queued
}

// write empties the outbox and ends.
func (c *Conn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.unwritten) > 0 && c.cause == nil {
		data := c.unwritten
		c.unwritten = nil
		c.mu.Unlock()
		err := c.writeNow(data)
		c.mu.Lock()
		if err != nil {
			c.breakOff(err)
			break
		}
		c.written += uint64(len(data))
		c.cond.Broadcast()
	}
	c.writing = false
	c.goroutineEnded()
}

func (c *Conn) writeNow(data []byte) error {
	if err := c.wire.SetWriteDeadline(time.Now().Add(c.timing.Write)); err != nil {
		return err
	}
	_, err := c.wire.Conn.Write(data)
	return err
}

// waitWritten waits until the bytes of the ticket are written. c.mu must be held; it is released while waiting.
func (c *Conn) waitWritten(ctx context.Context, ticket uint64) error {
	err := c.wait(ctx, func() bool { return c.written >= ticket || c.cause != nil })
	switch {
	case err != nil:
		return &im.Error{Class: im.Network, Err: err}
	case c.written < ticket:
		return &im.Error{Class: im.Network, Err: c.cause}
	}
	return nil
}

// wait waits until done says true or ctx ends. c.mu must be held; it is released while waiting.
func (c *Conn) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cond.Broadcast()
	})
	defer stop()
	for !done() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.cond.Wait()
	}
	return nil
}
