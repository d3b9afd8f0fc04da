package stasis

import (
	"context"
	"os"
	"strings"
	"time"

	"hark/ivr"
)

// hush stops what a former process was playing in this call, and waits until it has stopped, so that nothing that is told
// of it is taken for ours.
func (l *Line) hush(ctx context.Context) error {
	playing := map[string]bool{}
	for slot := range slots {
		name := playbackName(l.id, slot)
		switch err := l.app.rest.stopPlay(ctx, name); {
		case err == nil:
			playing[name] = true
		case !gone(err):
			return l.failure(ctx, err)
		}
	}
	for late := time.Now().Add(endTime); len(playing) > 0; {
		n, err := l.next(ctx, late)
		if err != nil || n.kind == expired {
			return err
		}
		if l.keep(n); n.kind == playEnded {
			delete(playing, n.id)
		}
	}
	return nil
}

// Unfinished ends a recording that a former process, which died, was making in this call, and returns what there is of
// it; without a File when there is none. As long as it runs Asterisk plays nothing in the call. Only an adopted line has
// one.
func (l *Line) Unfinished(ctx context.Context) (got ivr.Recorded, err error) {
	if !l.adopted {
		return got, nil
	}
	names, err := l.app.rest.storedNames(ctx)
	if err != nil {
		return got, l.failure(ctx, err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ofChannel(l.id)) {
			continue
		}
		older := got.File
		if got, err = l.cutOff(ctx, name); older != "" { // of several, which a file that could not be deleted makes, one counts
			os.Remove(older)
		}
	}
	return got, err
}

// cutOff ends a recording of a former process and fetches it.
func (l *Line) cutOff(ctx context.Context, name string) (ivr.Recorded, error) {
	t := &take{Line: l, Record: ivr.Record{Max: defaultMax}, name: name}
	runs, err := l.app.rest.recordingRuns(ctx, name)
	if err == nil && runs {
		err = t.finish(ctx, nil)
	}
	if err != nil {
		return ivr.Recorded{}, l.failure(ctx, err)
	}
	return t.fetch(ctx, ivr.Recorded{Why: ivr.LineFail}, nil)
}
