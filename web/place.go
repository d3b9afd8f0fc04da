package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"hark/im"
	"hark/presence/wire"
)

// unfinished adds links to what was left in the middle: a message half heard, and drafts.
func (v *visit) unfinished(ctx context.Context, page *Page) error {
	notes, err := v.notes(ctx)
	if err != nil {
		return err
	}
	if place := notes.place; place.Seq > 0 {
		link, err := v.goOn(ctx, place)
		if err != nil {
			return err
		}
		if link.Href != "" {
			page.Links = append([]Link{link}, page.Links...)
		}
	}
	kept, err := v.drafts(ctx)
	if len(kept) > 0 {
		page.Links = append(page.Links, Link{Text: fmt.Sprintf("Drafts (%d)", len(kept)), Href: v.base + "/drafts"})
	}
	return err
}

// goOn is the link to the message in which the user was; none when it is not there any more.
func (v *visit) goOn(ctx context.Context, place wire.PlaceValue) (Link, error) {
	found, err := v.client.Fetch(ctx, wire.FetchRequest{After: place.Seq - 1, Max: 1})
	if err != nil || len(found.Messages) == 0 || found.Messages[0].Seq != place.Seq {
		return Link{}, err
	}
	people, err := v.byAddress(ctx)
	if err != nil {
		return Link{}, err
	}
	c, known := people[with(found.Messages[0])]
	if !known {
		return Link{}, nil
	}
	return Link{Text: "Go on where you stopped: " + c.Name, Href: v.messageHref(c, place.Seq)}, nil
}

// messageHref is the address of the page that ends with a message.
func (v *visit) messageHref(c wire.Contact, seq int64) string {
	return fmt.Sprint(v.personHref(c), "?at=", seq)
}

// byAddress finds people by their addresses.
func (v *visit) byAddress(ctx context.Context) (map[im.Address]wire.Contact, error) {
	contacts, err := v.contacts(ctx)
	if err != nil {
		return nil, err
	}
	people := make(map[im.Address]wire.Contact, len(contacts))
	for _, c := range contacts {
		people[c.Address] = c
	}
	return people, nil
}

// putPlace notes where the user is in a voice message, so that the telephone goes on there. It is the player's script
// that asks for it; there is nothing to be shown.
func putPlace(ctx context.Context, v *visit) (*Page, error) {
	seq, errSeq := strconv.ParseInt(v.r.PostFormValue("seq"), 10, 64)
	ms, errMS := strconv.ParseInt(v.r.PostFormValue("ms"), 10, 64)
	if v.r.PostFormValue("done") != "" {
		v.w.WriteHeader(http.StatusNoContent)
		return nil, v.note(ctx, wire.Place, "", nil)
	}
	if errSeq != nil || errMS != nil || seq <= 0 || ms < 0 {
		return nil, errForm
	}
	if err := v.note(ctx, wire.Place, "", wire.PlaceValue{Seq: seq, MS: ms}); err != nil {
		return nil, err
	}
	v.w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// hint says how voice messages are heard where they cannot be played.
func (v *visit) hint(page *Page) {
	if v.markup != wml && v.markup != hdml {
		return
	}
	for _, item := range page.Items {
		if len(item.Audio) > 0 {
			page.Text = append(page.Text, "To hear it, call"+v.phone()+" and key the star and your session number.")
			page.Forms = append(page.Forms, v.numberForm())
			return
		}
	}
}
