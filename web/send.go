package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
)

// send sends an answer. The same form twice sends one message.
func send(ctx context.Context, v *visit) (*Page, error) {
	person, err := v.findPerson(ctx)
	if err != nil {
		return nil, err
	}
	number, text, err := v.written()
	if err != nil {
		return nil, err
	}
	if v.r.PostFormValue(keepField) != "" {
		return v.keep(ctx, person, clean(text), number)
	}
	if strings.TrimSpace(text) == "" {
		return v.again(ctx, person, text, "There was nothing to send.")
	}
	reply, err := v.client.Send(ctx, wire.SendRequest{ID: "web-" + number, To: person.Address, Body: text})
	if tooFast(err) {
		return v.slowDown(ctx, person, text)
	}
	if words := notTaken(err); words != "" {
		return v.again(ctx, person, clean(text), words)
	}
	if err != nil {
		return nil, err
	}
	if err := v.markSeen(ctx, person); err != nil {
		return nil, err
	}
	return v.done(ctx, person, outcome(reply.State))
}

// written is the one-time number and the text of a form.
func (v *visit) written() (number, text string, err error) {
	number, text = v.r.PostFormValue(onceField), strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n")
	if number == "" || strings.ContainsFunc(number, notAlphanumeric) || len(number) > 64 {
		err = errForm
	}
	return number, text, err
}

// notTaken says why a message was not taken that may be changed and sent again; "" when it was, or for another error.
func notTaken(err error) string {
	switch {
	case tooFast(err):
		return slowDown
	case presence.HasCode(err, wire.Limit):
		return "This form was used already, with another text. If you want to send this text too, send it now."
	case presence.HasCode(err, wire.TooLong):
		return "This is too long for one message."
	case presence.HasCode(err, wire.Syntax):
		return "There were signs in it that cannot be sent. They are taken out."
	}
	return ""
}

// tooFast tells that a message was not taken because too many came before it; it may be sent again as it is.
func tooFast(err error) bool {
	var refusal *presence.Error
	return errors.As(err, &refusal) && refusal.Code == wire.Limit && refusal.Arg != ""
}

// slowDown are the words for it.
const slowDown = "That was very fast, and this one is not sent yet. Wait a second, and send it again."

func outcome(state im.DeliveryState) string {
	switch state {
	case im.Queued:
		return "Kept. It is sent as soon as the network is back."
	case im.Failed:
		return "This message could not be sent."
	}
	return "Sent."
}

// again shows the form once more, with the words that were in it and a new one-time number.
func (v *visit) again(ctx context.Context, person wire.Contact, words, notice string) (*Page, error) {
	page, err := v.conversation(ctx, person, math.MaxInt64, words)
	if err != nil {
		return nil, err
	}
	page.Notice, page.Status = notice, http.StatusConflict
	return page, nil
}

// slowDown shows the form again to who sent more in a short time than people do.
func (v *visit) slowDown(ctx context.Context, person wire.Contact, words string) (*Page, error) {
	page, err := v.again(ctx, person, words, slowDown)
	if err == nil {
		page.Status = http.StatusTooManyRequests
	}
	return page, err
}

// done shows the conversation after something was done there.
func (v *visit) done(ctx context.Context, person wire.Contact, notice string) (*Page, error) {
	page, err := v.conversation(ctx, person, math.MaxInt64, "")
	if err != nil {
		return nil, err
	}
	page.Notice = notice
	return page, nil
}

// clean takes out the control characters that no message may have.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
