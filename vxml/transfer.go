package vxml

import (
	"context"
	"errors"
	"strings"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/fetch"
)

// A Transferer is a Line that can connect the caller with somebody else. A Line need not be one: then <transfer> throws
// error.unsupported.transfer.
type Transferer interface {
	// Transfer connects. A bridge lasts until one side hangs up, Max is over or Listen is satisfied, and the caller is
	// then here again; without Bridge the caller is handed over and gone. When the caller hangs up, the error is
	// ivr.ErrHangup.
	Transfer(ctx context.Context, t Transfer) (Transferred, error)
}

// Transfer says with whom, and how.
type Transfer struct {
	Dest    string // a URI: "tel:+4930123", "sip:ben@example.org"
	Bridge  bool
	Connect time.Duration  // how long it may ring; 0 is the platform's own
	Max     time.Duration  // longest; 0 is without end
	Audio   []prompts.Clip // for the caller while it rings; nothing is the platform's own
	AAI     string         // application to application information
	// Listen is given each key of the caller during a bridge; true ends it. nil listens to none.
	Listen func(key byte) bool
}

// An Outcome is how a transfer ended: VoiceXML's own words.
type Outcome string

// The outcomes.
const (
	Busy           Outcome = "busy"
	NoAnswer       Outcome = "noanswer"
	NetworkBusy    Outcome = "network_busy"
	NearDisconnect Outcome = "near_end_disconnect" // Listen was satisfied
	FarDisconnect  Outcome = "far_end_disconnect"
	NetDisconnect  Outcome = "network_disconnect"
	MaxDisconnect  Outcome = "maxtime_disconnect"
	Unknown        Outcome = "unknown"
	HandedOver     Outcome = "handed over" // without Bridge: the caller is gone
)

// Transferred is the outcome of a transfer.
type Transferred struct {
	Outcome  Outcome
	Duration time.Duration // of the connection
}

// The errors of Transfer that have events of their own.
var (
	ErrNoDestination = errors.New("vxml: the destination cannot be reached from here") // error.connection.nodestination
	ErrBadDest       = errors.New("vxml: no such destination")                         // error.connection.baddestination
	ErrNoAuthority   = errors.New("vxml: this transfer is not allowed")                // error.connection.noauthorization
	ErrNoRoute       = errors.New("vxml: no route to the destination")                 // error.connection.noroute
	ErrNoLine        = errors.New("vxml: no outgoing line is free")                    // error.connection.noresource
)

// transferEvents are the events of those errors.
var transferEvents = []struct {
	err  error
	name string
}{
	{ErrNoDestination, "error.connection.nodestination"}, {ErrBadDest, "error.connection.baddestination"},
	{ErrNoAuthority, "error.connection.noauthorization"}, {ErrNoRoute, "error.connection.noroute"},
	{ErrNoLine, "error.connection.noresource"},
}

// transfer connects the caller with somebody else.
func (f *formRun) transfer(i *item) error {
	if f.x.gone {
		return &fatal{ivr.ErrHangup}
	}
	line, ok := f.x.line.(Transferer)
	bridge := i.attr("bridge") == "true" || i.attr("type") == "bridge"
	switch t := i.attr("type"); {
	case t != "" && t != "bridge" && t != "blind":
		return throw("error.unsupported.transfer."+t, "transfers of this type")
	case !ok && bridge:
		return throw("error.unsupported.transfer.bridge", "this line cannot connect")
	case !ok:
		return throw("error.unsupported.transfer.blind", "this line cannot hand over")
	}
	req, err := f.transferRequest(i, bridge)
	if err != nil {
		return err
	}
	list, err := f.listen(i, &req)
	if err != nil {
		return err
	}
	if err := f.x.playQueue(); err != nil {
		return err
	}
	began := time.Now()
	out, err := line.Transfer(f.x.live, req)
	f.x.listened(began, false)
	if err != nil {
		return f.transferFailed(err)
	}
	return f.transferred(i, out, list)
}

