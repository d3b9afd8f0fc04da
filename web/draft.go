package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// drafts lists what was not sent yet, at this door or by telephone, newest first.
func (v *visit) drafts(ctx context.Context) ([]wire.Unsent, error) {
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	return notes.draft.List(), nil
}

// changeDrafts changes them, beside what a telephone call or another page does to them at the same moment.
func (v *visit) changeDrafts(ctx context.Context, change func([]wire.Unsent) []wire.Unsent) error {
	v.noted = nil
	var kept wire.Unsent
	return v.client.ChangeState(ctx, wire.Draft, "", &kept, func() any { return wire.UnsentFact(change(kept.List())) })
}

// drafts shows what was not sent yet.
func drafts(ctx context.Context, v *visit) (*Page, error) { return v.draftsPage(ctx, "") }

func (v *visit) draftsPage(ctx context.Context, notice string) (*Page, error) {
	list, err := v.drafts(ctx)
	if err != nil {
		return nil, err
	}
	people, err := v.byAddress(ctx)
	if err != nil {
		return nil, err
	}
	page := &Page{Title: "Drafts", Self: v.base + "/drafts", Notice: notice, Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}}}
	for i, d := range list {
		name := people[d.To].Name
		if name == "" {
			name = d.To.ID
		}
		page.Items = append(page.Items, Item{Title: fmt.Sprintf("%d: to %s", i+1, name), Note: v.clock(d.Made), Lines: lines(words(d))})
		mark := Field{Kind: Hidden, Name: "draft", Value: d.Key()}
		if d.Text != "" || d.Link.URL != "" {
			page.Forms = append(page.Forms, Form{Action: v.base + "/drafts/send", Submit: fmt.Sprintf("Send %d", i+1), Quiet: true, Fields: []Field{once(), mark}})
		}
		if d.Text != "" {
			page.Forms = append(page.Forms, Form{Action: v.base + "/drafts/drop", Submit: fmt.Sprintf("Drop %d", i+1), Quiet: true, Fields: []Field{once(), mark}})
		}
	}
	if len(list) == 0 {
		page.Text = []string{"There is nothing unsent."}
	}
	if n := wire.LostOf(list); n > 0 {
		page.Text = []string{fmt.Sprintf("There was no room for all: the oldest were dropped (%d).", n)}
	}
	return page, nil
}

// words is what a draft's line says.
func words(d wire.Unsent) string {
	if d.Text != "" {
		return d.Text
	}
	words := fmt.Sprintf("A recording of %.0f s.", d.Seconds)
	if d.Link.URL == "" {
		words += " Call to hear it, to go on with it, or to send it."
	}
	return words
}

// maxDraftText is how many bytes of text the drafts may have together. The presence server keeps 32 KiB of them, in JSON: what
// is left is for the recordings that a telephone has to keep when its caller hangs up.
const maxDraftText = 24 << 10

// textOf is how many bytes the texts of drafts take in JSON.
func textOf(list []wire.Unsent) (size int) {
	for _, d := range list {
		raw, _ := wire.Marshal(d.Text) // a text cannot fail
		size += len(raw)
	}
	return size
}

// keep makes a draft of an answer instead of sending it.
func (v *visit) keep(ctx context.Context, person wire.Contact, text, number string) (*Page, error) {
	if strings.TrimSpace(text) == "" {
		return v.again(ctx, person, text, "There was nothing to keep.")
	}
	made := wire.DraftValue{To: person.Address, Text: text, Made: time.Now().UTC()}
	d := wire.Unsent{DraftValue: made, ID: "web-" + number}
	fits := true
	err := v.changeDrafts(ctx, func(kept []wire.Unsent) []wire.Unsent {
		if fits = true; wire.IndexUnsent(kept, d.ID) >= 0 {
			return kept
		}
		list := append([]wire.Unsent{d}, kept...)
		if fits = textOf(list) <= maxDraftText; !fits {
			return kept
		}
		return list
	})
	if presence.HasCode(err, wire.TooLong) {
		fits, err = false, nil
	}
	switch {
	case err != nil:
		return nil, err
	case !fits:
		return v.again(ctx, person, text, "There is no room for so long a draft. Please send it, or send or drop another one first.")
	}
	return v.done(ctx, person, "Kept as a draft.")
}

// sendDraft sends one of them. A draft's message has an id of its own, so that it is sent once, whatever happens between
// the two steps.
func sendDraft(ctx context.Context, v *visit) (*Page, error) {
	list, i, err := v.findDraft(ctx)
	if err != nil || i < 0 {
		return v.gone(ctx, err)
	}
	d := list[i]
	req := wire.SendRequest{ID: d.Key(), To: d.To, Body: d.Text}
	if d.Link.URL != "" {
		req.Body, req.Attachments = d.Link.URL, []im.Attachment{d.Link}
	}
	if req.Body == "" {
		return nil, errForm
	}
	reply, err := v.client.Send(ctx, req)
	switch {
	case tooFast(err):
		return v.draftsPage(ctx, slowDown)
	case presence.HasCode(err, wire.Limit):
		return v.draftsPage(ctx, "This was sent already.")
	case err != nil:
		return nil, err
	}
	if err := v.removeDraft(ctx, d.Key()); err != nil {
		return nil, err
	}
	return v.draftsPage(ctx, outcome(reply.State))
}

// dropDraft forgets a text. Recordings are dropped by telephone, where they can be heard first.
func dropDraft(ctx context.Context, v *visit) (*Page, error) {
	list, i, err := v.findDraft(ctx)
	if err != nil || i < 0 {
		return v.gone(ctx, err)
	}
	if list[i].Text == "" {
		return nil, errForm
	}
	if err := v.removeDraft(ctx, list[i].Key()); err != nil {
		return nil, err
	}
	return v.draftsPage(ctx, "Dropped.")
}

func (v *visit) removeDraft(ctx context.Context, key string) error {
	return v.changeDrafts(ctx, func(kept []wire.Unsent) []wire.Unsent { return wire.WithoutUnsent(kept, key) })
}

// findDraft finds the draft that a form names; -1 when there is none of that name.
func (v *visit) findDraft(ctx context.Context) ([]wire.Unsent, int, error) {
	list, err := v.drafts(ctx)
	return list, wire.IndexUnsent(list, v.r.PostFormValue("draft")), err
}

// gone is the page after a form about a draft that is not there: the same form came before.
func (v *visit) gone(ctx context.Context, err error) (*Page, error) {
	if err != nil {
		return nil, err
	}
	page, err := v.draftsPage(ctx, "That draft is not there any more: it was sent or dropped.")
	if err == nil && v.r.Method == http.MethodPost {
		page.Status = http.StatusOK
	}
	return page, err
}
