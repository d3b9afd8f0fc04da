package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hark/im"
	"hark/presence/wire"
)

// people lists everybody.
func people(ctx context.Context, v *visit) (*Page, error) {
	return v.people(ctx, "Everybody", "/people")
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

// findPerson finds the person that the path names by his number.
func (v *visit) findPerson(ctx context.Context) (wire.Contact, error) {
	number, err := strconv.Atoi(v.r.PathValue("person"))
	if err != nil {
		return wire.Contact{}, errPerson
	}
	people, err := v.contacts(ctx)
	if err != nil {
		return wire.Contact{}, err
	}
	for _, c := range people {
		if c.Number == number {
			return c, nil
		}
	}
	return wire.Contact{}, errPerson
}
