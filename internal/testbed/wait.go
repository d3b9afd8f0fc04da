package testbed

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errPortTaken tells that somebody took a port between our choosing it and the part's opening it.
var errPortTaken = errors.New("a port was taken")

// waitFor asks again and again until ready returns nil. It gives up with the last answer when ctx ends, when gone is
// closed (the process has died), after the limit, or at once when the answer is errPortTaken.
func waitFor(ctx context.Context, limit time.Duration, gone <-chan struct{}, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil || errors.Is(err, errPortTaken) {
			return err
		}
		select {
		case <-gone:
			return fmt.Errorf("it has ended by itself (last: %w)", err)
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}
