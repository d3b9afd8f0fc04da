package ivr

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// await runs f beside the call. A caller who has to wait hears "One moment.", and again when it takes twice as long once
// more; after Patience f's context ends. await returns when f has returned, so f may write to the call, but it must not
// use the line.
func (c *Call) await(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.set.Patience)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- guard(ctx, f) }()
	timer := time.NewTimer(c.set.OneMoment)
	defer timer.Stop()
	for {
		select {
		case err := <-result:
			return err
		case <-timer.C:
		}
		if _, err := c.line.Gather(ctx, Gather{Play: c.clips(ctx, say("moment"))}); err != nil {
			c.log.Debug("cannot say one moment", "err", err)
			return <-result
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
