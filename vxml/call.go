package vxml

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"hark/ivr"
	"hark/vxml/ecma"
)

// A call is what all execution contexts of one call share. One goroutine runs it.
type call struct {
	*Interpreter
	line    ivr.Line
	log     *slog.Logger
	live    context.Context // ends with the call
	late    context.Context // of the time after the hang-up
	gone    bool            // the caller, or we, hung up
	jar     http.CookieJar
	vm      *ecma.VM
	session *ecma.Scope
	objects CallObjects
	queue   []utterance
	timeout string // of the last prompt, "" when it names none
	steps   int
	files   []string // recordings, to be removed
	nested  int
	cleanup []func()
}

// ctx is the context of whatever is done now: the call's, or after the hang-up one that lasts a little longer.
func (c *call) ctx() context.Context {
	if c.gone {
		return c.late
	}
	return c.live
}

// hungUp notes that there is nobody on the line any more.
func (c *call) hungUp() {
	if c.gone {
		return
	}
	c.gone = true
	c.queue = nil
	late, cancel := context.WithTimeout(context.WithoutCancel(c.live), c.Limits.After)
	c.late = late
	c.cleanup = append(c.cleanup, cancel)
}

// close lets go of what the call held.
func (c *call) close() {
	if c.objects != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.live), c.Limits.After)
		defer cancel()
		c.objects.Close(ctx)
	}
	for _, f := range c.files {
		_ = os.Remove(f)
	}
	for _, f := range c.cleanup {
		f()
	}
}

// newSession makes the variables session.*.
func (c *call) newSession() *ecma.Scope {
	s := c.vm.NewScope(nil)
	connection := c.vm.Object(
		"local", c.vm.Object("uri", tel(c.line.Called())),
		"remote", c.vm.Object("uri", tel(c.line.Caller())),
		"protocol", c.vm.Object("name", "hark", "version", "1"),
		"originator", nil, "redirect", []any{}, "aai", nil)
	c.vm.SetProperty(connection, "originator", c.vm.Property(connection, "remote"))
	s.Declare("connection", connection)
	s.Declare("id", c.vm.Value(c.line.ID()))
	s.Declare("telephone", c.vm.Object("ani", c.line.Caller(), "dnis", c.line.Called()))
	s.Alias("session")
	c.vm.Freeze(connection)
	s.Fix()
	return s
}

// tel is a number as a URI; undefined when there is none.
func tel(number string) any {
	if number == "" {
		return nil
	}
	return "tel:" + url.PathEscape(number)
}

// errSteps means that a document goes round in circles.
var errSteps = errors.New("vxml: the document does too much without listening to the caller")

// step counts what a document does between two keys.
func (c *call) step() error {
	if c.steps++; c.steps > c.Limits.Steps {
		return &fatal{errSteps}
	}
	if ctx := c.ctx(); ctx.Err() != nil {
		return c.ended(context.Cause(ctx))
	}
	return nil
}

// aWhile is how long a turn takes in which somebody could have done something.
const aWhile = 200 * time.Millisecond

// listened begins the counting of steps anew after a turn that began at a time, if the caller did something or could have.
func (c *call) listened(began time.Time, did bool) {
	if did || time.Since(began) >= aWhile {
		c.steps = 0
	}
}

// ended makes of an error of the line what the document sees: the caller's hang-up is an event.
func (c *call) ended(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ivr.ErrHangup) && !c.gone:
		c.hungUp()
		return &Event{Name: evHangup, cause: err}
	case errors.Is(err, ivr.ErrLine):
		return &Event{Name: evNoResource, Message: "the line failed", cause: err}
	}
	return &fatal{err}
}

// watch tells the author of a document.
func (c *call) watch(n Note) {
	if c.Watch != nil {
		c.Watch(n)
	}
}

// disconnect hangs up; the document may still do something. Where nobody is on the line any more it is the end: a handler of
// the hang-up that disconnects would handle its own event for ever.
func (c *call) disconnect() error {
	if c.gone {
		return &exit{}
	}
	if err := c.playQueue(); err != nil {
		return err
	}
	if err := c.line.Hangup(c.live); err != nil && c.live.Err() == nil {
		c.log.Warn("cannot hang up", "call", c.line.ID(), "err", err)
	}
	c.hungUp()
	return &Event{Name: evHangup}
}

// finish plays what is left, hangs up and returns what the call ended with.
func (c *call) finish(ctx context.Context, err error) error {
	var left *uncaught
	var stop *fatal
	wrong := errors.As(err, &left) && !covers("connection.disconnect", left.event.Name) && left.event.Name != "exit"
	wrong = errors.As(err, &stop) && !errors.Is(stop, ivr.ErrHangup) || wrong
	if !c.gone {
		if wrong && ctx.Err() == nil {
			c.add([]utterance{{text: c.Apology, lang: c.Language, barge: noKey}})
		}
		if perr := c.playQueue(); perr != nil && !wrong {
			c.log.Debug("the end was not heard", "call", c.line.ID(), "err", perr)
		}
	}
	if !c.gone {
		_ = c.line.Hangup(context.WithoutCancel(ctx))
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ivr.ErrHangup) {
		return cause
	}
	if wrong {
		c.log.Warn("a VoiceXML call ended by an error", "call", c.line.ID(), "err", err)
		return err
	}
	return nil
}

// fragment is what stands behind # in a URL.
func fragment(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return u.Fragment
}

// seconds reads a time property; a bad one is the default.
func seconds(s string, or time.Duration) time.Duration {
	if d, err := duration(s); err == nil {
		return d
	}
	return or
}
