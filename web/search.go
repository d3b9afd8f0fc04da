package web

import (
	"context"
	"math"
	"net/url"
	"strings"

	"hark/presence/wire"
)

// searchMax is how many messages a search shows.
const searchMax = 20

// search looks for words in all messages.
func search(ctx context.Context, v *visit) (*Page, error) {
	words := strings.TrimSpace(v.r.URL.Query().Get("words"))
	page := &Page{
		Title: "Search", Self: v.base + "/search?words=" + url.QueryEscape(words),
		Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}},
		Forms: []Form{{
			Action: v.base + "/search", Get: true, Submit: "Search",
			Fields: []Field{{Kind: Short, Name: "words", Label: "Words in a message", Value: words, Max: 100}},
		}},
	}
	if words == "" {
		return page, nil
	}
	found, err := v.client.Fetch(ctx, wire.FetchRequest{Search: words, Max: searchMax, Before: math.MaxInt64})
	if err != nil {
		return nil, err
	}
	if len(found.Messages) == searchMax {
		page.Text = []string{"These are the newest."}
	}
	return page, v.found(ctx, page, found.Messages)
}

// found lists messages, newest first; each leads to its place in the conversation.
func (v *visit) found(ctx context.Context, page *Page, messages []wire.Message) error {
	people, err := v.byAddress(ctx)
	if err != nil {
		return err
	}
	for i := len(messages) - 1; i >= 0; i-- {
		m := messages[i]
		c, known := people[with(m)]
		if !known {
			continue
		}
		page.Items = append(page.Items, Item{
			Title: c.Name, Face: face(c.Name), Note: v.clock(m.Sent), Href: v.messageHref(c, m.Seq), Lines: []Line{{{Text: snippet(m)}}},
		})
	}
	if len(page.Items) == 0 {
		page.Text = []string{"Nothing was found."}
	}
	return nil
}
