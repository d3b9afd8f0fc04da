package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hark/im"
	"hark/presence"
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
	href := v.personHref(person)
	page := &Page{
		Title: person.Name, Live: v.live(), Chat: true,
		Links: []Link{{Text: "Inbox", Href: v.base + "/inbox"}, {Text: "Look again", Href: href}},
	}
	notes, err := v.notes(ctx)
	if err != nil {
		return nil, err
	}
	upto, day := int64(0), ""
	for _, m := range shown {
		item := v.message(m, notes.place, max(found.Cursor, notes.seen[m.From.String()]))
		if d := v.day(m.Sent); d != day && !v.markup.small() {
			item.Day, day = d, d
		}
		page.Items = append(page.Items, item)
		upto = m.Seq
	}
	page.Self = href
	if v.markup.small() { // the decks that follow show the same messages, whatever arrives meanwhile
		page.Self = fmt.Sprint(href, "?before=", upto+1)
	}
	if len(shown) < len(found.Messages) {
		page.Older = Link{Text: "Older messages", Href: fmt.Sprint(href, "?before=", shown[0].Seq)}
	} else if len(shown) == 0 {
		page.Text = []string{"There are no messages here yet."}
	}
	mark := Field{Kind: Hidden, Name: uptoField, Value: fmt.Sprint(upto)}
	page.Forms = []Form{{
		Action: href + "/send", Submit: "Send", Keep: "Keep as a draft", Voice: v.voiceAction(href),
		Fields: []Field{{Kind: Words, Name: "text", Label: "Your answer", Value: words}, once(), mark},
	}}
	for _, reply := range replyChoices(shown, notes.quick) {
		text := Field{Kind: Hidden, Name: "text", Value: reply.Body}
		page.Forms = append(page.Forms, Form{Action: href + "/send", Submit: reply.Label, Quiet: true, Fields: []Field{text, once(), mark}})
	}
	v.hint(page)
	if fresh[person.Address] > 0 {
		seen := Form{Action: href + "/seen", Submit: "Seen", Quiet: true, Fields: []Field{once(), mark}}
		page.Forms = append([]Form{seen}, page.Forms...)
	}
	return page, nil
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

// message is a message as an item. What is incoming and beyond seen is new; place is where the user was.
func (v *visit) message(m wire.Message, place wire.PlaceValue, seen int64) Item {
	item := Item{
		Title: m.Name, Note: v.at(m.Sent), Mine: m.Outgoing,
		New:   !m.Outgoing && m.Seq > seen,
		Lines: lines(m.Body), Audio: v.audio(m),
	}
	if m.Outgoing {
		item.Title = "You"
		item.Note += state(m)
	}
	for i := range item.Audio {
		item.Audio[i].Seq = m.Seq
		if m.Seq == place.Seq && place.MS > 0 {
			item.Audio[i].from(place.MS)
		}
	}
	if a := firstSound(m); a != nil && strings.TrimSpace(m.Body) == a.URL {
		item.Lines = nil // the text is only the link, for those who cannot play it here
	}
	return item
}

// state tells how far a message has come.
func state(m wire.Message) string {
	switch m.State {
	case im.Queued:
		return " – waiting to be sent"
	case im.Failed:
		return " – not sent: " + m.Reason
	case im.Delivered:
		return " – delivered"
	case im.Read:
		return " – read"
	}
	return ""
}

// firstSound is a message's first recording, nil if it has none.
func firstSound(m wire.Message) *im.Attachment {
	for i, a := range m.Attachments {
		if a.IsAudio() {
			return &m.Attachments[i]
		}
	}
	return nil
}

// audio lists a message's attachments. Only recordings on our own audio server are played in the page: a foreign one
// would tell its server who listens.
func (v *visit) audio(m wire.Message) []Audio {
	var all []Audio
	for _, a := range m.Attachments {
		if !isWeb(a.URL) {
			continue
		}
		item := Audio{Title: "Open the file", Type: a.Type, Href: outHref(a.URL)}
		if a.IsAudio() {
			item.Title = "Voice message"
			if a.Seconds > 0 {
				item.Title += fmt.Sprintf(", %d s", int(math.Ceil(a.Seconds)))
			}
		} else if a.Title != "" {
			item.Title = a.Title
		}
		if a.IsAudio() && v.server.isOwn(a.URL) {
			item.URL, item.Href = a.URL, a.URL
		}
		all = append(all, item)
	}
	return all
}

// clock writes a time for somebody who reads it now.
func (v *visit) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	now := time.Now().In(v.server.Zone)
	t = t.In(v.server.Zone)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case now.Sub(t) < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan 2006")
}

// at writes a message's time: under the day where the markup shows days, else with it.
func (v *visit) at(t time.Time) string {
	if t.IsZero() || v.markup.small() {
		return v.clock(t)
	}
	return t.In(v.server.Zone).Format("15:04")
}

// day names the day of a time, as one says it now.
func (v *visit) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	name := func(t time.Time) string { return t.In(v.server.Zone).Format("Monday, 2 January 2006") }
	now := time.Now()
	switch day := name(t); day {
	case name(now):
		return "Today"
	case name(now.AddDate(0, 0, -1)):
		return "Yesterday"
	default:
		return day
	}
}

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
