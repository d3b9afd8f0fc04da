package fastagi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/CyCoreSystems/agi"
)

const (
	// answerTime is how long Asterisk may take for a command, beside the time that the command itself lasts.
	answerTime = 10 * time.Second
)

var (
	// errInterrupted is what a command ends with that was interrupted by its context.
	errInterrupted = errors.New("fastagi: interrupted")
	// errBroken is what every command ends with after a reply was missed: what comes next cannot be told apart.
	errBroken = errors.New("fastagi: the connection is broken")
)

// A wire is the connection of one call. Its methods are for one goroutine at a time, but for close.
type wire struct {
	lines  *lines
	agi    *agi.AGI
	broken bool
}

// newWire reads what Asterisk tells before the first command.
func newWire(conn net.Conn) *wire {
	l := newLines(conn)
	return &wire{lines: l, agi: agi.NewConn(l)}
}

// variable is what Asterisk told about the call, such as "agi_uniqueid".
func (w *wire) variable(name string) string { return w.agi.Variables[name] }

// do runs a command that lasts at most so long, and returns Asterisk's reply. A reply that says that the command failed
// is no error.
func (w *wire) do(command string, lasts time.Duration) (reply, error) {
	if w.broken {
		return reply{}, errBroken
	}
	if err := w.lines.SetDeadline(time.Now().Add(lasts + answerTime)); err != nil {
		return reply{}, w.breaks(err)
	}
	w.lines.last, w.lines.left = "", maxReply
	answer := w.agi.Command(command)
	if w.lines.last == "" {
		return reply{}, w.breaks(cmp.Or(w.lines.err, answer.Error))
	}
	r, err := parseReply(w.lines.last)
	if err != nil {
		return r, w.breaks(err)
	}
	return r, nil
}

// doUntil is do for STREAM FILE, which it interrupts when ctx ends: errInterrupted then, unless the command was just over.
func (w *wire) doUntil(ctx context.Context, command string, lasts time.Duration) (reply, error) {
	if ctx.Err() != nil {
		return reply{}, errInterrupted
	}
	n := newNudger(w.lines)
	stop := func() bool { return true }
	w.lines.written = func() {
		sent := time.Now()
		stop = context.AfterFunc(ctx, func() { n.run(sent) })
	}
	r, err := w.do(command, lasts)
	w.lines.written = nil
	if stop() {
		return r, err
	}
	defer n.end()
	if err != nil || r.hangup {
		return r, err
	}
	return w.skipNudges(n, r)
}

// skipNudges reads the replies to all nudges. r is the first reply that came, to the command or to a nudge.
func (w *wire) skipNudges(n *nudger, r reply) (reply, error) {
	interrupted, got := r.note == nudgeReply, 0
	if interrupted {
		got++
	}
	for ; !n.over(got); got++ {
		line, err := w.lines.next()
		if err != nil {
			return reply{}, w.breaks(err)
		}
		next, err := parseReply(line)
		if err == nil && next.hangup {
			return next, nil
		}
		if err != nil || next.note != nudgeReply {
			return reply{}, w.breaks(errReply)
		}
	}
	if interrupted {
		return reply{}, errInterrupted
	}
	return r, nil
}

func (w *wire) breaks(err error) error {
	w.broken = true
	return fmt.Errorf("%w: %w", errBroken, err)
}
