package ivr

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"hark/im"
	"hark/presence/wire"
)

// maxDrafts is how many unsent recordings a user may have.
const maxDrafts = 5

// A draft is a recording that was left unsent, as the presence server keeps it. Older ones hang on the newest, which
// alone other doors need to understand.
type draft struct {
	wire.DraftValue               // Audio is the id of the draft in Recordings
	ID              string        `json:"id,omitempty"`  // of the message that it will be
	Link            im.Attachment `json:"link,omitzero"` // when it has one already; Audio is then its URL
	Part            bool          `json:"part,omitempty"`
	Older           []draft       `json:"older,omitempty"`
}

// flat lists a draft and the older ones, newest first; none when it is empty.
func (d draft) flat() []draft {
	if d.Audio == "" && d.Text == "" {
		return nil
	}
	list := []draft{d}
	list = append(list, d.Older...)
	list[0].Older = nil
	return list
}

// saveDrafts writes the drafts to the presence server.
func (c *Call) saveDrafts(ctx context.Context, m Messenger) error {
	if len(c.drafts) == 0 {
		return m.DropState(ctx, wire.Draft, "")
	}
	newest := c.drafts[0]
	newest.Older = c.drafts[1:]
	return m.PutState(ctx, wire.Draft, "", newest)
}

// keepRecording makes a draft of the recording in hand, if there is enough of it. It is used when the caller turns away
// from it, and at the end of a call, when nobody can be told of a failure any more.
func (c *Call) keepRecording(ctx context.Context) bool {
	if c.rec == nil || c.rec.forward || c.rec.kept || !c.rec.ours && c.rec.text == "" {
		return false
	}
	defer c.drop()
	if c.rec.ours && (c.rec.length < c.set.MinRecording || !AudibleIn(c.rec.file)) {
		return false
	}
	if err := c.addDraft(ctx); err != nil {
		c.log.Error("unsent recording lost", "err", err)
		return false
	}
	return true
}

// addDraft keeps the recording in hand and its draft.
func (c *Call) addDraft(ctx context.Context) error {
	d := draft{ID: c.rec.id, Link: c.rec.link, Part: c.rec.part, DraftValue: wire.DraftValue{
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

// joinDrafts puts a draft before those that are kept by now: another call, or the web, may have left one meanwhile.
func (c *Call) joinDrafts(ctx context.Context, d draft) error {
	var kept draft
	if err := c.session.client.GetState(ctx, wire.Draft, "", &kept); err != nil {
		return err
	}
	c.drafts = append([]draft{d}, slices.DeleteFunc(kept.flat(), func(old draft) bool { return old.ID != "" && old.ID == d.ID })...)
	for _, old := range c.drafts[min(maxDrafts, len(c.drafts)):] {
		if old.Audio == "" {
			continue
		}
		_ = c.srv.Recordings.DropDraft(ctx, old.Audio)
	}
	c.drafts = c.drafts[:min(maxDrafts, len(c.drafts))]
	return c.saveDrafts(ctx, c.session.client)
}

// keepDraft makes a link of the draft that is offered, and keeps that with the draft, for it can be made only once.
func (c *Call) keepDraft(ctx context.Context) error {
	link, err := c.srv.Recordings.SendDraft(ctx, c.rec.draft, c.note())
	if err != nil {
		return err
	}
	c.rec.link, c.rec.draft = link, ""
	d := &c.drafts[c.draft]
	d.Link, d.Audio = link, link.URL
	if err := c.saveDrafts(ctx, c.session.client); err != nil {
		c.log.Warn("draft not brought up to date", "err", err)
	}
	return nil
}

// nextDraft offers the next unsent recording, and goes to the messages when there is none left.
func nextDraft(ctx context.Context, c *Call) (state, error) {
	c.rec = nil
	if c.draft >= len(c.drafts) {
		return c.land(ctx)
	}
	d := c.drafts[c.draft]
	c.person, c.after = d.To, atHome
	c.rec = &take{kept: true, text: d.Text, link: d.Link, id: d.ID, part: d.Part, length: time.Duration(d.Seconds * float64(time.Second))}
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

// draftFile finds the sound of a draft.
func (c *Call) draftFile(ctx context.Context, d draft) (wav string, length time.Duration, err error) {
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
	c.drafts = append(c.drafts[:c.draft:c.draft], c.drafts[c.draft+1:]...)
	return atDrafts, c.ask(ctx, c.saveDrafts)
}

// leaveDraft keeps it for another call.
func leaveDraft(_ context.Context, c *Call) (state, error) {
	c.draft++
	return atDrafts, nil
}
