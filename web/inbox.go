package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"hark/im"
	"hark/presence/wire"
)

// recent is how many people the inbox shows the latest message of.
const recent = 100

// inbox lists the people with whom there were messages lately, the unread ones first.
func inbox(ctx context.Context, v *visit) (*Page, error) {
	var last wire.FetchReply
	var troubles []string
	err := v.ask(ctx,
		func(ctx context.Context) (err error) {
			last, err = v.client.Fetch(ctx, wire.FetchRequest{Latest: true, Max: recent})
			return err
		},
		func(ctx context.Context) (err error) { troubles, err = v.troubles(ctx); return err })
	if err != nil {
		return nil, err
	}
	contacts, err := v.contacts(ctx)
	if err != nil {
		return nil, err
	}
	fresh, err := v.counts(ctx)
	if err != nil {
		return nil, err
	}
	latest := make(map[im.Address]wire.Message)
	for _, m := range last.Messages {
		latest[with(m)] = m
	}
	people := slices.DeleteFunc(slices.Clone(contacts), func(c wire.Contact) bool {
		return latest[c.Address].Seq == 0 && fresh[c.Address] == 0
	})
	slices.SortStableFunc(people, func(a, b wire.Contact) int {
		return cmp.Or(
			cmp.Compare(min(1, fresh[b.Address]), min(1, fresh[a.Address])),
			cmp.Compare(latest[b.Address].Seq, latest[a.Address].Seq))
	})
	page := &Page{
		Self: v.base + "/inbox", Live: v.live(), Title: title(fresh), Items: make([]Item, 0, len(people)), Forms: v.leaveForms(),
		Links: []Link{{Text: "Look again", Href: v.base + "/inbox"}, {Text: "New message", Href: v.base + "/new"}, {Text: "Everybody", Href: v.base + "/people"}, {Text: "Search", Href: v.base + "/search"}},
	}
	if err := v.unfinished(ctx, page); err != nil {
		return nil, err
	}
	page.Links = append(page.Links, Link{Text: "You", Href: v.base + "/you"})
	page.Text = troubles
	for _, c := range people {
		item := v.person(c, fresh[c.Address])
		if m := latest[c.Address]; m.Seq != 0 {
			item.Note = v.clock(m.Sent)
			item.Mine = false
			item.Lines = []Line{{{Text: snippet(m)}}}
		}
		page.Items = append(page.Items, item)
	}
	if len(people) == 0 {
		page.Text = append(page.Text, "There are no messages yet.")
	}
	return page, nil
}

func title(unread map[im.Address]int) string {
	total := 0
	for _, n := range unread {
		total += n
	}
	switch total {
	case 0:
		return "No new messages"
	case 1:
		return "One new message"
	}
	return fmt.Sprint(total, " new messages")
}

// people lists everybody.
func people(ctx context.Context, v *visit) (*Page, error) {
	return v.people(ctx, "Everybody", "/people")
}

// newMessage asks for whom a new message is.
func newMessage(ctx context.Context, v *visit) (*Page, error) {
	return v.newMessage(ctx, "", "", "")
}

// newMessage is that page, with what was typed already.
func (v *visit) newMessage(ctx context.Context, notice, number, text string) (*Page, error) {
	page, err := v.people(ctx, "New message to", "/new")
	if err != nil {
		return nil, err
	}
	page.Notice = notice
	page.Forms = append(page.Forms, Form{
		Title: "To a number", Action: v.base + "/new/number", Submit: "Send",
		Fields: []Field{
			{Kind: Digits, Name: "number", Label: "The number of somebody who uses " + v.server.Name, Value: number, Max: longestNumber},
			{Kind: Words, Name: "text", Label: "Your message", Value: text}, once(),
		},
	})
	return page, nil
}

// sendToNumber writes to a user of ours by his number, who need not be on any list. Then he is on this one.
func sendToNumber(ctx context.Context, v *visit) (*Page, error) {
	form, text, err := v.written()
	if err != nil {
		return nil, err
	}
	number := digits(v.r.PostFormValue("number"))
	switch {
	case number == "" || len(number) > longestNumber || strings.Trim(number, "0123456789") != "":
		return v.newMessage(ctx, "This is no number.", number, text)
	case number == v.user:
		return v.newMessage(ctx, "This is your own number.", number, text)
	case strings.TrimSpace(text) == "":
		return v.newMessage(ctx, "There was nothing to send.", number, text)
	}
	to := im.Address{Network: im.Hark, ID: number}
	reply, err := v.client.Send(ctx, wire.SendRequest{ID: "web-" + form, To: to, Body: text})
	if words := notTaken(err); words != "" {
		return v.newMessage(ctx, words, number, clean(text))
	}
	if err != nil {
		return nil, err
	}
	people, err := v.byAddress(ctx)
	if err != nil {
		return nil, err
	}
	person, known := people[to]
	if !known {
		return v.newMessage(ctx, outcome(reply.State), number, text)
	}
	notice := outcome(reply.State)
	if person.Name == number && reply.State != im.Queued {
		notice += " You see the name once you are answered."
	}
	return v.done(ctx, person, notice)
}

// people lists who is on the user's list, whoever is online first; path is where the page is.
func (v *visit) people(ctx context.Context, title, path string) (*Page, error) {
	contacts, err := v.contacts(ctx)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(v.r.URL.Query().Get("name"))
	contacts = slices.DeleteFunc(slices.Clone(contacts), func(c wire.Contact) bool { return !named(c, name) })
	fresh, err := v.counts(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(contacts, func(a, b wire.Contact) int { return cmp.Compare(presenceRank(a), presenceRank(b)) })
	page := &Page{Title: title, Self: v.base + path + "?name=" + url.QueryEscape(name), Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}}}
	for _, c := range contacts {
		page.Items = append(page.Items, v.person(c, fresh[c.Address]))
	}
	switch {
	case len(contacts) > 0:
	case name != "":
		page.Text = []string{"There is nobody of that name."}
	default:
		page.Text = []string{"There is nobody on your list yet."}
	}
	page.Forms = []Form{{
		Title: "Find somebody", Action: v.base + path, Get: true, Submit: "Find",
		Fields: []Field{{Kind: Name, Name: "name", Label: "Name, or a part of it", Value: name, Max: 60}},
	}}
	return page, nil
}

// presenceRank orders people by how soon they may answer.
func presenceRank(c wire.Contact) int {
	switch c.Show {
	case im.Available:
		return 0
	case im.Away, im.Busy:
		return 1
	}
	return 2
}

// person is a line about somebody.
func (v *visit) person(c wire.Contact, unread int) Item {
	note := string(c.Show)
	if c.Show == im.Available {
		note = "online"
	}
	if c.Text != "" {
		note += ", " + c.Text
	}
	return Item{Title: c.Name, Face: face(c.Name), Href: v.personHref(c), Note: note, Count: unread, New: unread > 0}
}

// personHref is the address of a conversation: the person's own short number.
func (v *visit) personHref(c wire.Contact) string {
	return v.base + "/with/" + url.PathEscape(fmt.Sprint(c.Number))
}

// snippet is a message in a few words.
func snippet(m wire.Message) string {
	text := strings.Join(strings.Fields(m.Body), " ")
	if firstSound(m) != nil {
		text = "Voice message"
	}
	if cut := []rune(text); len(cut) > 80 {
		text = string(cut[:79]) + "…"
	}
	if m.Outgoing {
		text = "You: " + text
	}
	return text
}

// with is the other side of a message.
func with(m wire.Message) im.Address {
	if m.Outgoing {
		return m.To
	}
	return m.From
}
