package ivr

import (
	"context"

	"hark/im"
	"hark/presence/wire"
	"hark/prompts"
)

// writeNodes choose whom to write to, record, and send.
func writeNodes() []*node {
	return []*node{
		{name: atWho, kind: field, run: who, back: atHome, intro: whoIntro, help: "who.help", next: []state{atConfirm, atWhich, atReader},
			digits: digits{prompt: "who", max: userDigits, hash: true, take: takeWho, empty: lastPerson}},
		{name: atWhich, kind: menu, run: runMenu, back: atWho, help: "which.help", quiet: true, intro: whichIntro, keys: whichKeys()},
		{name: atConfirm, kind: menu, run: runMenu, back: atWho, intro: confirmIntro, help: "who.confirm.help", quiet: true,
			keys: []key{
				{press: "1", label: "who.key.1", to: atRecord, when: emptyHanded},
				{press: "2", label: "who.key.2", do: writeByKeys, to: atQuick, when: emptyHanded},
				{press: "1", label: "who.key.send", to: atReview, when: holdingVoice},
				{press: "1", label: "who.key.text", to: atWritten, when: holdingText},
				{press: "*", label: "who.key.back", to: atWho},
			}},
		{name: atRecord, kind: recording, run: record, quiet: true, next: []state{atReview, atReader, atHome}},
		{name: atReview, kind: menu, run: runMenu, help: "review.help", quiet: true,
			keys: []key{
				{press: "1", label: "review.key.1", do: sendRecording, to: atReader},
				{press: "2", label: "review.key.2", do: hearRecording, to: stay},
				{press: "3", label: "review.key.3", do: recordAgain, to: atRecord},
				{press: "*", label: "review.key.drop", do: dropRecording, to: atReader},
			}, next: []state{atHome, atWho}},
		{name: atDrafts, kind: passing, run: nextDraft, next: []state{atDrafts, atDraft, atHome, atReader}},
		{name: atDraft, kind: menu, run: runMenu, back: atDrafts, intro: draftIntro, help: "draft.help", quiet: true,
			keys: []key{
				{press: "1", label: "draft.key.1", do: sendDraft, to: atDrafts, heard: true},
				{press: "2", label: "draft.key.2", do: hearRecording, to: stay},
				{press: "3", label: "draft.key.3", do: dropDraft, to: atDrafts, heard: true},
				{press: "*", label: "draft.key.later", do: leaveDraft, to: atDrafts},
			}},
	}
}

// startWriting goes to the choice of a person.
func startWriting(_ context.Context, c *Call) (state, error) {
	if forwarded(c) {
		c.drop()
	}
	c.after = atHome
	return atWho, nil
}

// answerByVoice records for whoever wrote the message at hand.
func answerByVoice(ctx context.Context, c *Call) (state, error) {
	c.keepRecording(ctx)
	c.person, c.after = c.last, atReader
	return atRecord, nil
}

// who asks for a person's number. Contacts are fetched first, so that what is said of them is true now.
func who(ctx context.Context, c *Call) (state, error) {
	if err := c.meet(ctx); err != nil {
		return "", err
	}
	if c.last.IsZero() {
		err := c.ask(ctx, func(ctx context.Context, m Messenger) error {
			return m.GetState(ctx, wire.State, lastKey, &c.last)
		})
		if err != nil {
			return "", err
		}
	}
	next, err := runField(ctx, c)
	if next == atHome && forwarded(c) && c.after == atReader { // back to the message that was to be passed on
		c.drop()
		next = atReader
	}
	return next, err
}

// whoIntro offers the last person.
func whoIntro(c *Call) []phrase {
	if c.last.IsZero() {
		return nil
	}
	return []phrase{say("who.last", "name", c.called(c.last))}
}

// lastPerson takes the one the caller dealt with last.
func lastPerson(_ context.Context, c *Call) (state, error) {
	if c.last.IsZero() {
		return help, nil
	}
	c.person = c.last
	return atConfirm, nil
}

// confirmIntro says who was found, and whether that person is there.
func confirmIntro(c *Call) []phrase {
	contact, ok := c.people.byAddress(c.person)
	if !ok && c.person.Network == im.Hark {
		return []phrase{say("who.number", "number", prompts.Digits(c.person.ID))}
	}
	id := "who.offline"
	switch contact.Show {
	case im.Available, im.Away, im.Busy:
		id = "who." + string(contact.Show)
	}
	return []phrase{say(id, "name", c.called(c.person))}
}

func emptyHanded(c *Call) bool  { return c.rec == nil }
func holdingText(c *Call) bool  { return c.rec != nil && c.rec.written() }
func holdingVoice(c *Call) bool { return c.rec != nil && !c.rec.written() }
