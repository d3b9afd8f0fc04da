package presence

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"

	"hark/im"
	"hark/sessions"
)

const (
	maxBatch    = 64                     // events written at once
	recordFirst = 100 * time.Millisecond // wait after a failed write,
	recordMost  = 5 * time.Second        // doubled up to this
)

// A recorder writes a session's inbound events to the store, in order, many at once, and acknowledges them at their
// networks after that. It works in a goroutine that ends when there is nothing to write.
type recorder struct {
	session *Session

	mu      sync.Mutex
	queue   []arrival
	working bool
	idle    chan struct{} // closed when the work is done; nil when nobody waits
}

// An arrival is an event that has to leave a trace in the store. A nil Body is a wish to store resume state.
type arrival struct {
	link *link
	im.Event
}

// add queues an arrival. How many there can be is bounded by the links' tokens.
func (r *recorder) add(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, a)
	if !r.working {
		r.working = true
		r.session.tasks.Go(r.work)
	}
}

// take removes the longest beginning of the queue that one write can hold: the messages of one connection, or one
// event of another kind.
func (r *recorder) take() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(r.queue) && n < maxBatch && r.queue[n].isMessage() && r.queue[n].link == r.queue[0].link {
		n++
	}
	if n == 0 && len(r.queue) > 0 {
		n = 1
	}
	batch := r.queue[:n:n]
	if r.queue = r.queue[n:]; n == 0 {
		r.queue, r.working = nil, false
		if r.idle != nil {
			close(r.idle)
			r.idle = nil
		}
	}
	return batch
}

// drain waits until everything that was added is written, at most so long.
func (r *recorder) drain(most time.Duration) {
	r.mu.Lock()
	if !r.working {
		r.mu.Unlock()
		return
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// work writes until there is nothing left.
func (r *recorder) work() {
	for {
		batch := r.take()
		if len(batch) == 0 {
			return
		}
		stored := r.persist(batch)
		for _, a := range batch {
			a.link.recorded(a.Event, stored)
		}
	}
}

// persist writes a batch, as often as it takes; nothing is acknowledged before. It gives up when the session ends or
// belongs to somebody else.
func (r *recorder) persist(batch []arrival) (stored bool) {
	for wait := recordFirst; ; wait = min(2*wait, recordMost) {
		err := r.write(r.session.ctx, batch)
		switch {
		case err == nil:
			batch[0].link.acknowledge(batch[len(batch)-1].Pos)
			return true
		case errors.Is(err, sessions.ErrFenced):
			r.session.fenced()
			return false
		}
		r.session.log.Error("presence: cannot store, will try again", "user", r.session.user, "err", err)
		if !r.session.server.sleep(r.session.ctx, wait) {
			return false
		}
	}
}

// write writes a batch once.
func (r *recorder) write(ctx context.Context, batch []arrival) error {
	switch body := batch[0].Body.(type) {
	case im.Message:
		return r.append(ctx, batch)
	case im.Delivery:
		return r.deliver(ctx, batch[0], body)
	default:
		return r.resume(ctx, batch[0])
	}
}

// append stores messages and the resume state after the last of them, in one transaction.
func (r *recorder) append(ctx context.Context, batch []arrival) error {
	s := r.session
	messages := make([]im.Message, 0, len(batch))
	var resume im.Resume
	for _, a := range batch {
		if a.Resume != nil {
			resume = a.Resume
		}
		m := clean(a.Body.(im.Message))
		known, err := r.isOurs(ctx, m)
		if err != nil {
			return err
		}
		if !known {
			messages = append(messages, m)
		}
	}
	if len(messages) == 0 {
		return r.resume(ctx, arrival{link: batch[0].link, Event: im.Event{Resume: resume}})
	}
	_, err := s.server.Sessions.Append(ctx, s.user, s.epoch, sessions.Batch{
		Messages: messages, Network: batch[0].link.up.network, Resume: resume,
		Visible: func(seqs []sessions.Seq) { s.post(func() { s.stored(incoming(messages, seqs)) }) },
	})
	return err
}

// incoming selects the numbers of those messages that came to the user.
func incoming(messages []im.Message, seqs []sessions.Seq) (in []sessions.Seq) {
	for i, m := range messages {
		if !m.Outgoing {
			in = append(in, seqs[i])
		}
	}
	return in
}

// isOurs tells whether a message is the network's copy of one that went out through this session: then it is in the log
// already, and that the network has it is all that is new.
func (r *recorder) isOurs(ctx context.Context, m im.Message) (bool, error) {
	if !m.Outgoing || m.ID == "" {
		return false, nil
	}
	err := r.session.server.Sessions.Settle(ctx, r.session.user, r.session.epoch, m.ID, im.Sent, "")
	if errors.Is(err, sessions.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// deliver stores how far an outgoing message has come, and tells the clients.
func (r *recorder) deliver(ctx context.Context, a arrival, d im.Delivery) error {
	s := r.session
	err := s.server.Sessions.Settle(ctx, s.user, s.epoch, d.ID, d.State, d.Reason)
	if errors.Is(err, sessions.ErrNotFound) {
		err = nil // sent by another client of the user
	} else if err == nil {
		s.announce(d)
	}
	if err != nil {
		return err
	}
	return r.resume(ctx, a)
}

// resume stores the state from which the connection goes on.
func (r *recorder) resume(ctx context.Context, a arrival) error {
	if a.Resume == nil {
		return nil
	}
	return r.session.server.Sessions.SetResume(ctx, r.session.user, r.session.epoch, a.link.up.network, a.Resume)
}

// isMessage tells whether the arrival is a message.
func (a arrival) isMessage() bool {
	_, ok := a.Body.(im.Message)
	return ok
}

// What of the links of a message is kept: so many, each so long and with so many bytes of media type and title.
const (
	maxAttachments = 8
	longestLink    = 4096
	maxType        = 100
	maxTitle       = 200
)

// clean makes a stranger's message fit for a frame and for being spoken: valid UTF-8, no control characters but line
// ends and tabs, at most im.MaxBody bytes, with links that are not too long. The store sees to its ids.
func clean(m im.Message) im.Message {
	m.Body = cleanText(m.Body, im.MaxBody)
	m.Name = cleanText(m.Name, 200)
	var kept []im.Attachment
	for _, a := range m.Attachments {
		if len(a.URL) > longestLink || len(kept) == maxAttachments {
			continue
		}
		if !im.IsWaveform(a.Waveform) {
			a.Waveform = nil
		}
		a.Type, a.Title = cleanText(a.Type, maxType), cleanText(a.Title, maxTitle)
		kept = append(kept, a)
	}
	m.Attachments = kept
	return m
}

// cleanText removes what must not be in a text, and what is past so many bytes.
func cleanText(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
