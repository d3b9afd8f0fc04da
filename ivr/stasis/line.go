package stasis

import (
	"context"
	"fmt"
	"time"

	"hark/ivr"
	"hark/ivr/asterisk"
)

// stopTime bounds the commands that tidy up after a context has ended.
const stopTime = 3 * time.Second

// A Line is a call on a channel of Asterisk. Besides ivr.Line it has Adopted, State and SetState, by which a dialogue
// finds its place again after this process died. As with every ivr.Line its methods belong to the call's goroutine.
type Line struct {
	app            *App
	id             string
	caller, called string
	adopted        bool
	begun          time.Time

	ctx    context.Context
	cancel context.CancelCauseFunc
	queue  *queue

	// The rest belongs to the call's goroutine.
	keys     []byte    // pressed and not taken yet
	keyed    time.Time // when one was taken last
	echoes   echoes
	answered bool
	hungUp   bool      // by us
	quiet    bool      // Asterisk sends silence since the last sound
	out      *outgoing // set when Hark made this call
	given    *leg      // with whom the caller talks, who was given away
	slot     int       // of the last playback
}

var _ ivr.Line = (*Line)(nil)

func newLine(a *App, c *channel, adopted bool) *Line {
	l := &Line{
		app: a, id: c.ID, caller: asterisk.CallerNumber(c.Caller.Number), called: c.Dialplan.Exten,
		adopted: adopted, begun: time.Now(), answered: c.State == "Up", queue: newQueue(),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

// ID is the channel's unique id in Asterisk.
func (l *Line) ID() string { return l.id }

// Caller is the number of the caller id.
func (l *Line) Caller() string { return l.caller }

// Called is the extension that the dialplan was in when it handed the call over.
func (l *Line) Called() string { return l.called }

// Adopted tells that the call was answered by a former process, which died. State tells where it was.
func (l *Line) Adopted() bool { return l.adopted }

// stateVariable is the channel variable that keeps the dialogue's place.
const stateVariable = "HARK_STATE"

// SetState keeps a word of the dialogue with the channel, at Asterisk, until the call ends. Everybody who may read
// Asterisk's console can read it: no key, PIN or text belongs into it.
func (l *Line) SetState(ctx context.Context, state string) error {
	return l.failure(ctx, l.app.rest.setVariable(ctx, l.id, stateVariable, state))
}

// State is what SetState kept last, "" when nothing.
func (l *Line) State(ctx context.Context) (string, error) {
	state, err := l.app.rest.variable(ctx, l.id, stateVariable)
	return state, l.failure(ctx, err)
}

// Answer takes the call and waits App.AnswerPause.
func (l *Line) Answer(ctx context.Context) error {
	if l.answered {
		return l.failure(ctx, nil)
	}
	if err := l.failure(ctx, l.app.rest.answer(ctx, l.id)); err != nil {
		return err
	}
	l.answered = true
	if !sleep(ctx, l.app.AnswerPause) {
		return context.Cause(ctx)
	}
	return nil
}

// Hangup ends the call. To hang up a call that has ended is no error.
func (l *Line) Hangup(ctx context.Context) error {
	err := l.app.rest.hangup(ctx, l.id)
	if err != nil && !gone(err) {
		return l.failure(ctx, err)
	}
	l.hungUp = true
	l.end(ivr.ErrHangup)
	return nil
}

// Flush drops the keys that were pressed and not taken.
func (l *Line) Flush() {
	l.drain()
	l.keys = nil
}

// nextPlayback names the next playback.
func (l *Line) nextPlayback() string {
	l.slot++
	return playbackName(l.id, l.slot)
}

// drain keeps what was told so far.
func (l *Line) drain() {
	for n, ok := l.pop(); ok; n, ok = l.pop() {
		l.keep(n)
	}
}

// pop is the next note that is there, but for keys that are told a second time; false when there is none.
func (l *Line) pop() (note, bool) {
	for {
		n, ok := l.queue.take()
		if !ok || n.kind != keyPressed || !l.echoes.again(n) {
			return n, ok
		}
	}
}

// tell gives the call a note; any goroutine may. A call that does not listen for too long is ended.
func (l *Line) tell(n note) {
	if !l.queue.put(n) {
		l.app.log.Error("a call did not look at its events and is ended", "call", l.id, "events", maxNotes)
		l.app.helpers.Go(func() { l.app.hangUp(l) })
		l.end(ivr.ErrHangup)
	}
	if n.kind == hungUp || n.kind == left {
		l.end(ivr.ErrHangup)
	}
}

// end ends the call's context; the first cause counts.
func (l *Line) end(cause error) { l.cancel(cause) }

// failure turns an error of Asterisk's into one of a Line: ErrHangup when there is no such call any more, ctx's cause when
// that has ended, else ErrLine.
func (l *Line) failure(ctx context.Context, err error) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	if gone(err) {
		l.end(ivr.ErrHangup)
		return ivr.ErrHangup
	}
	return fmt.Errorf("%w: %w", ivr.ErrLine, err)
}

// next is the call's next note. It is of kind expired when the deadline passes first; the zero deadline never passes.
func (l *Line) next(ctx context.Context, deadline time.Time) (note, error) {
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	for {
		if err := l.failure(ctx, nil); err != nil {
			return note{}, err
		}
		if n, ok := l.pop(); ok {
			return n, nil
		}
		select {
		case <-l.queue.ready:
		case <-late:
			if n, ok := l.pop(); ok { // a key that woke nobody
				return n, nil
			}
			return note{kind: expired, at: time.Now()}, nil
		case <-ctx.Done():
		case <-l.ctx.Done():
		}
	}
}

// tidy is a context for a command that must still be sent when ctx has ended.
func tidy(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), stopTime)
}
