package ivr

import (
	"context"
	"slices"
	"time"

	"hark/im"
	"hark/presence/wire"
)

// readerNodes read messages, one after the other.
func readerNodes() []*node {
	text := []key{
		{press: "1", label: "reader.key.answer", do: answerByVoice, to: atRecord, hot: true},
		{press: "2", label: "reader.key.keys", do: answerByKeys, to: atQuick, hot: true},
		{press: "3", label: "reader.key.person", do: nextPerson, to: atReader, hot: true},
		{press: "4", label: "reader.key.back.text", do: previous, to: atReader, hot: true},
		{press: "5", label: "reader.key.again", do: again, to: atReader, hot: true},
		{press: "6", label: "reader.key.forward.text", do: nextMessage, to: atReader, hot: true},
		{press: "7", label: "reader.key.delete", do: deleteOrUndo, to: atReader, hot: true},
		{press: "8", label: "reader.key.more", do: moreAbout, to: atMessage, hot: true},
		{press: "#", label: "reader.key.next", do: nextMessage, to: atReader, hot: true},
	}
	voice := []key{
		text[0], text[1], text[2],
		{press: "4", label: "reader.key.back.voice", do: backward, to: atReader, hot: true},
		{press: "5", label: "reader.key.pause", do: pause, to: atPaused, hot: true},
		{press: "6", label: "reader.key.forward.voice", do: forward, to: atReader, hot: true},
		text[6], text[7], text[8],
	}
	return []*node{
		{name: atReader, kind: passing, run: choose, next: []state{atText, atVoice, atLast, atHome}},
		{name: atText, kind: reading, run: listen, back: atHome, help: "reader.help", keys: text},
		{name: atVoice, kind: reading, run: listen, back: atHome, help: "reader.help", keys: voice},
		{name: atPaused, kind: menu, run: runMenu, back: atHome, help: "paused.help", intro: pausedIntro, quiet: true,
			keys: []key{
				{press: "5", label: "paused.key.5", to: atReader},
				{press: "1", label: "reader.key.answer", do: answerByVoice, to: atRecord, hot: true},
				{press: "2", label: "reader.key.keys", do: answerByKeys, to: atQuick, hot: true},
				{press: "4", label: "reader.key.back.voice", do: backward, to: atReader, hot: true},
				{press: "6", label: "reader.key.forward.voice", do: forward, to: atReader, hot: true},
				{press: "7", label: "reader.key.delete", do: deleteOrUndo, to: atReader, hot: true},
				{press: "8", label: "reader.key.more", do: moreAbout, to: atMessage, hot: true},
				{press: "#", label: "paused.key.next", do: nextMessage, to: atReader, hot: true},
			}},
		{name: atLast, kind: menu, run: runMenu, back: atHome, help: "reader.end.help", intro: lastIntro,
			keys: []key{
				{press: "1", label: "reader.key.answer", do: answerByVoice, to: atRecord},
				{press: "2", label: "reader.end.key.keys", do: answerByKeys, to: atQuick},
				{press: "7", label: "reader.key.undo", do: deleteOrUndo, to: atReader, when: undoable, hot: true},
				{press: "4", label: "reader.key.last", do: previous, to: atReader, when: anyRead, hot: true},
				{press: "5", label: "reader.key.again", do: previous, to: atReader, when: anyRead, hot: true},
				{press: "#", label: "reader.end.key.done", to: atHome, hot: true},
			}},
	}
}

func pausedIntro(*Call) []phrase { return []phrase{say("paused")} }
func lastIntro(*Call) []phrase   { return []phrase{say("reader.end")} }

// choose goes to the reader that suits the message, or to the end when there is none.
func choose(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	c.collect()
	q.active = true
	if q.pos >= len(q.items) && q.more > 0 {
		if err := c.ask(ctx, c.loadNew); err != nil {
			return "", err
		}
	}
	m, ok := q.current()
	if !ok {
		c.lookBack(ctx)
		return atLast, nil
	}
	if q.seq != m.Seq {
		q.sound = c.sound(ctx, m)
	}
	if q.voice {
		return atVoice, nil
	}
	return atText, nil
}

// lookBack fetches what came before when the queue is empty, all in it being deleted: there may be nothing to go back to, and
// that is not to be offered then.
func (c *Call) lookBack(ctx context.Context) {
	if len(c.queue.items) > 0 {
		return
	}
	if _, err := c.older(ctx); err != nil {
		c.log.Warn("older messages cannot be looked for", "err", err)
	}
}

func anyRead(c *Call) bool { return len(c.queue.items) > 0 }

// listen reads the message at hand from where it stopped until a key is pressed, and then the next one by itself.
func listen(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	m, _ := q.current()
	c.last = m.From
	c.render(ctx)
	head := c.clips(ctx, append(c.aside(), c.heading(m)...)...)
	body, first := cut(q.clips, q.at)
	wait := c.set.Quiet
	if len(q.pending) > 0 {
		wait = time.Nanosecond
	}
	warm, kept := c.warm(ctx), c.keepingPlace(ctx)
	play := append(head, body...)
	press, in, err := c.turn(ctx, play, wait)
	warm()
	kept()
	if err == nil && press == "" {
		in.Clip = len(play)
	}
	if press != "7" || in.Clip >= len(head) {
		q.undo = deletion{}
	}
	if herr := c.reached(ctx, m, in, first-len(head)); err == nil {
		err = herr
	}
	switch {
	case err != nil:
		return "", err
	case press == "" && len(q.pending) > 0:
		return atReader, nil
	case press == "":
		q.move(q.pos + 1)
		return atReader, nil
	}
	return c.steer(ctx, press)
}

