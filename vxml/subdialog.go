package vxml

import (
	"errors"
	"strings"

	"hark/vxml/fetch"
)

// subdialog runs another document, or a dialog of this one, in a context of its own.
func (f *formRun) subdialog(i *item) error {
	fr := f.frame(i)
	params, err := f.paramValues(i)
	if err != nil {
		return err
	}
	src, err := fr.attrOr(i.element, "src", "srcexpr")
	if err != nil {
		return err
	}
	sub := &execution{call: f.x.call, parent: f.x}
	if f.x.nested++; f.x.nested > f.x.Limits.Nested {
		return &fatal{errSteps}
	}
	defer func() { f.x.nested-- }()
	t, err := f.subdialogStart(fr, i, src)
	if err != nil {
		return err
	}
	t.same, t.params = false, params
	return f.returned(i, sub.run(t))
}

// subdialogStart finds where a subdialog begins; what cannot be had is thrown here.
func (f *formRun) subdialogStart(fr *frame, i *item, src string) (*transition, error) {
	var err error
	if strings.HasPrefix(src, "#") {
		err = f.x.leaveFor(fr, i.element, f.x.doc, src)
	} else {
		var req fetch.Request
		if req, err = fr.request(i.element, src, nil); err == nil {
			err = f.x.leaveWith(fr, i.element, req)
		}
	}
	var t *transition
	if errors.As(err, &t) {
		return t, nil
	}
	return nil, err
}

// errNoParam means that a subdialog has no variable for a <param>: a mistake of the caller.
var errNoParam = errors.New("vxml: no variable for a param")

// returned takes what a subdialog gave back. What nothing caught there ends the application, unless it is the caller's own
// mistake.
func (f *formRun) returned(i *item, err error) error {
	var left *uncaught
	if errors.As(err, &left) && errors.Is(left.event, errNoParam) {
		return throw(evSemantic, "%s", left.event.Message)
	}
	var back *giveBack
	if !errors.As(err, &back) {
		return err
	}
	if back.event != nil {
		return back.event
	}
	f.fill(i, back.value)
	return f.filled()
}
