package ivr

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/prompts"
)

// A take is a recording in hand.
type take struct {
	file   string        // what is played when the caller wants to hear it; "" when it cannot be
	length time.Duration // of the file
	ours   bool          // the file is to be removed
	part   bool          // it broke off
	draft  string        // id of the draft that it is
	link   im.Attachment // once it has one
	id     string        // of the message that it will be, so that sending twice shows one
	answer int64         // number of the message it answers, 0 for none

	text    string          // words instead of a recording
	links   []im.Attachment // what goes with them
	kept    bool            // it is a draft already
	forward bool            // it is somebody else's message, passed on
}

// written tells whether it is words, or a message that is passed on, and no recording.
func (t *take) written() bool { return t.forward || t.text != "" }

// content is what is sent.
func (t *take) content() (body string, links []im.Attachment) {
	if t.written() {
		return t.text, t.links
	}
	return t.link.URL, []im.Attachment{t.link}
}

// remove deletes the file. A nil take has none.
func (t *take) remove() {
	if t != nil && t.ours && t.file != "" {
		_ = os.Remove(t.file)
		t.file = ""
	}
}

// drop lets go of the recording in hand.
func (c *Call) drop() {
	c.rec.remove()
	c.rec = nil
}

// maxBroken is how many recordings in a row may come to nothing.
const maxBroken = 3

// record takes the caller's voice.
func record(ctx context.Context, c *Call) (state, error) {
	c.drop()
	if err := c.srv.Recordings.Ready(ctx, c.session.User); err != nil {
		c.log.Warn("no room for a recording", "err", err)
		c.tell(say("record.full"))
		return c.after, nil
	}
	prompt := c.aside()
	if c.after == atReader { // the key may have come when the next one's message had just begun
		prompt = append(prompt, say("quick", "name", c.called(c.person)))
	}
	r, err := c.line.Record(ctx, Record{
		Prompt: c.clips(ctx, append(prompt, say("record"))...), Tone: c.short("tone"),
		Max: c.set.MaxRecording, Silence: c.set.Silence, Ends: "#*", Tick: c.short("tick"), Warn: c.set.Tick,
	})
	if r.File != "" {
		c.rec = &take{file: r.File, length: r.Duration, ours: true, part: brokeOff(r.Why), id: newID(), answer: c.answering()}
	}
	if err != nil {
		return c.recordFailed(ctx, r, err)
	}
	return c.judge(r)
}

// short is one of the short sounds; the zero Clip when it cannot be had.
func (c *Call) short(name string) prompts.Clip {
	clip, err := c.srv.Voice.Earcon(name)
	if err != nil {
		c.log.Warn("a short sound is missing", "name", name, "err", err)
	}
	return clip
}

// brokeOff tells whether a recording ended before the caller had finished: what there is of it is only a part.
func brokeOff(w Why) bool { return w == LineFail || w == HungUp || w == Stopped }

// recordFailed goes back when nothing can be recorded; what came before the failure is kept.
func (c *Call) recordFailed(ctx context.Context, r Recorded, err error) (state, error) {
	if ctx.Err() != nil || !errors.Is(err, ErrLine) {
		return "", err
	}
	c.log.Warn("recording failed", "err", err)
	r.Why = LineFail
	if c.rec != nil && r.Duration >= c.set.MinRecording {
		return c.judge(r)
	}
	c.drop()
	c.tell(say("record.failed"))
	return c.after, nil
}

// judge decides what becomes of a recording.
func (c *Call) judge(r Recorded) (state, error) {
	speech := r.Duration
	if r.Why == Silence {
		speech -= c.set.Silence
	}
	switch {
	case r.Key == "*":
		c.drop()
		c.tell(say("record.dropped"))
		return c.after, nil
	case c.rec == nil || speech < c.set.MinRecording:
		return c.tooShort(r.Why == Silence || r.Why == Timeout)
	case !AudibleIn(c.rec.file):
		return c.tooShort(true)
	case r.Why == Limit:
		c.tell(say("record.limit"))
	case r.Why == LineFail:
		c.tell(say("record.broken"))
	}
	c.broken = 0
	return atReview, nil
}

// tooShort asks once more, but not for ever. silent says that nothing was spoken at all.
func (c *Call) tooShort(silent bool) (state, error) {
	c.drop()
	if c.broken++; c.broken >= maxBroken {
		c.broken = 0
		c.tell(say("record.stop"))
		return c.after, nil
	}
	if silent {
		c.tell(say("record.nothing"))
	} else {
		c.tell(say("record.short"))
	}
	return startAgain, nil
}

