package presence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"hark/presence/wire"
	"hark/sessions"
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
	switch {
	case len(req.Put) > maxFact:
		return result{}, refuse(wire.TooLong, "", "this is too long to be kept")
	case req.Put != nil && !req.Get && !req.Drop, req.Drop && !req.Get && req.Put == nil:
		return result{}, c.setFact(ctx, key, req)
	case req.Get && !req.Drop && req.Put == nil && req.If == "":
		value, err := c.server.Sessions.GetState(ctx, c.session.user, key)
		return result{payload: wire.StateReply{Value: json.RawMessage(value), Tag: tagOf(value)}}, err
	}
	return result{}, badArgument("one of put, get, drop; if only with put or drop")
}

// setFact puts or drops a fact, if need be only the one that the client has seen: doors that change what they read would
// otherwise undo each other's changes.
func (c *conn) setFact(ctx context.Context, key string, req wire.StateRequest) error {
	store, user := c.server.Sessions, c.session.user
	if req.If == "" {
		return store.SetState(ctx, user, key, req.Put)
	}
	old, err := store.GetState(ctx, user, key)
	if err != nil {
		return err
	}
	if tagOf(old) != req.If {
		return sessions.ErrChanged
	}
	return store.SwapState(ctx, user, key, old, req.Put)
}

// tagOf names a value, nil too. It need not be hard to forge: these facts are all the user's own.
func tagOf(value []byte) string {
	if value == nil {
		return "none"
	}
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:8])
}
