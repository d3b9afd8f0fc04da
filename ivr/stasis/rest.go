package stasis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// tryTime bounds one request, callTime a request with its repetitions.
	tryTime  = 2 * time.Second
	callTime = 3 * time.Second
	// maxConns stays well under Asterisk's sessionlimit of 100: each connection is a thread there.
	maxConns = 48
	// idleTime is shorter than the 15 s after which Asterisk closes an idle connection.
	idleTime = 10 * time.Second
	// maxReply bounds what is read of an answer; a file is bounded by its reader.
	maxReply = 4 << 20
)

// A statusError is an answer of Asterisk that is not 2xx.
type statusError struct {
	code int
	what string // method and path
	text string // Asterisk's own words
}

func (e *statusError) Error() string {
	return fmt.Sprintf("stasis: %s: %d %s", e.what, e.code, e.text)
}

// status is the HTTP status that err stands for, or 0: the request had no answer.
func status(err error) int {
	var s *statusError
	if errors.As(err, &s) {
		return s.code
	}
	return 0
}

// rest is the client for ARI's commands. Its methods may be called from any goroutine.
type rest struct {
	root           *url.URL
	user, password string
	http           *http.Client
}

func newRest(root *url.URL, user, password string) *rest {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: tryTime, KeepAlive: 15 * time.Second}).DialContext,
		MaxConnsPerHost:     maxConns,
		MaxIdleConnsPerHost: maxConns,
		IdleConnTimeout:     idleTime,
		TLSHandshakeTimeout: tryTime,
		DisableCompression:  true,
	}
	return &rest{root: root, user: user, password: password, http: &http.Client{Transport: transport}}
}

func (r *rest) close() { r.http.CloseIdleConnections() }

// A command is one request.
type command struct {
	method string
	path   []string // segments, not escaped
	query  url.Values
	body   any // written as JSON when not nil
	// once marks a request that does harm when Asterisk carries it out twice: it is repeated only when it cannot have
	// been heard.
	once bool
	// makes marks a request that makes a channel or a bridge, which somebody has to let go of. It is not broken off when its
	// context ends: Asterisk could make the thing a moment after we let go of it.
	makes bool
}

// do sends a command and reads the answer into reply, if reply is not nil. A request that had no answer is repeated
// until callTime is over. The error is a *statusError when Asterisk answered.
func (r *rest) do(ctx context.Context, c command, reply any) error {
	if c.makes && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		err := r.try(ctx, c, reply)
		if err == nil || status(err) != 0 || (c.once && !unheard(err)) {
			return err
		}
		if !sleep(ctx, pause) {
			return err
		}
	}
}

func (r *rest) try(ctx context.Context, c command, reply any) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	body, err := r.send(ctx, c)
	if err != nil {
		return err
	}
	defer body.Close()
	if reply == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(body, maxReply)) // so that the connection is used again
		return err
	}
	if err := json.NewDecoder(io.LimitReader(body, maxReply)).Decode(reply); err != nil {
		return fmt.Errorf("stasis: %s: %w", c, err)
	}
	return nil
}

// send sends a command once. The caller closes the body.
func (r *rest) send(ctx context.Context, c command) (io.ReadCloser, error) {
	req, err := r.request(ctx, c)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("stasis: %s: %w", c, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, &statusError{code: resp.StatusCode, what: c.String(), text: complaint(resp)}
}

func (r *rest) request(ctx context.Context, c command) (*http.Request, error) {
	u := *r.root
	u.RawQuery = c.query.Encode()
	var body io.Reader
	if c.body != nil {
		text, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, join(&u, c.path...).String(), body)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(r.user, r.password)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// join appends segments to u's path, escaped, so that a slash within one stays within it.
func join(u *url.URL, segments ...string) *url.URL {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
	}
	joined := u.JoinPath(escaped...)
	joined.RawQuery = u.RawQuery
	return joined
}

func (c command) String() string { return c.method + " /" + strings.Join(c.path, "/") }

// complaint is Asterisk's own explanation in the answer.
func complaint(resp *http.Response) string {
	var said struct {
		Message string `json:"message"`
	}
	err := json.NewDecoder(io.LimitReader(resp.Body, 4096)).Decode(&said)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return "the user or the password is not that of Asterisk's ari.conf"
	case resp.StatusCode == http.StatusNotFound && err != nil: // ARI says in JSON what it has not
		return "there is no ARI here: its address ends in /ari"
	case err != nil || said.Message == "":
		return http.StatusText(resp.StatusCode)
	}
	return said.Message
}

// unheard tells that a request cannot have reached Asterisk: there was no connection.
func unheard(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// sleep waits for d and tells whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
