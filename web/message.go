package web

import (
	"fmt"
	"math"
	"strings"

	"hark/im"
	"hark/presence/wire"
)

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
