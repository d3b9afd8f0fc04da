package web

import (
	"context"
	"strings"

	"hark/im"
	"hark/presence/wire"
)

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
