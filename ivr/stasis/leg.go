package stasis

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"hark/ivr"
)

// farMark stands in the ids of the channels that Dial and a tick make, so that they are never taken for a caller's.
const farMark = "far-"

// isFar tells a channel of our own making from a caller's.
func isFar(id string) bool {
	return strings.HasPrefix(id, idPrefix) && strings.Contains(id, "-"+farMark)
}

// A leg is the dialled side of a call while Dial, or what comes after it, looks after it.
type leg struct {
	*Line
	id       string    // of its channel
	bridge   string    // that connects the two, "" until there is one
	rings    time.Time // since when
	answered time.Time
}

// begin makes the channel and lets it ring. The number that the other side is shown is what Asterisk takes for the one
// that the channel is connected to.
func (f *leg) begin(ctx context.Context, d ivr.Dial) error {
	variables := map[string]string{}
	if from := cmp.Or(d.From, f.caller); from != "" {
		variables["CONNECTEDLINE(num,i)"] = from
	}
	if err := f.app.rest.create(ctx, f.app.Name, f.id, d.Endpoint, f.Line.id, variables); err != nil {
		return err
	}
	return f.app.rest.ring(ctx, f.id, d.Connect)
}

// notAnswered reads why the other side did not answer: Asterisk's word for it, or the cause of its hang-up (Q.850).
func notAnswered(n note) ivr.DialEnd {
	switch n.status {
	case "BUSY":
		return ivr.DialBusy
	case "NOANSWER", "CANCEL":
		return ivr.DialNoAnswer
	case "CONGESTION":
		return ivr.DialCongestion
	}
	switch n.cause {
	case 17, 21:
		return ivr.DialBusy
	case 16, 18, 19, 26:
		return ivr.DialNoAnswer
	case 34, 38, 41, 42, 44:
		return ivr.DialCongestion
	}
	return ivr.DialNoRoute
}

// unanswered is notAnswered, but that Asterisk gives no good reason when the other side has rung for all of its time.
func (f *leg) unanswered(n note, d ivr.Dial) ivr.DialEnd {
	end := notAnswered(n)
	if end == ivr.DialNoRoute && time.Since(f.rings) >= d.Connect {
		return ivr.DialNoAnswer
	}
	return end
}

// lookAgain asks what became of the other side while events were lost: end when it is not there any more, else "".
func (f *leg) lookAgain(ctx context.Context, end ivr.DialEnd) (ivr.DialEnd, error) {
	c, err := f.app.rest.channel(ctx, f.id)
	switch {
	case gone(err):
		return end, nil
	case err != nil:
		return "", f.failure(ctx, err)
	case c.State == "Up" && f.answered.IsZero():
		f.tell(note{kind: farAnswered, id: f.id, at: time.Now()})
	}
	return "", nil
}

// connect puts the two together. Silence that is sent to the caller ends before: nothing of the other side would be heard
// beside it.
func (f *leg) connect(ctx context.Context) error {
	f.bridge = f.id + "-bridge"
	if err := f.app.rest.makeBridge(ctx, f.bridge); err != nil {
		return err
	}
	if f.quiet {
		f.quiet = false
		if err := f.app.rest.stopSilence(ctx, f.Line.id); err != nil && !gone(err) {
			return err
		}
	}
	return f.app.rest.addToBridge(ctx, f.bridge, f.Line.id, f.id)
}

// notConnected tells what became of a call whose two sides Asterisk would not put together: as a rule one of them has just
// hung up, and the event that tells which is on its way.
func (f *leg) notConnected(ctx context.Context, err error) (ivr.Dialled, error) {
	if status(err) == 0 {
		return ivr.Dialled{}, f.failure(ctx, err)
	}
	end, ended := f.talk(ctx, ivr.Dial{Max: stopTime})
	if end == ivr.DialMax {
		return f.refused(ctx, err, ivr.DialFar)
	}
	return ivr.Dialled{End: end}, ended
}

// refused makes the outcome of a command that Asterisk did not carry out. That the dialled channel is gone already says
// nothing about the caller's.
func (f *leg) refused(ctx context.Context, err error, end ivr.DialEnd) (ivr.Dialled, error) {
	if ended := f.failure(ctx, nil); ended != nil {
		return ivr.Dialled{}, ended
	}
	if status(err) != 0 {
		f.app.log.Warn("Asterisk does not connect a call", "call", f.Line.id, "err", err)
		return ivr.Dialled{End: end}, nil
	}
	return ivr.Dialled{}, f.failure(ctx, err)
}

// end lets go of the other side. The caller is taken out of the bridge first, which Asterisk does before it answers: what is
// played to a channel that is about to leave a bridge is never heard, and never ends.
func (f *leg) end(ctx context.Context) {
	f.app.calls.takeBack(f.id)
	ctx, cancel := tidy(ctx)
	defer cancel()
	var errs []error
	if f.bridge != "" {
		errs = append(errs, f.app.rest.removeFromBridge(ctx, f.bridge, f.Line.id))
	}
	errs = append(errs, f.app.rest.hangup(ctx, f.id))
	if f.bridge != "" {
		errs = append(errs, f.app.rest.dropBridge(ctx, f.bridge))
	}
	for _, err := range errs {
		if err != nil && !gone(err) && !outside(err) {
			f.app.log.Warn("cannot let go of a call that was dialled", "call", f.Line.id, "err", err)
		}
	}
}

// outside tells that a channel that was to leave a bridge is not in it, or is no more.
func outside(err error) bool {
	code := status(err)
	return code == http.StatusUnprocessableEntity || code == http.StatusBadRequest
}

// letGoOfFar hangs up a channel that a former process dialled, or whispered by. Its caller is adopted, and asks anew.
func (a *App) letGoOfFar(ctx context.Context, id string) {
	if a.calls.lentTo(id) != nil {
		return
	}
	if err := a.rest.hangup(ctx, id); err != nil && !gone(err) {
		a.log.Warn("cannot let go of a call that was dialled", "channel", id, "err", err)
	}
}

// tellDialler gives an event about a dialled channel to the call that dialled it.
func (a *App) tellDialler(e event, at time.Time) {
	if n, ok := e.farNote(at); ok {
		if l := a.calls.lentTo(n.id); l != nil {
			l.tell(n)
		}
	}
}

// farNote makes the note of an event about a channel that was dialled, if there is one to be made.
func (e *event) farNote(at time.Time) (note, bool) {
	n := note{kind: farEnded, at: at, id: e.channelID(), status: e.DialStatus, cause: e.Cause}
	switch {
	case e.Type == "ChannelDestroyed", e.Type == "StasisEnd", e.Type == "ChannelHangupRequest":
		return n, true
	case e.Type == "Dial" && e.DialStatus == "ANSWER":
		n.kind = farAnswered
		return n, true
	case e.Type == "Dial" && slices.Contains([]string{"BUSY", "NOANSWER", "CONGESTION", "CHANUNAVAIL", "CANCEL"}, e.DialStatus):
		return n, true
	}
	return n, false
}
