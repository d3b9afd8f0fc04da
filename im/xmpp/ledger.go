package xmpp

import (
	"slices"

	"hark/im"
)

// Bounds of what is kept for one login.
const (
	maxQueued     = 500       // stanzas that the server has not acknowledged
	maxQueueBytes = 512 << 10 // their size
	maxRecent     = 32        // sent messages that are remembered after their acknowledgement
	maxSilent     = 64        // stanzas without an event before a Progress event moves the resume state on
)

// A ledger counts stanzas both ways (XEP-0198) and knows what may be acknowledged. It does no I/O; the Conn's mutex
// guards it. Counts wrap at 2^32.
type ledger struct {
	in     uint32 // stanzas received
	marked uint32 // stanza of the last event
	acked  uint32 // stanza of the last event that the session has kept
	marks  []mark // events that the session has not kept yet, in order
	pos    im.Position

	archive      archive // at the last event
	ackedArchive archive // at the last event that the session has kept

	out   uint32 // stanzas sent
	queue []sent // the last len(queue) of them, unacknowledged
	bytes int    // of the queue's data

	recent []trace // messages sent lately, oldest first
}

// A mark says what an event's acknowledgement acknowledges.
type mark struct {
	pos     im.Position
	stanza  uint32
	archive archive
	lasting bool   // the event is of the kind that is stored at once
	receipt []byte // the answer to a request for a receipt, due when the message is kept; or nil
}

// event numbers a new event. last tells that the stanza it stems from has no further one, lasting that it is of the kind
// that is stored at once.
func (l *ledger) event(last, lasting bool, receipt []byte) im.Position {
	l.pos++
	stanza := l.in
	if !last {
		stanza--
	}
	l.marked = stanza
	l.marks = append(l.marks, mark{pos: l.pos, stanza: stanza, archive: l.archive, lasting: lasting, receipt: receipt})
	return l.pos
}

// keep records that all events up to pos are kept. It returns the receipts that are due, and whether the count to
// acknowledge has moved.
func (l *ledger) keep(pos im.Position) (receipts [][]byte, moved bool) {
	n := 0
	for n < len(l.marks) && l.marks[n].pos <= pos {
		m := l.marks[n]
		moved = moved || l.acked != m.stanza
		l.acked, l.ackedArchive = m.stanza, m.archive
		if m.receipt != nil {
			receipts = append(receipts, m.receipt)
		}
		n++
	}
	l.marks = l.marks[n:]
	if len(l.marks) == 0 {
		l.marks = nil
	}
	return receipts, moved
}

// storing tells whether an event is on its way to the disk.
func (l *ledger) storing() bool {
	return slices.ContainsFunc(l.marks, func(m mark) bool { return m.lasting })
}

// silent tells that so many stanzas came without an event that the server's queue should be relieved of them.
func (l *ledger) silent() bool { return l.in-l.marked >= maxSilent }

// sent counts a stanza that goes out.
func (l *ledger) sent(s sent) {
	l.out++
	l.queue = append(l.queue, s)
	l.bytes += len(s.Data)
}

// full tells that the server must acknowledge something first.
func (l *ledger) full() bool { return len(l.queue) >= maxQueued || l.bytes >= maxQueueBytes }

// knows tells whether the message was sent before, and to whom.
func (l *ledger) knows(id string) (to string, ok bool) {
	for _, s := range l.queue {
		if s.ID == id {
			return s.To, true
		}
	}
	for _, t := range l.recent {
		if t.ID == id {
			return t.To, true
		}
	}
	return "", false
}

// confirm records that the server has handled h stanzas, and returns the ids of the messages among them. ok is false
// when it never got that many.
func (l *ledger) confirm(h uint32) (ids []string, ok bool) {
	waiting := l.out - h // modulo 2^32
	if waiting > uint32(len(l.queue)) {
		// A count from before what we know of is old news; one beyond what we sent is nonsense.
		return nil, int32(waiting) >= 0
	}
	n := len(l.queue) - int(waiting)
	for _, s := range l.queue[:n] {
		l.bytes -= len(s.Data)
		if s.ID != "" {
			ids = append(ids, s.ID)
			l.remember(s.trace)
		}
	}
	l.queue = l.queue[n:]
	if len(l.queue) == 0 {
		l.queue = nil
	}
	return ids, true
}

// catchUp is confirm for a count that comes with a new login. The server may have handled more than is known here:
// then it has handled all of it.
func (l *ledger) catchUp(h uint32, known bool) (ids []string) {
	if !known {
		return nil
	}
	ids, ok := l.confirm(h)
	if !ok {
		ids, _ = l.confirm(l.out)
	}
	return ids
}

func (l *ledger) remember(t trace) {
	l.recent = append(l.recent, t)
	if extra := len(l.recent) - maxRecent; extra > 0 {
		l.recent = slices.Delete(l.recent, 0, extra)
	}
}

// takeQueue empties the queue, for sending its worthwhile stanzas again.
func (l *ledger) takeQueue() []sent {
	again := slices.DeleteFunc(l.queue, func(s sent) bool { return s.Data == nil })
	l.queue, l.bytes = nil, 0
	return again
}
