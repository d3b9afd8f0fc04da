package ivr

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// await runs f. A caller who has to wait hears "One moment.", and again when it takes twice as long once more; after
// Patience f's context ends. f may write to the call, but it must not use the line.
func (c *Call) await(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.set.Patience)
	defer cancel()
	defer c.explaining(ctx)()
	return guard(ctx, f)
}

// explaining says "One moment." beside the call from when OneMoment is over, until stop, which waits for its last word. In
// the many calls that need not wait this costs a timer, and no goroutine.
func (c *Call) explaining(ctx context.Context) (stop func()) {
	stopped, silent := make(chan struct{}), make(chan struct{})
	timer := time.AfterFunc(c.set.OneMoment, func() {
		defer close(silent)
		c.sayMoment(ctx, stopped)
	})
	return func() {
		close(stopped)
		if !timer.Stop() {
			<-silent
		}
	}
}

// sayMoment says "One moment." now and then until stopped, or until the line fails.
func (c *Call) sayMoment(ctx context.Context, stopped <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-stopped:
			return
		case <-timer.C:
		}
		if _, err := c.line.Gather(ctx, Gather{Play: c.clips(ctx, say("moment"))}); err != nil {
			c.log.Debug("cannot say one moment", "err", err)
			return
		}
		timer.Reset(2 * c.set.OneMoment)
	}
}

// guard makes an error of a panic.
func guard(ctx context.Context, f func(ctx context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ivr: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f(ctx)
}
