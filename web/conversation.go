package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"hark/im"
	"hark/presence/wire"
)

// How many messages of a conversation a page shows.
const (
	perPage      = 12
	perSmallPage = 4
)

// conversation shows the messages with one person, and a form to answer.
func conversation(ctx context.Context, v *visit) (*Page, error) {
	if err := v.ask(ctx); err != nil {
		return nil, err
	}
	person, err := v.findPerson(ctx)
	if err != nil {
		return nil, err
	}
	before, err := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	if err != nil || before <= 0 {
		before = math.MaxInt64
	}
	if at, err := strconv.ParseInt(v.r.URL.Query().Get("at"), 10, 64); err == nil && at > 0 && at < math.MaxInt64 {
		before = at + 1 // the page ends with the message where the user stopped
	}
	return v.conversation(ctx, person, before, "")
}

// conversation makes the page of the messages before a number; words stand in the answer already.
func (v *visit) conversation(ctx context.Context, person wire.Contact, before int64, words string) (*Page, error) {
	most := perPage
	if v.markup.small() {
		most = perSmallPage
	}
	found, err := v.client.Fetch(ctx, wire.FetchRequest{With: person.Address, Before: before, Max: most + 1})
	if err != nil {
		return nil, err
	}
	shown := found.Messages[max(0, len(found.Messages)-most):]
	fresh, err := v.counts(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	href, upto := v.personHref(person), int64(0)
	if len(shown) > 0 {
		upto = shown[len(shown)-1].Seq
	}
	page := &Page{
		Title: person.Name, Self: href, Live: v.live(), Chat: true, Items: v.messages(shown, found.Cursor, notes),
		Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}, {Text: "Look again", Href: href}},
	}
	if v.markup.small() { // the decks that follow show the same messages, whatever arrives meanwhile
		page.Self = fmt.Sprint(href, "?before=", upto+1)
	}
	if len(shown) < len(found.Messages) {
		page.Older = Link{Text: "Older messages", Href: fmt.Sprint(href, "?before=", shown[0].Seq)}
	} else if len(shown) == 0 {
		page.Text = []string{"There are no messages here yet."}
	}
	mark := Field{Kind: Hidden, Name: uptoField, Value: fmt.Sprint(upto)}
	if fresh[person.Address] > 0 {
		page.Forms = append(page.Forms, Form{Action: href + "/seen", Submit: "Seen", Quiet: true, Fields: []Field{once(), mark}})
	}
	page.Forms = append(page.Forms, v.answers(href, words, mark, replyChoices(shown, notes.quick))...)
	v.hint(page)
	return page, nil
}

// messages are messages as items, with the day wherever another one begins. The cursor and the notes tell what was seen.
func (v *visit) messages(shown []wire.Message, cursor int64, notes *notes) []Item {
	items, day := make([]Item, 0, len(shown)), ""
	for _, m := range shown {
		item := v.message(m, notes.place, max(cursor, notes.seen[m.From.String()]))
		if d := v.day(m.Sent); d != day && !v.markup.small() {
			item.Day, day = d, d
		}
		items = append(items, item)
	}
	return items
}

// answers are the forms to answer with: one to write in, in which words stand already, and one for each answer of one press.
// mark says up to where the conversation is seen when one of them is sent.
func (v *visit) answers(href, words string, mark Field, choices []im.Choice) []Form {
	forms := []Form{{
		Action: href + "/send", Submit: "Send", Keep: "Keep as a draft", Voice: v.voiceAction(href),
		Fields: []Field{{Kind: Words, Name: "text", Label: "Your answer", Value: words}, once(), mark},
	}}
	for _, choice := range choices {
		text := Field{Kind: Hidden, Name: "text", Value: choice.Body}
		forms = append(forms, Form{Action: href + "/send", Submit: choice.Label, Quiet: true, Fields: []Field{text, once(), mark}})
	}
	return forms
}

// replyChoices lists the answers of one press: those that the last message offers, when it is not answered yet, and the
// user's own quick ones.
func replyChoices(shown []wire.Message, quick []string) []im.Choice {
	var list []im.Choice
	if n := len(shown); n > 0 && !shown[n-1].Outgoing {
		list = slices.Clone(shown[n-1].Offered())
	}
	for _, reply := range quick {
		list = append(list, im.Choice{Label: reply, Body: reply})
	}
	return list
}

// seen marks what the page showed as seen.
func seen(ctx context.Context, v *visit) (*Page, error) {
	person, err := v.findPerson(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.markSeen(ctx, person); err != nil {
		return nil, err
	}
	if v.cookies() {
		http.Redirect(v.w, v.r, "/inbox", http.StatusSeeOther)
		return nil, nil
	}
	return inbox(ctx, v)
}

// markSeen marks a conversation as seen, up to where the page with the form, or with the address for a recording, showed it.
func (v *visit) markSeen(ctx context.Context, person wire.Contact) error {
	upto, err := strconv.ParseInt(v.r.FormValue(uptoField), 10, 64)
	if err != nil || upto <= 0 {
		return nil
	}
	return v.see(ctx, person.Address, upto)
}
