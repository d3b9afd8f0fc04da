package ivr

import (
	"context"
	"slices"
	"time"

	"hark/presence/wire"
	"hark/prompts"
)

// What the dialogue keeps of single messages, besides heardKey.
const (
	goneKey  = "phone.gone"  // numbers of messages that the user deleted here
	againKey = "phone.again" // numbers of messages that were heard and marked as new
	speedKey = "phone.speed" // how fast messages are read, in percent
)

// speeds are how fast messages can be read, in percent, in the order in which the key takes them.
var speeds = []int{100, 125, 150, 80}

// messageNodes do more with the message at hand.
func messageNodes() []*node {
	return []*node{
		{name: atMessage, kind: menu, run: runMenu, back: atReader, help: "message.help", quiet: true, keys: []key{
			{press: "1", label: "message.key.call", do: callSender, to: atDial, when: senderCanBeCalled},
			{press: "2", label: "message.key.forward", do: passOn, to: atWho},
			{press: "3", label: "message.key.spell", do: spellOut, to: stay, when: written},
			{press: "4", label: "message.key.speed", do: faster, to: atReader, when: canPace},
			{press: "5", label: "message.key.time", do: exactTime, to: stay},
			{press: "6", label: "message.key.new", do: markNew, to: atReader, hot: true},
			{press: "#", label: "message.key.on", to: atReader, hot: true},
		}},
	}
}

// moreAbout opens the choices for the message at hand.
func moreAbout(context.Context, *Call) (state, error) { return atMessage, nil }

// written tells whether the message at hand has words that could be spelled.
func written(c *Call) bool {
	m, ok := c.queue.current()
	return ok && m.Body != "" && !c.queue.voice
}

// passOn takes the message at hand as it is, to be sent to somebody else.
func passOn(ctx context.Context, c *Call) (state, error) {
	c.keepRecording(ctx)
	m, _ := c.queue.current()
	c.drop()
	c.rec = &take{text: m.Body, links: m.Attachments, forward: true, id: newID()}
	c.after = atReader
	return atWho, nil
}

// mostSpelled is how many characters of a message are spelled at once.
const mostSpelled = 80

// spellOut says the message letter by letter.
func spellOut(_ context.Context, c *Call) (state, error) {
	m, _ := c.queue.current()
	text := []rune(m.Body)
	c.tell(spelledOut(string(text[:min(len(text), mostSpelled)]))...)
	return stay, nil
}

func exactTime(_ context.Context, c *Call) (state, error) {
	m, _ := c.queue.current()
	c.tell(say("message.time", "time", prompts.Exact(m.Sent)))
	return stay, nil
}

// markNew makes the message new again, also for later calls, and goes on behind it.
func markNew(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	m, _ := q.current()
	q.renew(m)
	q.move(q.pos + 1)
	c.tell(say("message.new"))
	return atReader, c.keepMarks(ctx)
}

// A deletion can be taken back while it is being said.
type deletion struct {
	item *item
	at   int // where it stood in the queue
}

// deleteOrUndo deletes the message at hand; while that is being said, the same key takes it back.
func deleteOrUndo(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	if q.undo.item != nil {
		q.restore()
		c.tell(say("reader.restored"))
		return atReader, c.keepMarks(ctx)
	}
	m, ok := q.current()
	if !ok {
		return unused, nil
	}
	q.undo = deletion{m, q.pos}
	q.items = slices.Delete(q.items, q.pos, q.pos+1)
	q.gone.add(m.Seq)
	q.move(q.pos)
	c.tell(say("reader.deleted"))
	return atReader, c.keepMarks(ctx)
}

// restore takes the deletion back. That the message is new is not lost, although the server took it as heard.
func (q *queue) restore() {
	m := q.undo.item
	at := min(q.undo.at, len(q.items))
	q.undo = deletion{}
	q.items = slices.Insert(q.items, at, m)
	q.gone.drop(func(seq int64) bool { return seq == m.Seq })
	if !m.heard {
		q.renew(m)
	}
	q.move(at)
}

// renew makes a message new.
func (q *queue) renew(m *item) {
	m.heard, m.parts = false, nil
	if m.Seq <= q.cursor {
		q.again.add(m.Seq)
	}
}

// keepMarks stores which messages are deleted and which are new again, and acknowledges what can be.
func (c *Call) keepMarks(ctx context.Context) error {
	q := &c.queue
	return c.ask(ctx, func(ctx context.Context, s Messenger) error {
		if err := q.gone.keep(ctx, s, goneKey); err != nil {
			return err
		}
		if err := q.again.keep(ctx, s, againKey); err != nil {
			return err
		}
		return c.acknowledge(ctx, s)
	})
}

// heardAgain takes those that were heard meanwhile from the messages that are new again.
func (q *queue) heardAgain() {
	q.again.drop(func(seq int64) bool {
		i := q.index(seq)
		return i >= 0 && q.items[i].heard
	})
}

// undoable tells whether a deletion can still be taken back.
func undoable(c *Call) bool { return c.queue.undo.item != nil }

// A Pacer is a Voice that can also play sound faster or slower without changing its pitch.
type Pacer interface {
	// Pace returns the clip at another speed, in percent of its own; its Offset must be 0.
	Pace(ctx context.Context, clip prompts.Clip, percent int) (prompts.Clip, error)
}

func canPace(c *Call) bool {
	_, ok := c.srv.Voice.(Pacer)
	return ok
}

// paced brings a clip to the speed that the caller wants.
func (c *Call) paced(ctx context.Context, clip prompts.Clip) prompts.Clip {
	pacer, ok := c.srv.Voice.(Pacer)
	if !ok || c.speed == 0 || c.speed == 100 {
		return clip
	}
	out, err := pacer.Pace(ctx, clip, c.speed)
	if err != nil {
		c.log.Warn("speed cannot be changed", "err", err)
		return clip
	}
	return out
}

// faster goes on to the next speed, and reads on with it.
func faster(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	old := c.speed
	or(&old, 100)
	c.speed = speeds[(slices.Index(speeds, old)+1)%len(speeds)]
	q.at = q.at * time.Duration(old) / time.Duration(c.speed)
	q.sound = sound{}
	c.tell(say("speed", "count", c.speed))
	return atReader, c.ask(ctx, func(ctx context.Context, m Messenger) error {
		return m.PutState(ctx, wire.State, speedKey, c.speed)
	})
}
