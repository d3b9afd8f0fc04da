package vxml

import (
	"errors"
	"fmt"
	"slices"

	"hark/vxml/ecma"
)

// A formRun is one visit of a form: the state of the form interpretation algorithm (VoiceXML 2.0, appendix C).
type formRun struct {
	x       *execution
	dialog  *dialog
	scope   *ecma.Scope
	params  map[string]ecma.Value
	hidden  map[*item]ecma.Value // of items without a name
	prompts map[*item]int        // prompt counters
	counts  map[*item]map[string]int
	just    map[*item]bool // filled by the last input
	next    *item          // from goto nextitem
	mute    bool           // the last turn ended in a catch without reprompt
}

// runForm interprets a dialog until it is left. It returns how.
func (x *execution) runForm(d *dialog, t *transition) error {
	f := &formRun{x: x, dialog: d, params: t.params}
	f.scope = x.newScope(x.docScope, "dialog")
	f.reset(nil)
	err := f.settle(f.initialise(t), nil)
	if err == nil && t.input != nil {
		err = f.settle(f.take(t.input, d.menuItem()), d.menuItem())
	}
	for {
		if err := f.stepped(err); err != nil {
			return err
		}
		var i *item
		i, err = f.choose()
		switch {
		case err != nil:
			err = f.settle(err, nil)
		case i == nil:
			return &exit{}
		default:
			err = f.settle(f.visit(i), i)
		}
	}
}

// stepped looks at how a turn ended: a jump within the form is done here.
func (f *formRun) stepped(err error) error {
	var to *gotoItem
	if errors.As(err, &to) {
		f.next = f.dialog.find(to.name)
		err = nil
	}
	if err != nil {
		return err
	}
	return f.settle(f.x.step(), nil)
}

// initialise runs the variables and scripts of the form, and declares its items, in the order of the document.
func (f *formRun) initialise(t *transition) error {
	if err := f.frame(nil).run(f.dialog.init); err != nil {
		return err
	}
	for name := range t.params {
		return &Event{Name: evSemantic, Message: fmt.Sprintf("the subdialog has no variable %q", name), cause: errNoParam}
	}
	return nil
}

// declareItem makes the variable of an item.
func declareItem(i *item) act {
	bad := i.name != "" && !goodName(i.name)
	return func(f *frame) error {
		v := ecma.Undefined()
		if x := i.exprs["expr"]; x != nil {
			var err error
			if v, err = f.eval(x); err != nil {
				return err
			}
		}
		if bad {
			return throw(evSemantic, "%q is no name of a variable", i.name)
		}
		f.form.set(i, v)
		return nil
	}
}

func (f *formRun) set(i *item, v ecma.Value) {
	if i.name == "" {
		f.hidden[i] = v
		return
	}
	f.scope.Declare(i.name, v)
}

func (f *formRun) get(i *item) ecma.Value {
	if i.name == "" {
		return f.hidden[i]
	}
	return f.scope.Get(i.name)
}

// shadow sets the item's variable with a $.
func (f *formRun) shadow(i *item, pairs ...any) {
	if i.name != "" {
		f.scope.Declare(i.name+"$", f.x.vm.Object(pairs...))
	}
}

// reset makes an item unvisited; without an item it is all of them, and the counters of the form.
func (f *formRun) reset(i *item) {
	if i == nil {
		f.hidden, f.prompts = map[*item]ecma.Value{}, map[*item]int{}
		f.counts, f.just = map[*item]map[string]int{}, map[*item]bool{}
		return
	}
	f.set(i, nil)
	delete(f.prompts, i)
	delete(f.counts, i)
}

// frame is where actions of the form, or of an item, run.
func (f *formRun) frame(i *item) *frame {
	return &frame{x: f.x, form: f, item: i, scope: f.scope}
}

