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
		method: http.MethodPost, path: []string{"channels", "create"}, once: true, makes: true, body: map[string]any{"variables": variables},
		query: url.Values{"endpoint": {endpoint}, "app": {app}, "channelId": {channel}, "originator": {originator}},
	}, nil)
}

// originate makes a channel to an endpoint that rings for some time, and comes into the application when it is answered.
func (r *rest) originate(ctx context.Context, app, channel, endpoint, from string, limit time.Duration) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel}, once: true, makes: true, query: url.Values{
		"endpoint": {endpoint}, "app": {app}, "appArgs": {outArg}, "callerId": {from}, "timeout": {wholeSeconds(limit)},
	}}, nil)
}

// enterTime is how long after it was made a channel may not be in the application yet.
const enterTime = 3 * time.Second

// whisper makes a channel of the application whose sounds the caller in another channel hears beside all else.
func (r *rest) whisper(ctx context.Context, app, into, channel string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", into, "snoop", channel}, once: true, makes: true, query: url.Values{
		"whisper": {"out"}, "app": {app},
	}}, nil)
}

// ring lets a channel that create made ring, for some time.
func (r *rest) ring(ctx context.Context, channel string, limit time.Duration) error {
	dial := command{method: http.MethodPost, path: []string{"channels", channel, "dial"}, once: true, query: url.Values{
		"timeout": {wholeSeconds(limit)},
	}}
	return entered(ctx, func() error { return r.do(ctx, dial, nil) })
}

// entered does something with a channel that was just made. Asterisk says that it is made a moment before it is in the
// application, and refuses until then.
func entered(ctx context.Context, do func() error) error {
	patience, cancel := context.WithTimeout(ctx, enterTime)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause *= 2 {
		err := do()
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
	return r.do(ctx, command{method: http.MethodPost, path: []string{"bridges", id}, makes: true, query: url.Values{
		"type": {"mixing,dtmf_events"},
	}}, nil)
}

func (r *rest) addToBridge(ctx context.Context, bridge, one, other string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"bridges", bridge, "addChannel"}, query: url.Values{
		"channel": {one + "," + other},
	}}, nil)
}

// removeFromBridge returns when the channel is out of the bridge.
func (r *rest) removeFromBridge(ctx context.Context, bridge, channel string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"bridges", bridge, "removeChannel"}, query: url.Values{
		"channel": {channel},
	}}, nil)
}

func (r *rest) dropBridge(ctx context.Context, id string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"bridges", id}}, nil)
}
