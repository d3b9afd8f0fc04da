package vxml

import (
	"strings"
	"time"

	"hark/ivr"
	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/srgs"
)

// An input is what the caller did, and what it means.
type input struct {
	active *active // nil is noinput or nomatch
	event  string
	keys   string
	value  ecma.Value
	mark   string
	since  time.Duration
}

// A collecting is one turn in which keys are awaited.
type collecting struct {
	*call
	list    []*active
	termKey string
	between time.Duration
	term    time.Duration
	in      input
	hotword bool       // the last prompt is of that kind: what matches nothing is passed over
	whole   srgs.State // of a match that interrupted such a prompt
}

// collect plays the queue and matches keys against grammars until it is clear what they are.
func (f *formRun) collect(i *item) (*input, error) {
	if f.x.gone {
		return nil, &fatal{ivr.ErrHangup}
	}
	list, err := f.activate(i)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && len(i.choices) == 0 {
		return nil, throw(evSemantic, "no grammar counts while the %s %q listens", i.kind, i.name)
	}
	c := f.collecting(i, list)
	first := f.firstWait(i)
	if !strings.Contains(f.x.property(f.frame(i), "inputmodes"), "dtmf") {
		return c.unheard(first)
	}
	for {
		if err := c.turn(first); err != nil {
			return nil, c.ended(err)
		}
		if !c.hotword || c.in.event != evNoMatch {
			return f.mean(&c.in)
		}
		c.anew()
	}
}

// turn waits for the caller to begin, and takes all that belongs to it.
func (c *collecting) turn(wait time.Duration) error {
	began := time.Now()
	key, err := c.first(wait)
	c.listened(began, key != "")
	switch {
	case err != nil:
		return err
	case key == "":
		c.in.event = evNoInput
		return nil
	case c.whole != srgs.None:
		return c.further(c.whole)
	}
	return c.match(key)
}

// collecting makes a turn of the grammars that count.
func (f *formRun) collecting(i *item, list []*active) *collecting {
	fr := f.frame(i)
	return &collecting{call: f.x.call, list: list, termKey: f.x.property(fr, "termchar"),
		between: seconds(f.x.property(fr, "interdigittimeout"), 3*time.Second),
		term:    seconds(f.x.property(fr, "termtimeout"), 0)}
}

// firstWait is how long the caller may take to begin: as the last prompt says, or the property.
func (f *formRun) firstWait(i *item) time.Duration {
	wait := seconds(f.x.property(f.frame(i), "timeout"), 5*time.Second)
	if f.x.timeout != "" {
		wait = seconds(f.x.timeout, wait)
	}
	f.x.timeout = ""
	return wait
}

// mean computes what the keys mean.
func (f *formRun) mean(in *input) (*input, error) {
	if in.active == nil {
		return in, nil
	}
	v, err := in.active.m.Match().Meaning(f.x.vm)
	if err != nil {
		return nil, semantic(err)
	}
	in.value = v
	return in, nil
}

// first plays the queue and waits for the first key; "" when none came. Keys pressed before or during a prompt that
// cannot be interrupted are dropped.
func (c *collecting) first(wait time.Duration) (string, error) {
	list := c.tracks()
	switch last := len(list) - 1; {
	case last >= 0 && list[last].barge != noKey:
		c.hotword = list[last].barge == hotword
	case c.hotword:
		list = append(list, &track{barge: hotword})
	default:
		list = append(list, &track{})
	}
	for i, t := range list {
		last := i == len(list)-1
		g := ivr.Gather{Play: t.clips, Max: 1, First: wait}
		if t.barge == noKey {
			g.Max, g.NoBargeIn = 0, true
		} else if !last {
			g.First = 0
		}
		in, err := c.hear(t, g)
		if err != nil {
			return "", err
		}
		c.in.pass(t, in)
		if last || in.Keys != "" {
			return in.Keys, nil
		}
		if t.barge == noKey {
			c.line.Flush()
		}
	}
	return "", nil
}

// hear plays a track and waits for a key, or keys, that interrupt it.
func (c *collecting) hear(t *track, g ivr.Gather) (ivr.Input, error) {
	if t.barge == hotword {
		return c.overhear(g)
	}
	return c.line.Gather(c.live, g)
}

