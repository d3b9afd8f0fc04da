package fastagi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hark/ivr"
	"hark/ivr/asterisk"
	"hark/prompts"
)

// A Line is a call on one connection of Asterisk's. As with every ivr.Line its methods belong to the call's goroutine.
type Line struct {
	server             *Server
	wire               *wire
	id, caller, called string

	ctx    context.Context
	cancel context.CancelCauseFunc

	answered bool
	watch    *watch // which listens while the dialogue does something else; nil while it does not

	mu   sync.Mutex
	keys []byte // pressed and not taken yet; written by the watch too
}

var _ ivr.Line = (*Line)(nil)

func newLine(s *Server, w *wire) *Line {
	l := &Line{server: s, wire: w}
	l.id = w.variable("agi_uniqueid")
	l.caller = asterisk.CallerNumber(w.variable("agi_callerid"))
	l.called = w.variable("agi_extension")
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

// ID is the channel's unique id in Asterisk.
func (l *Line) ID() string { return l.id }

// Caller is the number of the caller id.
func (l *Line) Caller() string { return l.caller }

// Called is the extension that the dialplan was in when it ran AGI().
func (l *Line) Called() string { return l.called }

// Answer takes the call and waits Server.AnswerPause.
func (l *Line) Answer(ctx context.Context) error {
	defer l.attend()()
	if err := l.failure(ctx, nil); err != nil || l.answered {
		return err
	}
	r, err := l.wire.do("ANSWER", 0)
	if err = l.outcome(ctx, r, err); err != nil {
		return err
	}
	l.answered = true
	if pause := l.server.AnswerPause; pause > 0 {
		_, err = l.pause(ctx, pause, nil)
	}
	return err
}

// Hangup ends the call. To hang up a call that has ended is no error.
func (l *Line) Hangup(context.Context) error {
	defer l.attend()()
	if l.ctx.Err() == nil {
		// Whatever comes back: the connection is closed next, and a channel that is still up then gets the apology.
		if r, err := l.wire.do("HANGUP", 0); err != nil {
			l.server.log.Warn("cannot hang up", "call", l.id, "err", err)
		} else if r.code != codeOK && r.code != codeDead && !r.hangup {
			l.server.log.Warn("cannot hang up", "call", l.id, "code", r.code)
		}
	}
	l.end(ivr.ErrHangup)
	return nil
}

// Flush drops the keys that were pressed and not taken.
func (l *Line) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = nil
}

// keep puts a key into the buffer.
func (l *Line) keep(key byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys = append(l.keys, key)
}

// nextKey takes the oldest key out of the buffer.
func (l *Line) nextKey() (byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) == 0 {
		return 0, false
	}
	key := l.keys[0]
	l.keys = l.keys[1:]
	return key, true
}

// end ends the call's context; the first cause counts.
func (l *Line) end(cause error) { l.cancel(cause) }

// failure turns an error of the connection into one of a Line: why the call has ended, ctx's cause when that has ended,
// else ErrLine.
func (l *Line) failure(ctx context.Context, err error) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil || errors.Is(err, ivr.ErrLine) {
		return err
	}
	return fmt.Errorf("%w: %w", ivr.ErrLine, err)
}

// outcome says what a reply means for the call: nil when the command did what it should, even if ctx ended just then. A
// connection that broke has ended the call as surely as a hang-up has. A command that failed is asked about: the caller
// may have gone.
func (l *Line) outcome(ctx context.Context, r reply, err error) error {
	switch {
	case errors.Is(err, errInterrupted):
		return l.failure(ctx, nil)
	case err != nil:
		l.lost(err)
	case r.hangup || r.code == codeDead:
		l.end(ivr.ErrHangup)
	case !r.failed():
		return nil
	case l.alive():
		return l.failure(ctx, fmt.Errorf("fastagi: Asterisk answers %d %q", r.code, r.note))
	default:
		l.end(ivr.ErrHangup)
	}
	return l.failure(ctx, nil)
}

// lost ends a call whose connection is of no use any more.
func (l *Line) lost(err error) {
	if l.ctx.Err() == nil {
		l.server.log.Warn("the connection of a call broke", "call", l.id, "err", err)
	}
	l.end(ivr.ErrHangup)
}

// alive asks whether the channel still is there.
func (l *Line) alive() bool {
	r, err := l.wire.do("CHANNEL STATUS", 0)
	return err == nil && !r.hangup && !r.failed()
}

// waitKey waits for a key, at most for d; false says that none came. It plays silence, since that can be interrupted
// without a trace, and WAIT FOR DIGIT leaves a warning in Asterisk's log each time.
func (l *Line) waitKey(ctx context.Context, d time.Duration) (byte, bool, error) {
	for end := time.Now().Add(d); ; {
		step := min(time.Until(end), silenceLength)
		if step < silenceStep {
			return 0, false, l.failure(ctx, nil)
		}
		at := silenceLength - step
		key, ok, err := l.stream(ctx, prompts.Clip{File: l.server.silence, Duration: silenceLength}, allKeys, &at)
		if err != nil || ok {
			return key, ok, err
		}
	}
}

// pause waits for d and keeps the keys that come. When stop is not nil and says so after a key, it returns early: true.
func (l *Line) pause(ctx context.Context, d time.Duration, stop func() bool) (bool, error) {
	for end := time.Now().Add(d); ; {
		key, ok, err := l.waitKey(ctx, time.Until(end))
		if err != nil || !ok {
			return false, err
		}
		l.keep(key)
		if stop != nil && stop() {
			return true, nil
		}
	}
}
