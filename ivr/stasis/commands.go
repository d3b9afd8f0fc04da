package stasis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/CyCoreSystems/ari/v5"
)

// info asks for Asterisk's version and the like.
func (r *rest) info(ctx context.Context) (ari.AsteriskInfo, error) {
	var info ari.AsteriskInfo
	err := r.do(ctx, command{method: http.MethodGet, path: []string{"asterisk", "info"}}, &info)
	return info, err
}

// filter tells Asterisk which types of events to send.
func (r *rest) filter(ctx context.Context, app string, types []string) error {
	type filter struct {
		Type string `json:"type"`
	}
	body := map[string][]filter{"allowed": {}}
	for _, t := range types {
		body["allowed"] = append(body["allowed"], filter{t})
	}
	return r.do(ctx, command{method: http.MethodPut, path: []string{"applications", app, "eventFilter"}, body: body}, nil)
}

// userEvent has Asterisk send the application an event ChannelUserevent of that name.
func (r *rest) userEvent(ctx context.Context, app, name string) error {
	query := url.Values{"application": {app}}
	return r.do(ctx, command{method: http.MethodPost, path: []string{"events", "user", name}, query: query}, nil)
}

// channels lists the channels that Asterisk holds for the application.
func (r *rest) channels(ctx context.Context, app string) ([]string, error) {
	var data ari.ApplicationData
	err := r.do(ctx, command{method: http.MethodGet, path: []string{"applications", app}}, &data)
	return data.ChannelIDs, err
}

// channel describes one channel; 404 when there is none.
func (r *rest) channel(ctx context.Context, id string) (*channel, error) {
	var data channel
	err := r.do(ctx, command{method: http.MethodGet, path: []string{"channels", id}}, &data)
	return &data, err
}

func (r *rest) answer(ctx context.Context, channel string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "answer"}}, nil)
}

func (r *rest) hangup(ctx context.Context, channel string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"channels", channel}}, nil)
}

// letGo hands the channel back to the dialplan, at a label of the extension that it is in, or, with "", behind the line
// that gave it to us.
func (r *rest) letGo(ctx context.Context, channel, label string) error {
	query := url.Values{}
	if label != "" {
		query.Set("label", label)
	}
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "continue"}, query: query, once: true}, nil)
}

// silence lets Asterisk send packets of silence until the next sound.
func (r *rest) silence(ctx context.Context, channel string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "silence"}}, nil)
}

// play queues files one behind the other, the first from skip on.
func (r *rest) play(ctx context.Context, channel, id string, media []string, skip time.Duration) error {
	body := struct {
		Media  []string `json:"media"`
		Offset int64    `json:"offsetms,omitempty"`
	}{media, skip.Milliseconds()}
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "play", id}, body: body, once: true}, nil)
}

func (r *rest) stopPlay(ctx context.Context, id string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"playbacks", id}}, nil)
}

// recordOptions are those of a recording; the durations are whole seconds there and are rounded up.
type recordOptions struct {
	limit, silence time.Duration
	endKey         string // "none", "#" or "*"
}

func (r *rest) record(ctx context.Context, channel, name string, o recordOptions) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "record"}, once: true, query: url.Values{
		"name":               {name},
		"format":             {"wav"},
		"ifExists":           {"fail"},
		"beep":               {"false"},
		"maxDurationSeconds": {wholeSeconds(o.limit)},
		"maxSilenceSeconds":  {wholeSeconds(o.silence)},
		"terminateOn":        {o.endKey},
	}}, nil)
}

func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func (r *rest) stopRecord(ctx context.Context, name string) error {
	return r.do(ctx, command{method: http.MethodPost, path: []string{"recordings", "live", name, "stop"}}, nil)
}

// recordingRuns tells whether the recording is still being made.
func (r *rest) recordingRuns(ctx context.Context, name string) (bool, error) {
	err := r.do(ctx, command{method: http.MethodGet, path: []string{"recordings", "live", name}}, nil)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// storedNames lists the recordings that have a file, also those that are still being made. Asterisk makes its folder for
// them with the first one, and until then answers 500.
func (r *rest) storedNames(ctx context.Context) (names []string, err error) {
	var list []struct {
		Name string `json:"name"`
	}
	err = r.do(ctx, command{method: http.MethodGet, path: []string{"recordings", "stored"}}, &list)
	if refused := (*statusError)(nil); errors.As(err, &refused) && refused.code == http.StatusInternalServerError {
		return nil, nil
	}
	for _, stored := range list {
		names = append(names, stored.Name)
	}
	return names, err
}

// storedFile writes the file of a finished recording to w, at most limit bytes; 404 when there is none.
func (r *rest) storedFile(ctx context.Context, name string, w io.Writer, limit int64) error {
	body, err := r.send(ctx, command{method: http.MethodGet, path: []string{"recordings", "stored", name, "file"}})
	if err != nil {
		return err
	}
	defer body.Close()
	n, err := io.Copy(w, io.LimitReader(body, limit+1))
	if err == nil && n > limit {
		return fmt.Errorf("stasis: the recording is longer than %d bytes", limit)
	}
	return err
}

func (r *rest) deleteStored(ctx context.Context, name string) error {
	return r.do(ctx, command{method: http.MethodDelete, path: []string{"recordings", "stored", name}}, nil)
}

// variable reads a channel variable, "" when it is not set.
func (r *rest) variable(ctx context.Context, channel, name string) (string, error) {
	var reply struct {
		Value string `json:"value"`
	}
	err := r.do(ctx, command{method: http.MethodGet, path: []string{"channels", channel, "variable"}, query: url.Values{"variable": {name}}}, &reply)
	if status(err) == http.StatusNotFound {
		return "", nil
	}
	return reply.Value, err
}

func (r *rest) setVariable(ctx context.Context, channel, name, value string) error {
	query := url.Values{"variable": {name}, "value": {value}}
	return r.do(ctx, command{method: http.MethodPost, path: []string{"channels", channel, "variable"}, query: query}, nil)
}
