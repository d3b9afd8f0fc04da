package stasis

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// adoptAfter is how long a channel that Asterisk lists as ours, and that we do not know, may take to tell its StasisStart
// on the websocket, which is not the connection of the list. After that it is an orphan.
const adoptAfter = 200 * time.Millisecond

// resync brings us and Asterisk to the same mind on a new connection. before are the calls from before it.
func (a *App) resync(ctx context.Context, before []*Line) error {
	if err := a.rest.filter(ctx, a.Name, wanted); err != nil {
		return fmt.Errorf("setting the event filter: %w", err)
	}
	channels, err := a.rest.channels(ctx, a.Name)
	if err != nil {
		return fmt.Errorf("listing our channels: %w", err)
	}
	for _, l := range before {
		if slices.Contains(channels, l.id) {
			l.tell(note{kind: linkUp, at: time.Now()})
		} else {
			l.tell(note{kind: left, at: time.Now()})
		}
	}
	a.link.up.Store(true)
	a.log.Info("connected to Asterisk", "app", a.Name, "calls", len(channels))
	a.warnOfVersion(ctx)
	if err := a.adopt(ctx, channels); err != nil {
		return err
	}
	a.takeLeft(ctx, channels)
	return nil
}

// adopt begins a call for each channel that a former process left behind, and for those that were answered while no events
// came.
func (a *App) adopt(ctx context.Context, channels []string) error {
	unknown := func(id string) bool { return a.calls.get(id) == nil }
	if !slices.ContainsFunc(channels, unknown) || !sleep(ctx, adoptAfter) {
		return ctx.Err()
	}
	for _, id := range channels {
		if !unknown(id) {
			continue
		}
		if isFar(id) {
			a.letGoOfFar(ctx, id)
			continue
		}
		if err := a.adoptOne(ctx, id); err != nil {
			return fmt.Errorf("adopting a call: %w", err)
		}
	}
	return nil
}

func (a *App) adoptOne(ctx context.Context, id string) error {
	data, err := a.rest.channel(ctx, id)
	if err != nil {
		if gone(err) {
			return nil
		}
		return err
	}
	if o := a.calls.pickedUp(id); o != nil {
		a.serveOutgoing(data, o)
	} else {
		a.begin(data, nil, true)
	}
	return nil
}