// transferRequest reads the element's attributes.
func (f *formRun) transferRequest(i *item, bridge bool) (Transfer, error) {
	fr := f.frame(i)
	dest, err := fr.attrOr(i.element, "dest", "destexpr")
	if err != nil {
		return Transfer{}, err
	}
	if scheme, _, ok := strings.Cut(dest, ":"); !ok || scheme == "" || strings.ContainsAny(scheme, " /") {
		return Transfer{}, throw("error.connection.baddestination", "the destination is no URI")
	}
	aai, err := fr.attrOr(i.element, "aai", "aaiexpr")
	if err != nil {
		return Transfer{}, err
	}
	t := Transfer{Dest: dest, Bridge: bridge, AAI: aai, Connect: seconds(i.attr("connecttimeout"), 0), Max: seconds(i.attr("maxtime"), 0)}
	if src := i.attr("transferaudio"); src != "" {
		if clip, err := f.x.sound(fr, i.element, src, f.x.lang()); err == nil {
			t.Audio = []prompts.Clip{*clip}
		}
	}
	return t, nil
}

// listen makes the keys of a bridge's own grammars end it.
func (f *formRun) listen(i *item, t *Transfer) ([]*active, error) {
	if !t.Bridge || len(i.grammars) == 0 {
		return nil, nil
	}
	a := &activation{f: f, item: i}
	a.of(i.grammars, f.x.doc, active{item: i})
	if a.err != nil {
		return nil, a.err
	}
	t.Listen = func(key byte) bool {
		for _, g := range a.list {
			if g.m.Press(key); g.m.Match() != nil {
				return true
			}
			if !g.m.Alive() {
				g.m = g.linked.NewMatcher()
				g.m.Press(key)
			}
		}
		return false
	}
	return a.list, nil
}

func (f *formRun) transferFailed(err error) error {
	for _, e := range transferEvents {
		if errors.Is(err, e.err) {
			return &Event{Name: e.name, Message: e.err.Error(), cause: err}
		}
	}
	return f.x.ended(err)
}

// transferred does what the outcome means for the document.
func (f *formRun) transferred(i *item, out Transferred, list []*active) error {
	if out.Outcome == HandedOver {
		f.x.hungUp()
		return &Event{Name: evTransfer}
	}
	f.fill(i, f.x.vm.Value(string(out.Outcome)))
	pairs := []any{"duration", out.Duration.Seconds()}
	for _, g := range list {
		if m := g.m.Match(); m != nil {
			pairs = append(pairs, "inputmode", "dtmf", "utterance", m.Text())
			break
		}
	}
	f.shadow(i, pairs...)
	return f.filled()
}

// object calls a function of the platform.
func (f *formRun) object(i *item) error {
	id := i.attr("classid")
	if f.x.objects == nil || id == "" {
		return throw(evObject, "there is no object %s", id)
	}
	values, err := f.paramValues(i)
	if err != nil {
		return err
	}
	params := map[string]any{}
	for name, v := range values {
		if rec := asRecording(f.x.vm, v); rec != nil {
			params[name] = rec
		} else if params[name], err = f.x.vm.Export(v); err != nil {
			return semantic(err)
		}
	}
	if err := f.x.playQueue(); err != nil {
		return err
	}
	out, err := f.x.objects.Call(f.x.ctx(), id, params)
	if err != nil {
		return f.objectFailed(id, err)
	}
	f.fill(i, f.x.fromGo(out))
	return f.filled()
}

func (f *formRun) objectFailed(id string, err error) error {
	var event *Event
	switch {
	case errors.As(err, &event):
		return event
	case errors.Is(err, ErrNoObject):
		return throw(evObject, "there is no object %s", id)
	case f.x.ctx().Err() != nil:
		return f.x.ended(err)
	}
	f.x.log.Warn("an object failed", "call", f.x.line.ID(), "object", id, "err", err)
	return &Event{Name: evNoResource, Message: "the object failed", cause: err}
}

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

// returned takes what a subdialog gave back.
func (f *formRun) returned(i *item, err error) error {
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
