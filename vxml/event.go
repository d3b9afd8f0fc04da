package vxml

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/srgs"
	"hark/vxml/xmltree"
)

// An Event is what a document can throw and catch. An Objects may return one as its error.
type Event struct {
	Name    string // "noinput", "error.badfetch.http.404"
	Message string // "" is none
	cause   error
}

func (e *Event) Error() string {
	if e.Message == "" {
		return "event " + e.Name
	}
	return "event " + e.Name + ": " + e.Message
}

// Unwrap returns the error behind the event, if any.
func (e *Event) Unwrap() error { return e.cause }

// Names of events.
const (
	evNoInput    = "noinput"
	evNoMatch    = "nomatch"
	evHangup     = "connection.disconnect.hangup"
	evTransfer   = "connection.disconnect.transfer"
	evSemantic   = "error.semantic"
	evBadFetch   = "error.badfetch"
	evNoAuth     = "error.noauthorization"
	evNoResource = "error.noresource"
	evFormat     = "error.unsupported.format"
	evLanguage   = "error.unsupported.language"
	evBuiltin    = "error.unsupported.builtin"
	evObject     = "error.unsupported.objectname"
)

func throw(name, format string, args ...any) *Event {
	return &Event{Name: name, Message: fmt.Sprintf(format, args...)}
}

// semantic is the event of a mistake at run time.
func semantic(err error) error {
	if errors.Is(err, ecma.ErrBudget) {
		return &fatal{err}
	}
	return &Event{Name: evSemantic, Message: err.Error(), cause: err}
}

// badFetch is the event of something that cannot be had. The end of the call passes through.
func badFetch(ctx context.Context, err error) error {
	var event *Event
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.As(err, &event) {
		return event
	}
	e := &Event{Name: evBadFetch, Message: err.Error(), cause: err}
	var status *fetch.StatusError
	var syntax *xmltree.SyntaxError
	switch {
	case errors.As(err, &status):
		e.Name = fmt.Sprintf("%s.http.%d", evBadFetch, status.Code)
	case errors.Is(err, fetch.ErrForbidden):
		e.Message = "not an allowed address: neither in the page's folder nor below a base of vxml.allow"
	case errors.Is(err, srgs.ErrBuiltin):
		e.Name = evBuiltin
	case errors.As(err, &syntax):
	}
	return e
}

// prefixes lists the names that an event counts under: its own, and each that is a beginning of it.
func prefixes(name string) []string {
	list := []string{"", name}
	for i := range len(name) {
		if name[i] == '.' {
			list = append(list, name[:i])
		}
	}
	return list
}

// covers tells whether a handler for a name takes an event.
func covers(handler, event string) bool {
	return handler == "" || handler == event || strings.HasPrefix(event, handler+".")
}

// What leaves a form besides an Event.
type (
	// A transition goes to a dialog, perhaps of another document.
	transition struct {
		doc    *document
		root   *document
		dialog string  // its id, "" is the first
		to     *dialog // instead of dialog
		same   bool    // within the document, whose variables stay
		wrong  *Event  // instead of a dialog: what is thrown in the document
		input  *input  // what matched the dialog's grammar
		params map[string]ecma.Value
	}
	// A gotoItem goes to an item of the form.
	gotoItem struct{ name string }
	// An exit ends the application.
	exit struct{}
	// A giveBack ends a subdialog.
	giveBack struct {
		value ecma.Value
		event *Event
	}
	// A fatal ends the call: it went over a limit.
	fatal struct{ err error }
)

func (*transition) Error() string { return "transition" }
func (*gotoItem) Error() string   { return "goto item" }
func (*exit) Error() string       { return "exit" }
func (*giveBack) Error() string   { return "return" }
func (f *fatal) Error() string    { return f.err.Error() }
func (f *fatal) Unwrap() error    { return f.err }
