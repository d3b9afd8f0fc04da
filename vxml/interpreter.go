package vxml

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/cookiejar"
	"runtime/debug"
	"time"

	"hark/ivr"
	"hark/prompts"
	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/xmltree"
)

// Voice is what documents speak with. *prompts.Speaker satisfies it.
type Voice interface {
	// Say returns the sound of a prompt of the catalogue: <audio src="prompt:ID"/>.
	Say(ctx context.Context, lang, id string, args prompts.Args) (prompts.Clip, error)
	// SayText returns the sound of free text.
	SayText(ctx context.Context, lang, text string) (prompts.Clip, error)
	// Earcon returns a short sound: <audio src="earcon:NAME"/>, and "tone" before a recording.
	Earcon(name string) (prompts.Clip, error)
}

// Objects are the platform's own functions, which documents call with <object classid="…">.
type Objects interface {
	// Begin makes the objects of one call. It does not block.
	Begin(line ivr.Line) CallObjects
}

// CallObjects are the objects of one call, used by its goroutine alone.
type CallObjects interface {
	// Call calls the function of that classid. Parameters are nil, bool, float64, int64, string, []any, map[string]any
	// or *Recording. So is the result: the value of the item's variable; nil is true.
	//
	// An *Event as the error is thrown in the document; ErrNoObject is error.unsupported.objectname; another error is
	// error.noresource.
	Call(ctx context.Context, classid string, params map[string]any) (any, error)
	// Close lets go of what the call held, a login for example. ctx outlives the call by a few seconds.
	Close(ctx context.Context)
}

// ErrNoObject means that the platform has no object of that classid.
var ErrNoObject = errors.New("vxml: no such object")

// A NoteKind says what a Note is about.
type NoteKind string

// The kinds of notes.
const (
	Logged   NoteKind = "log"    // a <log> was run
	Prompted NoteKind = "prompt" // a prompt was put into the queue, perhaps after the caller hung up
	Thrown   NoteKind = "event"  // an event was thrown
	Entered  NoteKind = "dialog" // a dialog was entered: Text is document#dialog
)

// A Note is something that an author of documents wants to see. It may hold what a caller keyed: it is not for the log.
type Note struct {
	Kind  NoteKind
	Label string
	Text  string
}

// Limits bound what documents can do. A zero field has the default that its comment names.
type Limits struct {
	Size    int           // of a document, in bytes: 256 KiB
	Depth   int           // of elements within one another: 32
	Steps   int           // actions, items and fetches between two keys: 20,000
	Nested  int           // subdialogs within one another: 20
	Queue   int           // utterances that wait to be heard: 500
	After   time.Duration // how long a document may go on after the hang-up: 10 s
	Scripts ecma.Limits
}

func (l Limits) withDefaults() Limits {
	l.Steps = cmp.Or(l.Steps, 20_000)
	l.Nested = cmp.Or(l.Nested, 20)
	l.Queue = cmp.Or(l.Queue, 500)
	l.After = cmp.Or(l.After, 10*time.Second)
	return l
}

func (l Limits) xml() xmltree.Limits { return xmltree.Limits{Size: l.Size, Depth: l.Depth} }

// Options are what an Interpreter is made of.
type Options struct {
	Fetch    fetch.Options // most of all the allowed bases
	Voice    Voice
	Objects  Objects    // nil: the platform has none
	Trunks   ivr.Trunks // whom a <transfer> may call; none is nobody
	Dir      string     // for sounds that were fetched; "" is a folder of the interpreter's own among the temporary files
	Language string     // where a document names none: "en"
	Apology  string     // said before an error that no document caught ends the call; "" is a sentence in English
	Limits   Limits
	Log      *slog.Logger // nil logs nothing
	Watch    func(Note)   // nil watches nothing; called by each call's goroutine
}

// An Interpreter runs VoiceXML documents on telephone lines. It may be used by any number of goroutines.
type Interpreter struct {
	Options
	client *fetch.Client
	shelf  shelf
	sounds *sounds
}

// New makes an interpreter. Close it when no call is left.
func New(o Options) (*Interpreter, error) {
	o.Limits = o.Limits.withDefaults()
	o.Language = cmp.Or(o.Language, "en")
	o.Apology = cmp.Or(o.Apology, "Sorry, this service has a problem. Please try again later.")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	client, err := fetch.New(o.Fetch)
	if err != nil {
		return nil, err
	}
	s, err := newSounds(o.Dir)
	if err != nil {
		client.Close()
		return nil, err
	}
	return &Interpreter{Options: o, client: client, sounds: s}, nil
}

// Close removes the sounds that were kept.
func (i *Interpreter) Close() error {
	i.client.Close()
	return i.sounds.close()
}

// Handle runs one call from the page at an absolute URL to its end and returns when nothing of it runs any more. It
// answers the line once the page is there, and hangs it up.
//
// ctx ends with cause ivr.ErrHangup when the caller hangs up, which is no error; with any other cause when the call must
// stop, and that cause is returned. When the first page cannot be had the line was not touched, and the error says why:
// the switch can then play what it has for that case. An error that no document caught is apologised for, logged, and
// returned as well.
func (i *Interpreter) Handle(ctx context.Context, line ivr.Line, page string) (err error) {
	c := i.newCall(ctx, line)
	defer c.close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("vxml: panic: %v", p)
			i.Log.Error("panic in a call", "call", line.ID(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			_ = line.Hangup(context.WithoutCancel(ctx))
		}
	}()
	x := &execution{call: c}
	t, err := x.first(page)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return hangupIsNone(cause)
	}
	if err != nil {
		return fmt.Errorf("vxml: %w", err)
	}
	if err := line.Answer(ctx); err != nil {
		return hangupIsNone(err)
	}
	return c.finish(ctx, x.run(t))
}

// first is the way into the first page. There is no document that could catch what is wrong with its root document: that is
// thrown in the page itself, whose root may catch it when it is there.
func (x *execution) first(page string) (*transition, error) {
	doc, root, err := x.page(nil, nil, fetch.Request{URL: page})
	var wrong *Event
	if doc != nil && errors.As(err, &wrong) {
		return &transition{doc: doc, root: cmp.Or(root, doc), wrong: wrong}, nil
	}
	return &transition{doc: doc, root: root, dialog: fragment(page)}, err
}

func hangupIsNone(err error) error {
	if errors.Is(err, ivr.ErrHangup) {
		return nil
	}
	return err
}

// newCall makes the state of one call.
func (i *Interpreter) newCall(ctx context.Context, line ivr.Line) *call {
	jar, err := cookiejar.New(nil)
	if err != nil {
		jar = nil // cookiejar.New never fails without options
	}
	c := &call{Interpreter: i, line: line, live: ctx, log: i.Log, jar: jar, vm: ecma.New(i.Limits.Scripts)}
	c.session = c.newSession()
	if i.Objects != nil {
		c.objects = i.Objects.Begin(line)
	}
	return c
}
