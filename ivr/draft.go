package ivr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hark/presence"
	"hark/presence/wire"
)

// mostOffered is how many unsent recordings a caller puts off before the others are left for another call.
const mostOffered = 5

// changeDrafts changes what is kept unsent, beside what the web or another call does to it at the same moment.
func changeDrafts(ctx context.Context, m Messenger, change func([]wire.Unsent) []wire.Unsent) error {
	var kept wire.Unsent
	return m.ChangeState(ctx, wire.Draft, "", &kept, func() any { return wire.UnsentFact(change(kept.List())) })
}

// keepRecording makes a draft of the recording in hand, if there is enough of it. It is used when the caller turns away
// from it, and at the end of a call, when nobody can be told of a failure any more.
func (c *Call) keepRecording(ctx context.Context) bool {
	if c.rec == nil || c.rec.forward || c.rec.kept {
		return false
	}
	defer c.drop()
	if !c.unsent() {
		return false
	}
	if err := c.addDraft(ctx); err != nil {
		c.log.Error("unsent recording lost", "err", err)
		return false
	}
	return true
}

// unsent tells whether there is something in hand that would be a draft: no forwarded message, none that is one already, and
// no recording in which there is nothing.
func (c *Call) unsent() bool {
	switch r := c.rec; {
	case r == nil || r.forward || r.kept:
		return false
	case r.ours:
		return r.length >= c.set.MinRecording && AudibleIn(r.file)
	default:
		return r.text != ""
	}
}

// addDraft keeps the recording in hand and its draft.
func (c *Call) addDraft(ctx context.Context) error {
	d := wire.Unsent{ID: c.rec.id, Link: c.rec.link, Part: c.rec.part, DraftValue: wire.DraftValue{
		To: c.person, Text: strings.TrimSpace(c.rec.text), Audio: c.rec.link.URL, Seconds: c.rec.length.Seconds(), Made: time.Now().UTC(),
	}}
	if d.Audio == "" && d.Text == "" {
		id, err := c.srv.Recordings.PutDraft(ctx, c.rec.file, c.note())
		if err != nil {
			return err
		}
		d.Audio = id
	}
	err := c.joinDrafts(ctx, d)
	if err == nil || !gone(err) {
		return err
	}
	if err := c.reconnect(ctx); err != nil {
		return err
	}
	return c.joinDrafts(ctx, d)
}

// joinDrafts puts a draft before those that are kept by now. Where there is no room for all, the oldest make way, and the
// user is told of it at the next occasion: this one was just made, by a caller who may have hung up.
func (c *Call) joinDrafts(ctx context.Context, d wire.Unsent) error {
	for way := 0; ; way++ {
		var out []wire.Unsent // those that make way
		err := changeDrafts(ctx, c.session.client, func(kept []wire.Unsent) []wire.Unsent {
			kept = wire.WithoutUnsent(kept, d.Key())
			room := max(0, len(kept)-way)
			out = kept[room:]
			d.Lost = len(out) + wire.LostOf(out)
			return append([]wire.Unsent{d}, kept[:room]...)
		})
		if presence.HasCode(err, wire.TooLong) && len(out) == way {
			continue
		}
		if err == nil {
			c.dropDrafts(ctx, out)
		}
		return err
	}
}

// dropDrafts deletes the recordings of drafts that are not kept any more.
func (c *Call) dropDrafts(ctx context.Context, gone []wire.Unsent) {
	for _, d := range gone {
		c.log.Warn("an unsent message had to make room for another")
		if d.Audio != "" && d.Link.URL == "" {
			_ = c.srv.Recordings.DropDraft(ctx, d.Audio)
		}
	}
}

// tellLost tells, once, that drafts had to make room.
func (c *Call) tellLost(ctx context.Context) {
	n := wire.LostOf(c.drafts)
	if n == 0 {
		return
	}
	c.tell(say("draft.lost", "count", n))
	err := changeDrafts(ctx, c.session.client, func(kept []wire.Unsent) []wire.Unsent {
		for i := range kept {
			kept[i].Lost = 0
		}
		return kept
	})
	if err != nil {
		c.log.Warn("the caller will be told twice of lost drafts", "err", err)
	}
}

