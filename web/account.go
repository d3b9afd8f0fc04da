package web

import (
	"context"
	"errors"
	"strings"

	"hark/accounts"
	"hark/presence/wire"
)

// Accounts changes what users may change of their own accounts; accounts.DB is one.
type Accounts interface {
	// SetName changes what a user is called; accounts.ErrBadName.
	SetName(ctx context.Context, number, name string) error
	// SetPIN changes the PIN; accounts.ErrBadPIN, which says in words what is wrong with it.
	SetPIN(ctx context.Context, number, pin string) error
}

// account shows the forms for name and PIN.
func account(_ context.Context, v *visit) (*Page, error) { return v.account("", v.name) }

// account is that page, with the name as it was typed.
func (v *visit) account(notice, name string) (*Page, error) {
	pin := func(name, label string) Field { return Field{Kind: PIN, Name: name, Label: label, Max: 20} }
	return &Page{
		Title: "Name and PIN", Self: v.base + "/you/account", Notice: notice,
		Links: []Link{{Text: "You", Href: v.base + "/you"}, {Text: "Inbox", Href: v.base + "/inbox"}},
		Forms: []Form{
			{
				Title: "Your name", Action: v.base + "/you/name", Submit: "Change the name",
				Fields: []Field{{Kind: Short, Name: "name", Label: "How others hear and see you", Value: name, Max: 60}, once()},
			},
			{
				Title: "Your PIN", Action: v.base + "/you/pin", Submit: "Change the PIN",
				Fields: []Field{pin("pin", "PIN as it is"), pin("new", "New PIN"), pin("again", "New PIN once more"), once()},
			},
		},
	}, nil
}

// setName changes what the user is called.
func setName(ctx context.Context, v *visit) (*Page, error) {
	name := strings.TrimSpace(v.r.PostFormValue("name"))
	err := v.server.Accounts.SetName(ctx, v.user, name)
	switch {
	case errors.Is(err, accounts.ErrBadName):
		return v.account("A name needs 1 to 60 letters.", cut(clean(name), 100))
	case err != nil:
		return nil, err
	}
	v.name = name
	return v.account("You are called "+name+" now.", name)
}

// answeredKey is where the session keeps what was answered last to a form with a PIN: the same form again gets the same
// answer, and must not count as a wrong PIN once more.
const answeredKey = "web.pin-answered"

// answered is what a form was answered.
type answered struct {
	Form  string `json:"form"` // its one-time number
	Words string `json:"words"`
}

// setPIN changes the PIN. It asks for the one that holds: an open page proves nothing about who sits before it.
func setPIN(ctx context.Context, v *visit) (*Page, error) {
	form, pin := v.r.PostFormValue(onceField), digits(v.r.PostFormValue("new"))
	var last answered
	if err := v.client.GetState(ctx, wire.State, answeredKey, &last); err != nil {
		return nil, err
	}
	switch {
	case form == "":
		return nil, errForm
	case form == last.Form:
		return v.account(last.Words, v.name)
	case pin != digits(v.r.PostFormValue("again")):
		return v.account("The new PIN was not the same twice. The old one holds.", v.name)
	}
	words, err := v.changePIN(ctx, digits(v.r.PostFormValue("pin")), pin)
	if err == nil {
		err = v.client.PutState(ctx, wire.State, answeredKey, answered{form, words})
	}
	if err != nil {
		return nil, err
	}
	return v.account(words, v.name)
}

// changePIN changes the PIN when the old one is right, and tells how that went.
func (v *visit) changePIN(ctx context.Context, old, pin string) (words string, err error) {
	_, err = v.server.Auth.Authenticate(ctx, accounts.Credentials{User: v.user, PIN: old, Caller: address(v.r), Door: client})
	if err == nil {
		err = v.server.Accounts.SetPIN(ctx, v.user, pin)
	}
	switch {
	case errors.Is(err, accounts.ErrRefused):
		return "I cannot check the PIN as it is. Nothing was changed.", nil
	case errors.Is(err, accounts.ErrBadPIN):
		return "This PIN cannot be taken: " + reason(err) + ". The old one holds.", nil
	case err != nil:
		return "", err
	}
	return "The new PIN holds from now on, here and by telephone.", nil
}

// reason is what stands behind the words of accounts.ErrBadPIN.
func reason(err error) string {
	_, why, found := strings.Cut(err.Error(), accounts.ErrBadPIN.Error()+": ")
	if !found {
		return "it is too easy to guess"
	}
	return why
}
