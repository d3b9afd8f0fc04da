package ivr

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// quickKey is where the user's own quick replies are kept, as a list of texts. The web shows and changes the same ones.
const quickKey = "quick-replies"

// ownReplies is how many quick replies of their own a user may have, at all doors. No more are taken then.
const ownReplies = 5

// quickIDs are the replies that everybody has.
var quickIDs = []string{"quick.yes", "quick.no", "quick.phone", "quick.later", "quick.thanks", "quick.way"}

// A reply is one that can be sent by a key.
type reply struct {
	say  string // what is offered
	body string // what is sent
}

// answerNodes answer with keys.
func answerNodes() []*node {
	quick := list{
		label: "quick.key", to: atReader,
		size: func(c *Call) int { return len(c.replies) },
		args: func(c *Call, i int) prompts.Args { return prompts.Args{"text": c.replies[i].say} },
		take: sendReply,
	}
	return []*node{
		{name: atQuick, kind: menu, run: runMenu, help: "quick.help", quiet: true, intro: quickIntro,
			keys: append(quick.keys(),
				key{press: "8", label: "quick.key.spell", do: startSpelling, to: atSpell},
				key{press: "*", label: "key.back", do: leaveAnswer, to: atReader, hot: true},
			), next: []state{atHome, atWho, atConfirm, atWritten}},
		{name: atSpell, kind: spelling, run: spell, back: atQuick, help: "spell.help", quiet: true,
			said: []string{"spell.on", "spell.long"}, next: []state{atWritten},
			letters: letters{prompt: "spell", full: "spell.full", longest: longestText, text: messageText, to: atWritten, drop: (*Call).drop}},
		{name: atWritten, kind: menu, run: runMenu, help: "written.help", quiet: true, intro: writtenIntro,
			keys: []key{
				{press: "1", label: "written.key.1", do: sendRecording, to: atReader},
				{press: "2", label: "written.key.2", to: atSpell, when: spelled},
				{press: "3", label: "written.key.3", do: dropRecording, to: atReader},
				{press: "4", label: "written.key.4", do: sendAndKeep, to: atReader, when: keepable},
				{press: "*", label: "written.key.change", to: atSpell, when: spelled, hot: true},
				{press: "*", label: "written.key.drop", do: dropRecording, to: atReader, when: forwarded, hot: true},
			}, next: []state{atHome, atWho}},
	}
}

// answerByKeys offers replies to whoever wrote the message at hand.
func answerByKeys(ctx context.Context, c *Call) (state, error) {
	c.keepRecording(ctx)
	c.person, c.after = c.last, atReader
	return writeByKeys(ctx, c)
}

// writeByKeys offers replies to the person at hand: the choices that the message brings, the user's own, and those
// that everybody has.
func writeByKeys(ctx context.Context, c *Call) (state, error) {
	var own []string
	err := c.ask(ctx, func(ctx context.Context, m Messenger) error {
		own = nil
		return m.GetState(ctx, wire.State, quickKey, &own)
	})
	if err != nil {
		return "", err
	}
	c.page, c.own, c.replies = 0, own, c.brought()
	for _, text := range own {
		c.replies = append(c.replies, reply{speakable(text, c.lang, c.words), text})
	}
	for _, id := range quickIDs {
		c.replies = append(c.replies, reply{c.words(id), c.words(id)})
	}
	return atQuick, nil
}

// brought lists the answers that the message at hand brings: those that its sender declared (XEP-0439), else those that
// its words number.
func (c *Call) brought() (list []reply) {
	i := c.queue.index(c.answering())
	if i < 0 {
		return nil
	}
	m := c.queue.items[i]
	for _, choice := range m.Choices {
		label := speakable(cmp.Or(choice.Label, choice.Body), c.lang, c.words)
		list = append(list, reply{cmp.Or(label, choice.Body), choice.Body})
	}
	if len(list) > 0 {
		return list
	}
	for i, text := range im.NumberedChoices(m.Body) {
		list = append(list, reply{speakable(text, c.lang, c.words), strconv.Itoa(i + 1)})
	}
	return list
}

func quickIntro(c *Call) []phrase { return []phrase{say("quick", "name", c.called(c.person))} }

// sendReply sends one of the replies, with a word about which one it was.
func sendReply(ctx context.Context, c *Call, i int) (state, error) {
	c.drop()
	c.rec = &take{text: c.replies[i].body, id: newID(), answer: c.answering()}
	c.tell(spoken(c.replies[i].say))
	next, err := sendRecording(ctx, c)
	if next == stay { // not sent: it can be tried again
		next = atWritten
	}
	return next, err
}

// leaveAnswer goes back to where the caller came from: the message, or the choice of the person.
func leaveAnswer(_ context.Context, c *Call) (state, error) {
	if c.after == atHome {
		return atConfirm, nil
	}
	return c.after, nil
}

// writtenIntro reads back what was written.
func writtenIntro(c *Call) []phrase {
	head := say("written", "name", c.called(c.person))
	if c.rec.forward {
		head = say("written.forward", "name", c.called(c.person))
	}
	return append([]phrase{head}, c.readBack()...)
}

// readBack says what is written in the message in hand.
func (c *Call) readBack() []phrase { return c.read(c.rec.text) }

// sendAndKeep sends what was spelled, and makes it one of the user's quick replies.
func sendAndKeep(ctx context.Context, c *Call) (state, error) {
	text := c.rec.text
	next, err := sendRecording(ctx, c)
	if err != nil || next == stay || slices.Contains(c.own, text) {
		return next, err
	}
	return next, c.ask(ctx, func(ctx context.Context, m Messenger) error {
		return m.ChangeState(ctx, wire.State, quickKey, &c.own, func() any {
			if len(c.own) < ownReplies && !slices.Contains(c.own, text) {
				c.own = append([]string{text}, c.own...)
			}
			return c.own
		})
	})
}

func spelled(c *Call) bool   { return c.rec != nil && c.rec.written() && !c.rec.forward }
func keepable(c *Call) bool  { return spelled(c) && len(c.own) < ownReplies }
func forwarded(c *Call) bool { return c.rec != nil && c.rec.forward }
