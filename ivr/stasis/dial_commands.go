package stasis

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// create makes a channel to an endpoint, in Asterisk's words, that belongs to the application and does not ring yet.
func (r *rest) create(ctx context.Context, app, channel, endpoint, originator string, variables map[string]string) error {
	return r.do(ctx, command{
		method: http.MethodPost, path: []string{"channels", "create"}, once: true, body: map[string]any{"variables": variables},
		query: url.Values{"endpoint": {endpoint}, "app": {app}, "channelId": {channel}, "originator": {originator}},
	}, nil)
}

// originate makes a channel to an endpoint that rings for some time, and comes into the application when it is answered.
func (r *rest) originate(ctx context.Context, app, channel, endpoint, from string, limit time.Duration) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel}, once: true, query: url.Values{
		"endpoint": {endpoint}, "app": {app}, "appArgs": {outArg}, "callerId": {from}, "timeout": {wholeSeconds(limit)},
	}}, nil)
}

// enterTime is how long after create a channel may not be in the application yet.
const enterTime = 3 * time.Second

// ring lets a channel that create made ring, for some time. Asterisk answers create a moment before the channel is in the
// application, and refuses until then.
func (r *rest) ring(ctx context.Context, channel string, limit time.Duration) error {
	dial := command{method: http.MethodPost, path: []string{"channels", channel, "dial"}, once: true, query: url.Values{
		"timeout": {wholeSeconds(limit)},
	}}
	patience, cancel := context.WithTimeout(ctx, enterTime)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause *= 2 {
		err := r.do(ctx, dial, nil)
		if status(err) != http.StatusConflict || !sleep(patience, pause) {
			return err
		}
	}
}

// stopSilence ends what silence began.
func (r *rest) stopSilence(ctx context.Context, channel string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"channels", channel, "silence"}}, nil)
}

// makeBridge makes a bridge that mixes what its channels say, and tells of their keys.
func (r *rest) makeBridge(ctx context.Context, id string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"bridges", id}, query: url.Values{"type": {"mixing,dtmf_events"}}}, nil)
}

func (r *rest) addToBridge(ctx context.Context, bridge, one, other string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"bridges", bridge, "addChannel"}, query: url.Values{
		"channel": {one + "," + other},
	}}, nil)
}

func (r *rest) dropBridge(ctx context.Context, id string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"bridges", id}}, nil)
}