// answering is the number of the message that a recording answers.
func (c *Call) answering() int64 {
	if c.after != atReader || len(c.queue.items) == 0 {
		return 0
	}
	return c.queue.items[min(c.queue.pos, len(c.queue.items)-1)].Seq
}

// hearRecording plays what was recorded.
func hearRecording(_ context.Context, c *Call) (state, error) {
	if c.rec.written() {
		c.tell(c.readBack()...)
	} else if c.rec.file == "" {
		c.tell(say("reader.failed"))
	} else {
		c.tell(phrase{clip: &prompts.Clip{File: c.rec.file, Duration: c.rec.length}})
	}
	return stay, nil
}

func recordAgain(_ context.Context, c *Call) (state, error) {
	c.drop()
	return atRecord, nil
}

func dropRecording(_ context.Context, c *Call) (state, error) {
	c.drop()
	c.tell(say("record.dropped"))
	return c.after, nil
}

// sendRecording sends what was recorded and goes back to where the caller came from.
func sendRecording(ctx context.Context, c *Call) (state, error) {
	sent, err := c.deliver(ctx)
	if err != nil {
		return "", err
	}
	switch sent {
	case nobody:
		c.after = atHome
		return atWho, nil
	case notSent:
		return stay, nil
	}
	answered := c.queue.index(c.rec.answer)
	c.drop()
	if answered < 0 {
		return c.after, nil
	}
	return c.after, c.answered(ctx, answered)
}

// answered counts a message as heard, since who answers it knows what it says, and goes on behind it.
func (c *Call) answered(ctx context.Context, i int) error {
	m := c.queue.items[i]
	if c.queue.pos == i {
		c.queue.move(i + 1)
	}
	m.heard = true
	return c.ask(ctx, c.acknowledge)
}

// sending is how an attempt to send came out.
type sending string

const (
	wasSent sending = "sent"
	notSent sending = "not sent" // it can be tried again
	nobody  sending = "nobody"   // there is nobody at that address
)

// deliver keeps the recording in hand and sends the link to it. The caller hears how that came out.
func (c *Call) deliver(ctx context.Context) (sending, error) {
	if err := c.keep(ctx); err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		c.log.Error("recording not kept", "err", err)
		c.tell(say("record.notkept"))
		return notSent, nil
	}
	var reply wire.SendReply
	body, links := c.rec.content()
	err := c.ask(ctx, func(ctx context.Context, m Messenger) (err error) {
		reply, err = m.Send(ctx, wire.SendRequest{
			ID: c.rec.id, To: c.person, Body: body, Attachments: links, ReplyTo: c.repliesTo(),
		})
		return err
	})
	var no *presence.Error
	switch {
	case errors.As(err, &no) && !errors.Is(err, errLost):
		return c.notSent(no), nil
	case err != nil:
		return "", err
	}
	c.sentTo(ctx, reply.State)
	return wasSent, nil
}

// notSent tells why the presence server did not take a message.
func (c *Call) notSent(no *presence.Error) sending {
	c.log.Warn("message refused", "code", no.Code)
	switch no.Code {
	case wire.Unavailable:
		c.tell(say("sent.queued"))
		return wasSent
	case wire.NotFound:
		c.tell(say("send.nobody"))
		return nobody
	case wire.Limit, wire.TryLater:
		c.tell(say("send.later"))
	case wire.BadCredentials:
		c.tell(say("send.login"))
	default:
		c.tell(say("send.failed"))
	}
	return notSent
}

// sentTo confirms, and remembers the person for the next time.
func (c *Call) sentTo(ctx context.Context, s im.DeliveryState) {
	if s == im.Queued {
		c.tell(say("sent.queued"))
	} else {
		c.tell(say("sent"))
	}
	c.last = c.person
	if err := c.session.client.PutState(ctx, wire.State, lastKey, c.person); err != nil {
		c.log.Warn("last person not kept", "err", err)
	}
}

// repliesTo is the id of the message that the recording answers, where it has one.
func (c *Call) repliesTo() string {
	if i := c.queue.index(c.rec.answer); i >= 0 {
		return c.queue.items[i].ID
	}
	return ""
}

// keep makes a link of the recording in hand, once.
func (c *Call) keep(ctx context.Context) error {
	if c.rec.link.URL != "" || c.rec.written() {
		return nil
	}
	return c.await(ctx, func(ctx context.Context) (err error) {
		if c.rec.draft != "" {
			return c.keepDraft(ctx)
		}
		c.rec.link, err = c.srv.Recordings.Put(ctx, c.rec.file, c.note())
		return err
	})
}

// note goes with the recording in hand.
func (c *Call) note() Note {
	return Note{User: c.session.User, Name: c.session.Name, Length: c.rec.length, Part: c.rec.part}
}

// newID makes the id of a message.
func newID() string { return rand.Text() }
