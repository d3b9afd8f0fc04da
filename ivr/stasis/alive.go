package stasis

import (
	"context"
	"strconv"
	"time"
)

const (
	// windEvery is how often the clock of each call is wound up, to runsFor. When this process has died, and no other one
	// has taken the call over, the clock runs out 30 to 40 s later, and the dialplan (extension T) tells the caller.
	windEvery = 10 * time.Second
	runsFor   = 40 * time.Second
)

// wind winds up the clocks of all calls until ctx ends. The dialplan sets a call's clock first, so that a short call costs
// no command.
func (a *App) wind(ctx context.Context) {
	for sleep(ctx, windEvery) {
		for _, l := range a.calls.snapshot() {
			if time.Since(l.begun) < windEvery && !l.adopted {
				continue
			}
			err := a.rest.setVariable(ctx, l.id, "TIMEOUT(absolute)", strconv.Itoa(int(runsFor.Seconds())))
			if err != nil && !gone(err) && ctx.Err() == nil {
				a.log.Warn("a call's clock cannot be wound up", "call", l.id, "err", err)
			}
		}
	}
}
