package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// A draft is what was not sent yet, at this door or by telephone. Older ones hang on the newest, as the telephone keeps
// them; what it notes beside is kept as it is.
type draft struct {
	wire.DraftValue
	ID    string        `json:"id,omitempty"`  // of the message that it will be
	Link  im.Attachment `json:"link,omitzero"` // of a recording that has one already
	Part  bool          `json:"part,omitempty"`
	Older []draft       `json:"older,omitempty"`
}

// key names a draft within a form.
func (d draft) key() string { return fmt.Sprint(d.Made.UnixNano()) }

// drafts lists them, newest first.
func (v *visit) drafts(ctx context.Context) ([]draft, error) {
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	newest := notes.draft
	if newest.Audio == "" && newest.Text == "" {
		return nil, nil
	}
	list := append([]draft{newest}, newest.Older...)
	list[0].Older = nil
	return list, nil
}

// putDrafts keeps them.
func (v *visit) putDrafts(ctx context.Context, list []draft) error {
	if len(list) == 0 {
		return v.note(ctx, wire.Draft, "", nil)
	}
	newest := list[0]
	newest.Older = list[1:]
	return v.note(ctx, wire.Draft, "", newest)
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
		page.Items = append(page.Items, Item{Title: fmt.Sprintf("%d: to %s", i+1, name), Note: v.clock(d.Made), Lines: lines(d.words())})
		mark := Field{Kind: Hidden, Name: "draft", Value: d.key()}
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
	return page, nil
}

// words is what a draft's line says.
func (d draft) words() string {
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
func textOf(list []draft) (size int) {
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
	list, err := v.drafts(ctx)
	if err != nil {
		return nil, err
	}
	id := "web-" + number
	if !slices.ContainsFunc(list, func(d draft) bool { return d.ID == id }) {
		made := wire.DraftValue{To: person.Address, Text: text, Made: time.Now().UTC()}
		list = append([]draft{{DraftValue: made, ID: id}}, list...)
		if textOf(list) > maxDraftText {
			return v.again(ctx, person, text, "There is no room for so long a draft. Please send it, or send or drop another one first.")
		}
		if err := v.putDrafts(ctx, list); err != nil {
			return nil, err
		}
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
	req := wire.SendRequest{ID: d.ID, To: d.To, Body: d.Text}
	if req.ID == "" {
		req.ID = "draft-" + d.key()
	}
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
	if err := v.putDrafts(ctx, slices.Delete(list, i, i+1)); err != nil {
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
	if err := v.putDrafts(ctx, slices.Delete(list, i, i+1)); err != nil {
		return nil, err
	}
	return v.draftsPage(ctx, "Dropped.")
}

// findDraft finds the draft that a form names; -1 when there is none of that name.
func (v *visit) findDraft(ctx context.Context) ([]draft, int, error) {
	list, err := v.drafts(ctx)
	key := v.r.PostFormValue("draft")
	return list, slices.IndexFunc(list, func(d draft) bool { return d.key() == key }), err
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
