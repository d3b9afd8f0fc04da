package web

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"hark/accounts"
	"hark/presence/wire"
)

// Telephones keeps at which telephone users want to be called when a message comes. The rules are those of the dialogue on
// the telephone: a number is called once, and who keys the user's PIN there has proven it.
type Telephones interface {
	// Phone returns a user's telephone; accounts.ErrNotFound when he named none.
	Phone(ctx context.Context, user string) (accounts.Phone, error)
	// SetPhone keeps Ring, the hours of rest and Daily of it.
	SetPhone(ctx context.Context, user string, p accounts.Phone) error
	// TestPhone has a number called soon, once, so that the user can prove it. ErrNoWay, accounts.ErrTooOften.
	TestPhone(ctx context.Context, user, number string) error
}

// ErrNoWay is what Telephones return for a number that may not be called.
var ErrNoWay = errors.New("web: this number is not called")

const (
	longestNumber = 20 // digits of a telephone number
	mostDaily     = 20 // calls a day that a user can wish for
)

// phone shows whether the user is called when a message comes, and where.
func phone(ctx context.Context, v *visit) (*Page, error) { return v.callMe(ctx, "") }

func (v *visit) callMe(ctx context.Context, notice string) (*Page, error) {
	p, err := v.telephone(ctx)
	if err != nil {
		return nil, err
	}
	page := &Page{
		Title: "Call me", Self: v.base + "/you/phone", Notice: notice, Text: callMeText(p),
		Links: []Link{{Text: "You", Href: v.base + "/you"}, {Text: "Inbox", Href: v.base + "/inbox"}},
	}
	if p.Proven {
		turn, says := "on", "Call me"
		if p.Ring {
			turn, says = "off", "Do not call me"
		}
		page.Forms = append(page.Forms, Form{
			Action: v.base + "/you/phone/switch", Submit: says, Quiet: true, Fields: []Field{{Kind: Hidden, Name: "turn", Value: turn}, once()},
		})
	}
	page.Forms = append(page.Forms, Form{
		Title: "Your telephone", Action: v.base + "/you/phone/number", Submit: "Call it, to prove it",
		Fields: []Field{{Kind: Digits, Name: "number", Label: "Its number", Value: p.Number, Max: longestNumber}, once()},
	})
	if p.Number != "" {
		page.Forms = append(page.Forms, v.restForm(p))
	}
	return page, nil
}

// callMeText tells what is set.
func callMeText(p accounts.Phone) []string {
	switch {
	case p.Number == "":
		return []string{"You are not called yet when a message comes. Nothing is ever told in such a call before the PIN is keyed."}
	case !p.Proven && p.Test:
		return []string{"In a moment " + p.Number + " is called, once. Key your PIN there, so that it is known to be yours."}
	case !p.Proven:
		return []string{"Nobody has keyed your PIN at " + p.Number + " yet. It is not called until you have it called once more, and key it."}
	case !p.Ring:
		return []string{"You are not called at " + p.Number + " now."}
	}
	text := fmt.Sprintf("You are called at %s when a message comes, %d times a day at most", p.Number, p.Daily)
	if p.QuietFrom != p.QuietTo {
		text += fmt.Sprintf(", and not from %d to %d o'clock", p.QuietFrom, p.QuietTo)
	}
	return []string{text + "."}
}

// restForm asks for the hours of rest and the most calls a day.
func (v *visit) restForm(p accounts.Phone) Form {
	from, to := "", ""
	if p.QuietFrom != p.QuietTo {
		from, to = strconv.Itoa(p.QuietFrom), strconv.Itoa(p.QuietTo)
	}
	hour := func(name, label, value string) Field {
		return Field{Kind: Digits, Name: name, Label: label, Value: value, Max: 2}
	}
	return Form{
		Title: "When not to call", Action: v.base + "/you/phone/rest", Submit: "Keep this",
		Fields: []Field{
			hour("from", "Not from this hour on (0 to 23; empty for no rest)", from), hour("to", "Until this hour", to),
			hour("daily", "Most calls a day", strconv.Itoa(p.Daily)), once(),
		},
	}
}

// telephone is the user's; the zero one when he named none.
func (v *visit) telephone(ctx context.Context) (accounts.Phone, error) {
	p, err := v.server.Telephones.Phone(ctx, v.user)
	if errors.Is(err, accounts.ErrNotFound) {
		return accounts.Phone{}, nil
	}
	return p, err
}

// testedKey is where the session keeps the one-time number of the form that had a telephone called last: the same form
// again must not make it ring again.
const testedKey = "web.phone-tested"

// phoneNumber has a telephone called, where the PIN proves it.
func phoneNumber(ctx context.Context, v *visit) (*Page, error) {
	const soon = "It is called in a moment. Key your PIN there."
	number, form, last := digits(v.r.PostFormValue("number")), v.r.PostFormValue(onceField), ""
	if err := v.client.GetState(ctx, wire.State, testedKey, &last); err != nil {
		return nil, err
	}
	if form != "" && form == last {
		return v.callMe(ctx, soon)
	}
	if number == "" || len(number) > longestNumber {
		return v.callMe(ctx, "This is no telephone number.")
	}
	err := v.server.Telephones.TestPhone(ctx, v.user, number)
	switch {
	case errors.Is(err, ErrNoWay):
		return v.callMe(ctx, "This number cannot be called.")
	case errors.Is(err, accounts.ErrTooOften):
		return v.callMe(ctx, "It was called often today. Please try again tomorrow.")
	case err != nil:
		return nil, err
	}
	if err := v.client.PutState(ctx, wire.State, testedKey, form); err != nil {
		return nil, err
	}
	return v.callMe(ctx, soon)
}

// phoneSwitch has a proven telephone called, or not.
func phoneSwitch(ctx context.Context, v *visit) (*Page, error) {
	p, err := v.telephone(ctx)
	if err != nil {
		return nil, err
	}
	turn := v.r.PostFormValue("turn")
	if !p.Proven || turn != "on" && turn != "off" {
		return nil, errForm
	}
	p.Ring = turn == "on"
	return v.keepPhone(ctx, p)
}

// phoneRest keeps the hours of rest and the most calls a day.
func phoneRest(ctx context.Context, v *visit) (*Page, error) {
	p, err := v.telephone(ctx)
	if err != nil {
		return nil, err
	}
	if p.Number == "" {
		return nil, errForm
	}
	from, to := v.r.PostFormValue("from"), v.r.PostFormValue("to")
	if from == "" && to == "" {
		from, to = "0", "0"
	}
	var ok bool
	if p.QuietFrom, ok = within(from, 0, 23); !ok {
		return v.callMe(ctx, "There is no such hour.")
	}
	if p.QuietTo, ok = within(to, 0, 23); !ok {
		return v.callMe(ctx, "There is no such hour.")
	}
	if p.Daily, ok = within(v.r.PostFormValue("daily"), 1, mostDaily); !ok {
		return v.callMe(ctx, fmt.Sprintf("Please choose a number from 1 to %d.", mostDaily))
	}
	return v.keepPhone(ctx, p)
}

// keepPhone keeps other settings.
func (v *visit) keepPhone(ctx context.Context, p accounts.Phone) (*Page, error) {
	if err := v.server.Telephones.SetPhone(ctx, v.user, p); err != nil {
		return nil, err
	}
	return v.callMe(ctx, "Kept.")
}

// within reads a number between two others.
func within(text string, least, most int) (int, bool) {
	n, err := strconv.Atoi(digits(text))
	return n, err == nil && least <= n && n <= most
}