// keepDraft makes a link of the draft that is offered, and keeps that with the draft, for it can be made only once.
func (c *Call) keepDraft(ctx context.Context) error {
	link, err := c.srv.Recordings.SendDraft(ctx, c.rec.draft, c.note())
	if err != nil {
		return err
	}
	c.rec.link, c.rec.draft = link, ""
	err = changeDrafts(ctx, c.session.client, func(kept []wire.Unsent) []wire.Unsent {
		if i := wire.IndexUnsent(kept, c.rec.id); i >= 0 {
			kept[i].Link, kept[i].Audio = link, link.URL
		}
		return kept
	})
	if err != nil {
		c.log.Warn("draft not brought up to date", "err", err)
	}
	return nil
}

// nextDraft offers the next unsent recording, and goes to the messages when there is none left, or enough were put off.
func nextDraft(ctx context.Context, c *Call) (state, error) {
	c.rec = nil
	if err := c.ask(ctx, c.weedDrafts); err != nil {
		return "", err
	}
	switch {
	case c.draft >= len(c.drafts):
		return c.land(ctx)
	case c.draft >= mostOffered:
		c.tell(say("draft.more", "count", len(c.drafts)-c.draft))
		return c.land(ctx)
	}
	d := c.drafts[c.draft]
	c.person, c.after = d.To, atHome
	c.rec = &take{kept: true, text: d.Text, link: d.Link, id: d.Key(), part: d.Part, length: time.Duration(d.Seconds * float64(time.Second))}
	if d.Text != "" {
		return atDraft, nil
	}
	if d.Link.URL == "" {
		c.rec.draft = d.Audio
	}
	wav, length, err := c.draftFile(ctx, d)
	switch {
	case errors.Is(err, ErrGone):
		c.tell(say("draft.gone"))
		return c.forgetDraft(ctx)
	case err != nil:
		c.log.Warn("unsent recording cannot be played", "err", err)
	case wav != "":
		c.rec.file, c.rec.length = wav, length
	}
	return atDraft, nil
}

// weedDrafts takes out what was sent or dropped at another door since.
func (c *Call) weedDrafts(ctx context.Context, m Messenger) error {
	if c.draft >= len(c.drafts) {
		return nil
	}
	var kept wire.Unsent
	if err := m.GetState(ctx, wire.Draft, "", &kept); err != nil {
		return err
	}
	left := slices.DeleteFunc(c.drafts[c.draft:], func(d wire.Unsent) bool { return wire.IndexUnsent(kept.List(), d.Key()) < 0 })
	c.drafts = c.drafts[:c.draft+len(left)]
	return nil
}

// draftFile finds the sound of a draft.
func (c *Call) draftFile(ctx context.Context, d wire.Unsent) (wav string, length time.Duration, err error) {
	if d.Link.URL == "" {
		return c.srv.Recordings.Draft(ctx, d.Audio)
	}
	wav, length, _, err = c.srv.Recordings.Local(ctx, d.Link.URL)
	return wav, length, err
}

func draftIntro(c *Call) []phrase {
	if c.rec.written() {
		return []phrase{say("draft.text", "name", c.called(c.person))}
	}
	return []phrase{say("draft", "name", c.called(c.person))}
}

// sendDraft sends the recording that is offered.
func sendDraft(ctx context.Context, c *Call) (state, error) {
	sent, err := c.deliver(ctx)
	if err != nil {
		return "", err
	}
	if sent != wasSent {
		return stay, nil
	}
	return c.forgetDraft(ctx)
}

// dropDraft deletes the recording that is offered.
func dropDraft(ctx context.Context, c *Call) (state, error) {
	if c.rec.draft != "" {
		if err := c.srv.Recordings.DropDraft(ctx, c.rec.draft); err != nil {
			c.log.Warn("dropped recording stays in the store", "err", err)
		}
	}
	c.tell(say("record.dropped"))
	return c.forgetDraft(ctx)
}

// forgetDraft removes the draft that is offered.
func (c *Call) forgetDraft(ctx context.Context) (state, error) {
	key := c.drafts[c.draft].Key()
	c.drafts = slices.Delete(c.drafts, c.draft, c.draft+1)
	return atDrafts, c.ask(ctx, func(ctx context.Context, m Messenger) error {
		return changeDrafts(ctx, m, func(kept []wire.Unsent) []wire.Unsent { return wire.WithoutUnsent(kept, key) })
	})
}

// leaveDraft keeps it for another call.
func leaveDraft(_ context.Context, c *Call) (state, error) {
	c.draft++
	return atDrafts, nil
}
