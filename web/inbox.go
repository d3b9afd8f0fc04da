package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"

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
	fresh, err := v.counts(ctx)
	if err != nil {
		return nil, err
	}
	page := &Page{
		Self: v.base + "/inbox", Live: v.live(), Title: title(fresh), Text: troubles, Forms: v.leaveForms(),
		Links: []Link{{Text: "Look again", Href: v.base + "/inbox"}, {Text: "New message", Href: v.base + "/new"}, {Text: "Everybody", Href: v.base + "/people"}, {Text: "Search", Href: v.base + "/search"}},
	}
	if err := v.unfinished(ctx, page); err != nil {
		return nil, err
	}
	page.Links = append(page.Links, Link{Text: "You", Href: v.base + "/you"})
	if page.Items, err = v.correspondents(ctx, last.Messages, fresh); err != nil {
		return nil, err
	}
	if len(page.Items) == 0 {
		page.Text = append(page.Text, "There are no messages yet.")
	}
	return page, nil
}

// correspondents are the people with whom there were messages, each with the latest one; who has unread ones first, then
// whoever is the latest.
func (v *visit) correspondents(ctx context.Context, last []wire.Message, fresh map[im.Address]int) ([]Item, error) {
	contacts, err := v.contacts(ctx)
	if err != nil {
		return nil, err
	}
	latest := make(map[im.Address]wire.Message)
	for _, m := range last {
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
	items := make([]Item, 0, len(people))
	for _, c := range people {
		item := v.person(c, fresh[c.Address])
		if m := latest[c.Address]; m.Seq != 0 {
			item.Note, item.Lines = v.clock(m.Sent), []Line{{{Text: snippet(m)}}}
		}
		items = append(items, item)
	}
	return items, nil
}

// title tells how many messages are new.
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
