package web

import (
	"context"
	"slices"
	"strings"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// Bounds of the quick replies.
const (
	quickMax  = 5
	quickSize = 100 // characters
)

// shows are the ways to be there, and what they are called.
var shows = []struct {
	show im.Show
	name string
}{
	{im.Available, "Online"}, {im.Away, "Away"}, {im.Busy, "Busy"}, {im.Invisible, "Invisible"},
}

// you shows what concerns the user: how others see him, his networks, his quick replies.
func you(ctx context.Context, v *visit) (*Page, error) { return v.you(ctx, "") }

func (v *visit) you(ctx context.Context, notice string) (*Page, error) {
	networks, err := v.client.Networks(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := v.seenAs(ctx)
	if err != nil {
		return nil, err
	}
	page := &Page{
		Title: "You", Self: v.base + "/you", Notice: notice,
		Text:  []string{"Your number is " + v.user + "." + seen},
		Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}},
	}
	if v.server.Accounts != nil {
		page.Links = append(page.Links, Link{Text: "Name and PIN", Href: v.base + "/you/account"})
	}
	if v.server.Telephones != nil {
		page.Links = append(page.Links, Link{Text: "Call me when a message comes", Href: v.base + "/you/phone"})
	}
	for _, n := range networks {
		page.Items = append(page.Items, v.network(n))
	}
	quick := Form{
		Title: "Quick replies", Action: v.base + "/you/replies", Submit: "Keep these",
		Fields: []Field{{Kind: Words, Name: "replies", Label: "One in each line, five at most", Value: strings.Join(notes.quick, "\n")}, once()},
	}
	page.Forms = slices.Concat(v.statusForms(), []Form{quick, v.numberForm()}, v.leaveForms())
	return page, nil
}

// seenAs says how others see the user, with a space before it; "" when the presence server is one of before, which cannot
// tell.
func (v *visit) seenAs(ctx context.Context) (string, error) {
	own := wire.StatusRequest{Show: im.Available}
	err := v.client.GetStates(ctx, map[string]any{wire.Status: &own})
	if presence.HasCode(err, wire.Syntax) {
		return "", nil
	}
	if own.Show == im.Invisible {
		return " You are invisible to others.", err
	}
	for _, s := range shows {
		if s.show == own.Show {
			return " Others see you as " + strings.ToLower(s.name) + ".", err
		}
	}
	return "", err
}

// statusForms are the ways to be there, each of one press.
func (v *visit) statusForms() []Form {
	forms := make([]Form, 0, len(shows))
	for _, s := range shows {
		show := Field{Kind: Hidden, Name: "show", Value: string(s.show)}
		forms = append(forms, Form{Action: v.base + "/you/status", Submit: "Be " + strings.ToLower(s.name), Quiet: true, Fields: []Field{show, once()}})
	}
	return forms
}

// status sets how others see the user.
func status(ctx context.Context, v *visit) (*Page, error) {
	show := im.Show(v.r.PostFormValue("show"))
	for _, s := range shows {
		if s.show != show {
			continue
		}
		if err := v.client.Status(ctx, wire.StatusRequest{Show: show}); err != nil {
			return nil, err
		}
		return v.you(ctx, "Your status is set.")
	}
	return nil, errForm
}

// number tells a session number, with which any telephone goes on in this session. The store knows only hashes of them,
// so each time it is another one; the last few hold.
func number(ctx context.Context, v *visit) (*Page, error) {
	c, reply, err := v.server.Dialer.Resume(ctx, wire.ResumeRequest{Session: v.token, Client: client, Number: true, Brief: true})
	if err != nil {
		return nil, err
	}
	if err := c.Close(); err != nil {
		return nil, err
	}
	return v.you(ctx, "Your session number is "+spaced(reply.Code)+". To go on by telephone, call"+v.phone()+", press star, and key it.")
}

// phone is the number to call, with a space before it; "" when nobody configured it.
func (v *visit) phone() string {
	if v.server.Phone == "" {
		return ""
	}
	return " " + v.server.Phone
}

// numberForm asks for a session number.
func (v *visit) numberForm() Form {
	return Form{Action: v.base + "/you/number", Submit: "Session number", Quiet: true, Fields: []Field{once()}}
}

// replies keeps the quick replies, and says what did not become one.
func replies(ctx context.Context, v *visit) (*Page, error) {
	var list []string
	notice := "Kept."
	for line := range strings.Lines(clean(v.r.PostFormValue("replies"))) {
		whole := strings.TrimSpace(line)
		line = cut(whole, quickSize)
		switch {
		case line == "" || slices.Contains(list, line):
			continue
		case len(list) == quickMax:
			notice = "Kept, but only the first five: there is no room for more."
			continue
		case line != whole:
			notice = "Kept, but what was longer than 100 characters was shortened."
		}
		list = append(list, line)
	}
	if err := v.note(ctx, wire.State, quickKey, list); err != nil {
		return nil, err
	}
	return v.you(ctx, notice)
}
