package presence

import (
	"context"
	"encoding/json"
	"strings"

	"hark/presence/wire"
)

const (
	maxFact    = 32 << 10 // bytes of a fact's JSON
	maxFactKey = 64
)

// oneFact makes the handler of a verb that keeps one fact: DRAFT and PLACE.
func oneFact(key string) func(*conn, context.Context, wire.StateRequest) (result, error) {
	return func(c *conn, ctx context.Context, req wire.StateRequest) (result, error) {
		return c.keep(ctx, key, req)
	}
}

// fact carries out STATE: one fact per key, apart from what the server keeps itself.
func (c *conn) fact(ctx context.Context, req wire.StateRequest) (result, error) {
	if req.Key == "" || len(req.Key) > maxFactKey ||
		strings.Trim(req.Key, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return result{}, badArgument("a key is 1 to 64 small letters, digits, dots, dashes or underscores")
	}
	return c.keep(ctx, "fact."+req.Key, req)
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
