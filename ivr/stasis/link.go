package stasis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"hark/ivr"
)

const (
	// firstPause and longestPause bound the wait between two attempts to connect; the longest keeps the promise that
	// calls are answered 2 s after Asterisk is back.
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
	// dialTime bounds one attempt.
	dialTime = time.Second
	// firstPing, pingEvery and pingTime find a connection out on which nothing comes any more; pingPoll is how often is
	// looked whether something has come.
	firstPing = 500 * time.Millisecond
	pingEvery = 5 * time.Second
	pingTime  = 3 * time.Second
	pingPoll  = 20 * time.Millisecond
	// maxEvent bounds one event.
	maxEvent = 1 << 20
)

// pingEvent is the name of the event that we send to ourselves.
const pingEvent = "hark-ping"

// errDeaf is about a connection on which no events come.
var errDeaf = errors.New("stasis: no events from Asterisk")

// link is the websocket by which events come.
type link struct {
	up     atomic.Bool
	frames atomic.Uint64 // read so far
}

// keepLink keeps the events coming until ctx ends, which is nil, or somebody else takes the application over.
func (a *App) keepLink(ctx context.Context) error {
	lost := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		began := time.Now()
		err := a.oneLink(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrReplaced) {
			a.log.Error("another process has connected to Asterisk under our name", "app", a.Name)
			return err
		}
		if a.link.up.Swap(false) {
			pause, lost = firstPause, time.Now()
		}
		a.log.Warn("no events from Asterisk", "err", err, "lasted", time.Since(began).Round(time.Millisecond))
		if time.Since(lost) > a.LinkPatience {
			a.calls.endAll(ivr.ErrHangup)
		}
		if !sleep(ctx, jitter(pause)) {
			return nil
		}
	}
}

// jitter is between half of d and d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// oneLink connects once, and reads until the connection ends.
func (a *App) oneLink(ctx context.Context) error {
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	before := a.calls.snapshot()
	defer func() {
		for _, l := range a.calls.snapshot() {
			l.tell(note{kind: linkDown, at: time.Now()})
		}
	}()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.read(ctx, conn) })
	g.Go(func() error { return a.ping(ctx) })
	g.Go(func() error { return a.resync(ctx, before) })
	return g.Wait()
}

func (a *App) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	req, err := a.rest.request(ctx, command{method: http.MethodGet, path: []string{"events"}, query: url.Values{"app": {a.Name}}})
	if err != nil {
		return nil, err
	}
	conn, resp, err := websocket.Dial(ctx, req.URL.String(), &websocket.DialOptions{
		HTTPClient: a.rest.http,
		HTTPHeader: req.Header,
	})
	if resp != nil && resp.StatusCode == http.StatusUnauthorized {
		return nil, &statusError{code: resp.StatusCode, what: "GET /events", text: complaint(resp)}
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxEvent)
	return conn, nil
}

// read hands out events until the connection ends.
func (a *App) read(ctx context.Context, conn *websocket.Conn) error {
	var frame bytes.Buffer // used again for each: nothing of it stays in an event
	for {
		if err := readFrame(ctx, conn, &frame); err != nil {
			return err
		}
		at := time.Now()
		a.link.frames.Add(1)
		e, err := decodeEvent(frame.Bytes())
		switch {
		case err != nil:
			a.log.Warn("an event was dropped", "err", err)
		case e.Type == "ApplicationReplaced" && e.Application == a.Name:
			return ErrReplaced
		default:
			a.dispatch(e, at)
		}
	}
}

// readFrame reads one frame in place of the last one.
func readFrame(ctx context.Context, conn *websocket.Conn, into *bytes.Buffer) error {
	_, r, err := conn.Reader(ctx)
	if err != nil {
		return err
	}
	into.Reset()
	_, err = into.ReadFrom(r)
	return err
}

// ping asks for a sign of life when there was none for a while: an event of our own, which Asterisk sends back. A pong
// of the websocket would not do. An Asterisk that notices the end of a process's connection only after the next one has
// connected under the same name drops that name, and then no event comes on a connection that is in best health; so the
// first question is asked soon, whatever has come. Later a frame of any kind is a sign: a flood of events on a busy machine
// must not look like a dead connection.
func (a *App) ping(ctx context.Context) error {
	seen := a.link.frames.Load()
	for pause := firstPing; sleep(ctx, pause); pause = pingEvery {
		now := a.link.frames.Load()
		if now == seen || pause == firstPing {
			if err := a.echo(ctx, now); err != nil {
				return err
			}
		}
		seen = a.link.frames.Load()
	}
	return ctx.Err()
}

// echo sends an event to ourselves and waits until a frame more than seen has come.
func (a *App) echo(ctx context.Context, seen uint64) error {
	if err := a.rest.userEvent(ctx, a.Name, pingEvent); err != nil {
		return fmt.Errorf("asking for a sign of life: %w", err)
	}
	for deadline := time.Now().Add(pingTime); a.link.frames.Load() == seen; {
		if time.Now().After(deadline) {
			return errDeaf
		}
		if !sleep(ctx, pingPoll) {
			return ctx.Err()
		}
	}
	return nil
}