// choose selects the next item; nil when there is none left.
func (f *formRun) choose() (*item, error) {
	if i := f.next; i != nil {
		f.next = nil
		return i, nil
	}
	for _, i := range f.dialog.items {
		if !ecma.IsUndefined(f.get(i)) {
			continue
		}
		ok, err := f.frame(i).cond(i.element)
		if err != nil || ok {
			return i, err
		}
	}
	return nil, nil
}

// perform runs an item.
func (f *formRun) perform(i *item) error {
	switch i.kind {
	case "block":
		return f.block(i)
	case "field", "menu", "initial":
		return f.ask(i)
	case "record":
		return f.record(i)
	case "transfer":
		return f.transfer(i)
	case "subdialog":
		return f.subdialog(i)
	case "object":
		return f.object(i)
	}
	return throw(evSemantic, "<%s> cannot be visited", i.kind)
}

// ready tells what is wrong with an item before anything of it is heard.
func (f *formRun) ready(i *item) error {
	if i.kind == "block" {
		return nil
	}
	if err := f.x.badProperty(f.frame(i)); err != nil {
		return err
	}
	if err := f.x.unheardType(f.frame(i)); err != nil || i.kind != "initial" {
		return err
	}
	list, err := f.activate(i)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(a *active) bool { return a.dialog == f.dialog && a.m.Answerable() }) {
		return throw("error.unsupported.initial", "no key can answer, and there is no speech recognition")
	}
	return nil
}

// visit says the item's prompts, unless a catch said something instead, and runs it.
func (f *formRun) visit(i *item) error {
	mute := f.mute
	f.mute = false
	clear(f.just)
	if err := f.ready(i); err != nil {
		return err
	}
	if !mute && i.kind != "block" {
		if err := f.prompt(i); err != nil {
			return err
		}
	}
	return f.perform(i)
}

func (f *formRun) block(i *item) error {
	f.set(i, f.x.vm.Value(true))
	return f.frame(i).inner().run(i.actions)
}

// prompt queues the prompts that are due: of those whose condition holds, the ones with the highest count that was reached.
func (f *formRun) prompt(i *item) error {
	f.prompts[i]++
	fr := f.frame(i)
	var due []*prompt
	highest := 0
	for _, p := range i.prompts {
		if p.count > f.prompts[i] || p.count < highest {
			continue
		}
		ok, err := fr.cond(p.element)
		if err != nil {
			return err
		}
		if ok {
			highest = max(highest, p.count)
			due = append(due, p)
		}
	}
	for _, p := range due {
		if p.count != highest {
			continue
		}
		if err := fr.say(p, p.speak); err != nil {
			return err
		}
	}
	return nil
}

// fill gives an item its value.
func (f *formRun) fill(i *item, v ecma.Value) {
	f.set(i, v)
	f.just[i] = true
}

// filled runs the <filled> that the last input made due.
func (f *formRun) filled() error {
	for _, d := range f.dialog.filled {
		if !f.due(d) {
			continue
		}
		if err := f.frame(d.item).inner().run(d.actions); err != nil {
			return inside(err, d.item)
		}
	}
	return nil
}

// inside notes which item's handlers an event is for, unless that is known.
func inside(err error, i *item) error {
	var e *Event
	var known *within
	if errors.As(err, &known) || !errors.As(err, &e) {
		return err
	}
	return &within{e, i}
}

// within is an event with the item whose handlers come first: nil when they are the form's.
type within struct {
	*Event
	item *item
}

// Unwrap returns the event.
func (w *within) Unwrap() error { return w.Event }

// due tells whether a <filled> is to be run now.
func (f *formRun) due(d *filled) bool {
	if d.item != nil {
		return f.just[d.item]
	}
	any, all := false, true
	for _, i := range f.dialog.items {
		if !i.isInput() || len(d.names) > 0 && !slices.Contains(d.names, i.name) {
			continue
		}
		any = any || f.just[i]
		all = all && !ecma.IsUndefined(f.get(i))
	}
	return any && (d.any || all)
}
