package stasis

import (
	"context"
	"slices"
	"strings"

	"hark/ivr"
)

// recordingOf is the channel that a recording of a former process was made in; ok is false for recordings of this one, and
// for those that are none of Hark's.
func (i *ids) recordingOf(name string) (channel string, ok bool) {
	parts := strings.SplitN(name, "-", 4) // hark, the process, a number, the channel
	if len(parts) < 4 || parts[0]+"-" != idPrefix || strings.HasPrefix(name, i.prefix) {
		return "", false
	}
	return parts[3], true
}

// takeLeft fetches the recordings of calls that ended while no process of ours was there to see it, those that Left knows.
// here are the channels that are still ours: their calls were adopted, and have such a recording already.
// That it cannot look is no reason to answer no calls; the next connection tries again.
func (a *App) takeLeft(ctx context.Context, here []string) {
	if a.Left == nil || a.swept {
		return
	}
	names, err := a.rest.storedNames(ctx)
	if err != nil {
		a.log.Warn("cannot look for recordings of calls that are over", "err", err)
		return
	}
	for _, name := range names {
		id, ok := a.ids.recordingOf(name)
		if !ok || slices.ContainsFunc(here, func(c string) bool { return strings.HasSuffix(name, ofChannel(c)) }) {
			continue
		}
		if keep := a.Left(id); keep != nil {
			a.takeOneLeft(ctx, name, id, keep)
		}
	}
	a.swept = true
}

// takeOneLeft fetches one recording and has it kept.
func (a *App) takeOneLeft(ctx context.Context, name, id string, keep func(context.Context, ivr.Recorded)) {
	t := &take{Line: newLine(a, &channel{ID: id}, true), Record: ivr.Record{Max: defaultMax}, name: name}
	if got, _ := t.fetch(ctx, ivr.Recorded{Why: ivr.HungUp}, ivr.ErrHangup); got.File != "" {
		keep(ctx, got)
	}
}