// steer does what a key means to the reader; unknown keys and help do not lose the place.
func (c *Call) steer(ctx context.Context, press string) (state, error) {
	next, err := c.press(ctx, c.node, press)
	switch next {
	case unused:
		c.tell(say("key.unused"))
		return atReader, err
	case help:
		c.tell(c.helpFor(c.node)...)
		return atReader, err
	}
	return next, err
}

// heading announces a message: an earcon for its kind, and sender and time unless the same person goes on. Nothing is
// announced when a message goes on in its middle.
func (c *Call) heading(m *item) []phrase {
	q := &c.queue
	if q.begun {
		return nil
	}
	q.begun = true
	ear := earcon("message")
	if q.voice {
		ear = earcon("voice")
	}
	if q.said == m.From {
		return []phrase{ear}
	}
	q.said = m.From
	return []phrase{ear, m.sender(c)}
}

// sender says whom a message is from, and when it came. A clock that is ahead of ours is not believed.
func (i *item) sender(c *Call) phrase {
	sent := i.Sent
	if now := time.Now(); sent.After(now) {
		sent = now
	}
	return say("reader.from", "name", c.called(i.From), "time", sent)
}

// almost is how much of the last word may be missing of what was heard to its end.
const almost = 100 * time.Millisecond

// reached notes how far a message was heard; shift is what to add to a clip's place in the turn for its place in the
// message. A message that was heard is acknowledged.
func (c *Call) reached(ctx context.Context, m *item, in Input, shift int) error {
	q := &c.queue
	k := in.Clip + shift
	if k < 0 || k < len(q.clips) && in.Clip == 0 && in.At == 0 {
		return nil
	}
	from, to := q.at, length(q.clips[:min(k, len(q.clips))])
	if k < len(q.clips) {
		to += in.At
	}
	q.at = max(from, to)
	whole := len(q.pending) == 0 && (k >= len(q.clips) || q.at > 0 && q.at >= length(q.clips)-almost)
	if q.voice {
		whole = m.listened(from, q.at, length(q.clips))
	}
	if !whole || q.lasting || m.heard && (m.told || q.unread) {
		return nil
	}
	if m.heard = true; !m.told && !q.unread {
		m.told = true
		q.tell = append(q.tell, m.Seq)
	}
	if ctx.Err() != nil { // the caller hung up: leave acknowledges
		return nil
	}
	return c.ask(ctx, c.acknowledge)
}

// acknowledge tells the server what was heard. What was skipped before it stays new, and nobody is told that it was heard.
func (c *Call) acknowledge(ctx context.Context, s Messenger) error {
	q := &c.queue
	if len(q.tell) > 0 {
		if err := s.Heard(ctx, q.tell...); err != nil {
			return err
		}
		q.tell = nil
	}
	upto, beyond := q.progress()
	if upto > q.cursor {
		if err := s.Ack(ctx, upto); err != nil {
			return err
		}
	}
	if !slices.Equal(beyond, q.beyond) {
		heard := marked{list: beyond, kept: q.beyond}
		if err := heard.keep(ctx, s, heardKey); err != nil {
			return err
		}
		q.beyond = heard.list
	}
	q.cursor = upto
	q.heardAgain()
	return q.again.keep(ctx, s, againKey)
}

func nextMessage(_ context.Context, c *Call) (state, error) {
	c.queue.move(c.queue.pos + 1)
	return atReader, nil
}

func nextPerson(_ context.Context, c *Call) (state, error) {
	c.queue.move(c.queue.nextPerson())
	return atReader, nil
}

func again(_ context.Context, c *Call) (state, error) {
	c.queue.at = 0
	return atReader, nil
}

// previous goes one message back, into older ones if need be.
func previous(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	q.said = im.Address{}
	if q.pos == 0 {
		n, err := c.older(ctx)
		if err != nil {
			return "", err
		}
		if n == 0 {
			c.tell(say("reader.first"))
		}
	}
	q.move(q.pos - 1)
	return atReader, nil
}

// nearStart is how far into a voice message "back" still means the message before.
const nearStart = 2 * time.Second

func backward(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	if q.at < nearStart {
		return previous(ctx, c)
	}
	q.at = max(0, q.at-c.set.Seek)
	return atReader, nil
}

func forward(ctx context.Context, c *Call) (state, error) {
	q := &c.queue
	q.at += c.set.Seek
	if q.at >= length(q.clips) {
		return nextMessage(ctx, c)
	}
	return atReader, nil
}

func pause(_ context.Context, c *Call) (state, error) {
	if c.queue.at >= length(c.queue.clips) {
		c.queue.at = 0
		return atReader, nil
	}
	return atPaused, nil
}

// older fetches messages before those in the queue, and says how many there were.
func (c *Call) older(ctx context.Context) (n int, err error) {
	q := &c.queue
	before := q.oldest()
	for n == 0 && before > 1 {
		var reply wire.FetchReply
		err = c.ask(ctx, func(ctx context.Context, m Messenger) (err error) {
			reply, err = m.Fetch(ctx, wire.FetchRequest{Before: before, Max: page})
			return err
		})
		if err != nil || len(reply.Messages) == 0 {
			return n, err
		}
		before = reply.Messages[0].Seq
		n = q.prepend(reply.Messages)
	}
	return n, nil
}
