package fastagi

import (
	"io"
	"sync"
	"time"
)

const (
	// nudge is the command that interrupts another one. Its reply can be told from every other, so that it is known which
	// of the two was answered.
	nudge      = "GET FULL VARIABLE hark-nudge\n"
	nudgeReply = "hark-nudge"
	// readTime is how long after a command the first nudge is sent: Asterisk shall have read the command by then.
	readTime = 2 * time.Millisecond
	// nudgeAgain is after how long without a reply another nudge is sent, the first time.
	nudgeAgain = 20 * time.Millisecond
)

// A nudger interrupts a command. Asterisk gives up playing, without a reply, when another command can be read from the
// connection; but it reads ahead, and a nudge that it read together with the command it does not see. So nudges are sent
// until there is a reply for each: the next one makes Asterisk look at those before it, too.
type nudger struct {
	to       io.Writer
	answered chan struct{} // closed by end
	done     chan struct{} // closed by run

	mu      sync.Mutex
	sent    int
	stopped bool
}

func newNudger(l *lines) *nudger {
	return &nudger{to: l.Conn, answered: make(chan struct{}), done: make(chan struct{})}
}

// run sends nudges until over says true, or end is called; the command was sent at a time.
func (n *nudger) run(sent time.Time) {
	defer close(n.done)
	wait := time.Until(sent.Add(readTime))
	for again := nudgeAgain; ; again = min(2*again, time.Second) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-n.answered:
			timer.Stop()
			return
		}
		if !n.send() {
			return
		}
		wait = again
	}
}

// send sends one. When that fails the connection is broken, which its reader notices.
func (n *nudger) send() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return false
	}
	n.sent++
	_, err := io.WriteString(n.to, nudge)
	return err == nil
}

// over tells whether so many replies are all; no further nudge is sent then.
func (n *nudger) over(replies int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = n.stopped || n.sent == replies
	return n.stopped
}

// end waits for run. It is called only when that was started.
func (n *nudger) end() {
	close(n.answered)
	<-n.done
}
