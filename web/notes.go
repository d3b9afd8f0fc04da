package web

import (
	"context"

	"golang.org/x/sync/errgroup"

	"hark/presence/wire"
)

// quickKey is where the session keeps the user's quick replies, a list of texts.
const quickKey = "quick-replies"

// notes are the small facts of the session that pages show.
type notes struct {
	seen  map[string]int64 // by address: up to which message a conversation was seen
	place wire.PlaceValue  // where the user was, at this door or another; zero when nowhere
	draft wire.Unsent      // the newest, on which the older ones hang
	quick []string         // the quick replies
}

// notes reads them, all with one question, once for a visit that changes none.
func (v *visit) notes(ctx context.Context) (*notes, error) {
	if v.noted != nil {
		return v.noted, nil
	}
	var n notes
	err := v.client.GetStates(ctx, map[string]any{
		seenKey: &n.seen, wire.Place: &n.place, wire.Draft: &n.draft, quickKey: &n.quick,
	})
	if err != nil {
		return nil, err
	}
	if n.seen == nil {
		n.seen = make(map[string]int64)
	}
	n.quick = n.quick[:min(len(n.quick), quickMax)]
	v.noted = &n
	return v.noted, nil
}

// note changes one of them, by the verb and key that it has on the wire; nil removes it.
func (v *visit) note(ctx context.Context, verb, key string, value any) error {
	v.noted = nil
	if value == nil {
		return v.client.DropState(ctx, verb, key)
	}
	return v.client.PutState(ctx, verb, key, value)
}

// contacts lists the people of all networks, asked for once a visit. The list is not the caller's to change.
func (v *visit) contacts(ctx context.Context) (_ []wire.Contact, err error) {
	if v.roster == nil {
		v.roster, err = v.client.Roster(ctx)
	}
	return v.roster, err
}

// ask gets the notes and the people, which nearly every page needs, and more, all at once: the way of a question to the
// presence server and back is long, beside the answer. It is called before anything else asks for them.
func (v *visit) ask(ctx context.Context, more ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { _, err := v.contacts(ctx); return err })
	group.Go(func() error { _, err := v.notes(ctx); return err })
	for _, question := range more {
		group.Go(func() error { return question(ctx) })
	}
	return group.Wait()
}
