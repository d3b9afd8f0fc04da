package ivr

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"hark/im"
	"hark/presence/wire"
)

// A Memory keeps what a call needs to go on when this process dies and another one finds the call still there. What it
// keeps opens the caller's session: it belongs where only this program reads, never to the switch. Any goroutine may
// call it.
type Memory interface {
	// Keep replaces what is kept for the call, by its Line's ID. It must survive the process, not the machine.
	Keep(call string, note []byte) error
	// Recall returns it, nil when there is nothing.
	Recall(call string) ([]byte, error)
	// Forget removes it; removing nothing is no error.
	Forget(call string) error
}

// An adopted line is a call that was answered by a process which died.
type adopted interface {
	Adopted() bool
	// Unfinished ends a recording that was under way and returns what there is of it, the caller's to remove; without a
	// File when there is none.
	Unfinished(ctx context.Context) (Recorded, error)
}

// A note is what is kept of a call: its session, and where it goes on.
type note struct {
	wire.SessionReply
	spot
}

// A spot is where a call is.
type spot struct {
	At       state  `json:"at"`
	Language string `json:"language"`
	recorded
}

// recorded is a recording that is under way, or in the caller's hand.
type recorded struct {
	To     im.Address    `json:"to,omitzero"`
	Answer int64         `json:"answer,omitzero"` // the message that it answers
	File   string        `json:"file,omitempty"`  // "" while the caller speaks
	Length time.Duration `json:"length,omitzero"`
}

// anchors are the states that a call can go on in without anything from before; what hangs on a message goes on in the
// reader, which has its place. From everywhere else the call goes on in the anchor it came from.
var anchors = map[state]state{
	atHome: atHome, atMore: atMore, atStatus: atStatus, atSettings: atSettings, atLanguage: atLanguage,
	atReader: atReader, atText: atReader, atVoice: atReader, atPaused: atReader, atLast: atReader, atMessage: atReader,
}

// remember keeps where the call is, when that has changed.
func (c *Call) remember() {
	at, ok := anchors[c.at]
	here := spot{At: at, Language: c.lang}
	switch {
	case ok:
	case c.at == atRecord:
		here.recorded = recorded{To: c.person, Answer: c.answering()}
	case c.at == atReview && c.rec.ours:
		here.recorded = recorded{To: c.person, Answer: c.rec.answer, File: c.rec.file, Length: c.rec.length}
	default:
		return
	}
	if !ok {
		here.At = cmp.Or(c.noted.At, atHome)
	}
	if c.srv.Memory == nil || !c.loaded || here == c.noted {
		return
	}
	raw, err := json.Marshal(note{SessionReply: c.session.SessionReply, spot: here})
	if err == nil {
		err = c.srv.Memory.Keep(c.line.ID(), raw)
	}
	if err != nil {
		c.log.Warn("the call's place is not kept against a crash", "err", err)
		return
	}
	c.noted = here
}

// forget removes what is kept of the call, unless it goes on with another process.
func (c *Call) forget(ctx context.Context) {
	cause := context.Cause(ctx)
	if c.srv.Memory == nil || cause != nil && !errors.Is(cause, ErrHangup) {
		return
	}
	if err := c.srv.Memory.Forget(c.line.ID()); err != nil {
		c.log.Warn("a call that is over is still kept", "err", err)
	}
}

// adopt goes on with a call that another process left; false when nothing is known of it, so that it begins anew.
func (c *Call) adopt(ctx context.Context) bool {
	line, ok := c.line.(adopted)
	if !ok || !line.Adopted() || c.srv.Memory == nil {
		return false
	}
	spoken, err := line.Unfinished(ctx)
	if err != nil {
		c.log.Warn("what was spoken before the break is lost", "err", err)
	}
	n, err := c.reopen(ctx)
	if err != nil {
		c.log.Warn("an adopted call begins anew", "err", err)
		_ = os.Remove(spoken.File)
		return false
	}
	c.user, c.lang, c.adopted = n.User, n.Language, n.At
	c.takeUp(spoken, n.recorded)
	c.log.Info("call adopted", "state", n.At)
	return true
}

// recall reads the note of a call.
func (s *Server) recall(call string) (n note, err error) {
	raw, err := s.Memory.Recall(call)
	if err == nil && raw == nil {
		err = errors.New("ivr: nothing is known of the call")
	}
	if err == nil {
		err = json.Unmarshal(raw, &n)
	}
	return n, err
}

// reopen finds the session of a call that another process left.
func (c *Call) reopen(ctx context.Context) (n note, err error) {
	if n, err = c.srv.recall(c.line.ID()); err != nil {
		return n, err
	}
	return n, c.await(ctx, func(ctx context.Context) error { return c.attach(ctx, n) })
}

// attach goes on with the session of a note.
func (c *Call) attach(ctx context.Context, n note) error {
	client, reply, err := c.srv.Dial.Resume(ctx, wire.ResumeRequest{Session: n.Session, Client: phoneClient})
	if err != nil {
		return err
	}
	c.session = &session{SessionReply: n.SessionReply}
	c.renew(client, reply)
	return nil
}

// takeUp takes the recording that was under way, or in the caller's hand, unless there is too little of it.
func (c *Call) takeUp(spoken Recorded, r recorded) {
	part := spoken.File != ""
	if !part {
		spoken = Recorded{File: r.File, Duration: r.Length}
	}
	if _, err := os.Stat(spoken.File); err != nil {
		return
	}
	c.rec = &take{file: spoken.File, length: spoken.Duration, ours: true, part: part, id: newID(), answer: r.Answer}
	c.person, c.after = r.To, atHome
	if r.To == (im.Address{}) || spoken.Duration < c.set.MinRecording || !AudibleIn(spoken.File) {
		c.drop()
	}
}

// goOn leads to where an adopted call was. Keys from the break are dropped: nobody knows what they were meant for.
func (c *Call) goOn(ctx context.Context) (state, error) {
	c.line.Flush()
	at := c.adopted
	c.adopted = ""
	c.tell(say("adopted"))
	switch {
	case c.rec != nil:
		if c.rec.part {
			c.tell(say("record.broken"))
		}
		return atReview, nil
	case at == atReader && c.queue.index(c.queue.from.Seq) >= 0:
		return startReading(ctx, c)
	case anchors[at] == at && at != atReader:
		return at, nil
	}
	return atHome, nil
}
