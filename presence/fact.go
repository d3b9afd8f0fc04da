package presence

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"hark/presence/wire"
)

const (
	maxFact    = 32 << 10 // bytes of a fact's JSON
	maxFactKey = 64
	maxFacts   = 32 // at once
)

// oneFact makes the handler of a verb that keeps one fact: DRAFT and PLACE.
func oneFact(key string) func(*conn, context.Context, wire.StateRequest) (result, error) {
	return func(c *conn, ctx context.Context, req wire.StateRequest) (result, error) {
		return c.keep(ctx, key, req)
	}
}

// Where facts are in the store: those of DRAFT and PLACE, and what begins those of STATE, apart from what the server keeps
// itself.
const (
	draftFact = "draft"
	placeFact = "place"
	ownFact   = "fact."
)

// fact carries out STATE: one fact per key, or a look at several.
func (c *conn) fact(ctx context.Context, req wire.StateRequest) (result, error) {
	if len(req.Keys) > 0 {
		return c.facts(ctx, req)
	}
	if !validKey(req.Key) {
		return result{}, badKey
	}
	return c.keep(ctx, ownFact+req.Key, req)
}

var badKey = badArgument("a key is 1 to 64 small letters, digits, dots, dashes or underscores")

func validKey(key string) bool {
	return key != "" && len(key) <= maxFactKey && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// facts answers with several facts at once, which together must fit into a frame.
func (c *conn) facts(ctx context.Context, req wire.StateRequest) (result, error) {
	if !req.Get || req.Drop || req.Put != nil || req.Key != "" || len(req.Keys) > maxFacts {
		return result{}, badArgument("several keys, 32 at most, can only be got")
	}
	asked := make(map[string]string, len(req.Keys)) // by the key in the store
	for _, key := range req.Keys {
		stored, ok := storedAs(key)
		if !ok {
			return result{}, badKey
		}
		asked[stored] = key
	}
	found, err := c.server.Sessions.GetStates(ctx, c.session.user, slices.Collect(maps.Keys(asked))...)
	if err != nil {
		return result{}, err
	}
	room, values := fetchBytes, make(map[string]json.RawMessage, len(found))
	for stored, value := range found {
		if room -= len(stored) + len(value); room < 0 {
			return result{}, refuse(wire.TooLong, "", "these facts are too long for one answer")
		}
		values[asked[stored]] = value
	}
	return result{payload: wire.StateReply{Values: values}}, nil
}

// storedAs is the key in the store of one of several facts, among which DRAFT, PLACE and STATUS are by their verbs.
func storedAs(key string) (stored string, ok bool) {
	switch key {
	case wire.Draft:
		return draftFact, true
	case wire.Place:
		return placeFact, true
	case wire.Status:
		return statusKey, true
	}
	return ownFact + key, validKey(key)
}

// keep puts, gets or drops a fact.
func (c *conn) keep(ctx context.Context, key string, req wire.StateRequest) (result, error) {
	store, user := c.server.Sessions, c.session.user
	switch {
	case len(req.Put) > maxFact:
		return result{}, refuse(wire.TooLong, "", "this is too long to be kept")
	case req.Put != nil && !req.Get && !req.Drop:
		return result{}, store.SetState(ctx, user, key, req.Put)
	case req.Drop && !req.Get && req.Put == nil:
		return result{}, store.SetState(ctx, user, key, nil)
	case req.Get && !req.Drop && req.Put == nil:
		value, err := store.GetState(ctx, user, key)
		return result{payload: wire.StateReply{Value: json.RawMessage(value)}}, err
	}
	return result{}, badArgument("one of put, get, drop")
}