// unheard plays the queue and waits, for a document that takes no keys.
func (c *collecting) unheard(wait time.Duration) (*input, error) {
	if err := c.playQueue(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(wait); time.Now().Before(end); {
		key, err := c.key(time.Until(end))
		if err != nil {
			return nil, c.ended(err)
		}
		if key == "" {
			break
		}
	}
	c.in.event = evNoInput
	return &c.in, nil
}

// key waits for one key; "" when none came.
func (c *collecting) key(wait time.Duration) (string, error) {
	in, err := c.line.Gather(c.live, ivr.Gather{Max: 1, First: wait})
	return in.Keys, err
}

// match takes keys until it is clear what they are.
func (c *collecting) match(key string) error {
	for {
		if key == "" || key == c.termKey && !c.accepts(key[0]) {
			c.decide()
			return nil
		}
		c.in.keys += key
		switch c.press(key[0]) {
		case srgs.None:
			return c.drain()
		case srgs.Final:
			return c.complete()
		}
		var err error
		if key, err = c.key(c.between); err != nil {
			return err
		}
	}
}

// accepts tells whether a grammar takes a key next. The key that ends input may be one of a grammar's.
func (c *collecting) accepts(key byte) bool {
	for _, a := range c.list {
		if a.m.Accepts(key) {
			return true
		}
	}
	return false
}

// press gives a key to all grammars and returns how it stands: Final when nothing may follow in any.
func (c *collecting) press(key byte) srgs.State {
	more, enough := false, false
	for _, a := range c.list {
		switch a.m.Press(key) {
		case srgs.Prefix:
			more = true
		case srgs.Open:
			more, enough = true, true
		case srgs.Final:
			enough = true
		}
	}
	switch {
	case more && enough:
		return srgs.Open
	case more:
		return srgs.Prefix
	case enough:
		return srgs.Final
	}
	return srgs.None
}

// decide takes the first grammar that has enough.
func (c *collecting) decide() {
	for _, a := range c.list {
		if s := a.m.State(); c.in.keys != "" && (s == srgs.Final || s == srgs.Open) {
			c.in.active = a
			return
		}
	}
	c.in.event = evNoMatch
}

// complete waits for the key that ends input, as long as the document says, when nothing else may follow. Another key is
// one too many.
func (c *collecting) complete() error {
	c.decide()
	if c.termKey == "" || c.term == 0 {
		return nil
	}
	key, err := c.key(c.term)
	if err != nil || key == "" || key == c.termKey {
		return err
	}
	c.in.keys += key
	c.in.active, c.in.event = nil, evNoMatch
	return c.drain()
}

// drain takes what belongs to keys that match nothing, so that it does not answer the next question. A single key is
// told at once.
func (c *collecting) drain() error {
	c.in.active, c.in.event = nil, evNoMatch
	for len(c.in.keys) > 1 {
		key, err := c.key(c.between)
		if err != nil || key == "" || key == c.termKey {
			return err
		}
		if c.in.keys += key; len(c.in.keys) > maxKeys {
			return nil
		}
	}
	return nil
}

// maxKeys is how many keys that match nothing are taken at a time.
const maxKeys = 100

// ask listens to the caller: a field, a menu, or an <initial>.
func (f *formRun) ask(i *item) error {
	in, err := f.collect(i)
	if err != nil {
		return err
	}
	return f.react(in, i)
}

// react does what the caller's input means.
func (f *formRun) react(in *input, i *item) error {
	f.lastResult(in)
	if in.event != "" {
		return &Event{Name: in.event}
	}
	return f.take(in, i)
}

// lastResult sets application.lastresult$.
func (f *formRun) lastResult(in *input) {
	if in.event == evNoInput {
		return
	}
	pairs := []any{"confidence", 1, "utterance", in.keys, "inputmode", "dtmf", "interpretation", in.value}
	if in.value == nil {
		pairs[len(pairs)-1] = nil
	}
	pairs = append(pairs, in.marks()...)
	one := f.x.vm.Object(pairs...)
	list := f.x.vm.Value([]any{one})
	for k := 0; k+1 < len(pairs); k += 2 {
		f.x.vm.SetProperty(list, pairs[k].(string), f.x.vm.Value(pairs[k+1]))
	}
	f.x.application.Declare("lastresult$", list)
}

// marks are the properties about the last mark.
func (in *input) marks() []any {
	if in.mark == "" {
		return nil
	}
	return []any{"markname", in.mark, "marktime", in.since.Milliseconds()}
}

// take does what a match means.
func (f *formRun) take(in *input, i *item) error {
	a := in.active
	switch {
	case a.link != nil:
		return f.frame(i).follow(a.link.element, a.link.doc)
	case a.dialog != nil && a.dialog != f.dialog:
		return &transition{doc: a.dialog.doc, root: f.x.root, to: a.dialog, same: a.dialog.doc == f.x.doc, input: in}
	case a.choice != nil:
		return f.frame(i).follow(a.choice.element, a.choice.doc)
	case a.item != nil:
		f.fillItem(a.item, in, slotOf(f.x, in.value, a.item))
	default:
		f.fillSlots(in)
	}
	f.initialDone()
	return f.filled()
}

// initialDone ends every <initial>, as soon as the caller has filled an item (appendix C).
func (f *formRun) initialDone() {
	for _, i := range f.dialog.items {
		if i.kind == "initial" && len(f.just) > 0 {
			f.set(i, f.x.vm.Value(true))
		}
	}
}

// fillItem gives an item its value and its shadow variables.
func (f *formRun) fillItem(i *item, in *input, v ecma.Value) {
	f.fill(i, v)
	f.shadow(i, append([]any{"confidence", 1, "utterance", in.keys, "inputmode", "dtmf", "interpretation", in.value}, in.marks()...)...)
}

// slotOf is the part of a meaning that is an item's: the property of its slot, or all of it.
func slotOf(x *execution, v ecma.Value, i *item) ecma.Value {
	if part := slot(x, v, i.slot); part != nil {
		return part
	}
	return v
}

// slot follows "a.b" into a meaning; nil when there is nothing.
func slot(x *execution, v ecma.Value, path string) ecma.Value {
	if path == "" {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		if v = x.vm.Property(v, name); ecma.IsUndefined(v) {
			return nil
		}
	}
	return v
}

// fillSlots gives the input items of a form, of whatever kind, what a form's grammar matched (VoiceXML 2.0, 3.1.6.1).
func (f *formRun) fillSlots(in *input) {
	for _, i := range f.dialog.items {
		if !i.isInput() {
			continue
		}
		if v := slot(f.x, in.value, i.slot); v != nil {
			f.fillItem(i, in, v)
		}
	}
}

// follow does what a link or a choice says: throw, or go.
func (f *frame) follow(e *element, from *document) error {
	if e.node.Has("event") || e.node.Has("eventexpr") {
		event, err := f.thrown(e)
		if err != nil {
			return err
		}
		return event
	}
	uri, err := f.attrOr(e, "next", "expr")
	if err != nil {
		return err
	}
	if strings.HasPrefix(uri, "#") && from != f.x.doc {
		return f.x.leaveWith(f, e, fetch.Request{URL: from.url + uri})
	}
	return f.x.leaveFor(f, e, from, uri)
}
