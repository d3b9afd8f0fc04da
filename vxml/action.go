package vxml

import (
	"errors"
	"strings"

	"hark/vxml/ecma"
	"hark/vxml/xmltree"
)

// makers compile executable elements. What they do not name is said, as a prompt without a tag.
func (b *builder) makers() map[string]func(*xmltree.Node) act {
	return map[string]func(*xmltree.Node) act{
		"assign": b.assign, "clear": b.clear, "data": b.data, "disconnect": b.disconnect, "exit": b.exit,
		"foreach": b.foreach, "goto": b.goTo, "if": b.ifs, "log": b.log, "reprompt": b.reprompt, "return": b.giveBack,
		"script": b.script, "submit": b.submit, "throw": b.throw, "var": b.variable, "prompt": b.promptAction,
	}
}

// actions compiles executable content.
func (b *builder) actions(n *xmltree.Node) []act {
	var list []act
	for i := 0; i < len(n.Child); i++ {
		var said []speak
		for ; i < len(n.Child) && b.isSaid(n.Child[i]); i++ {
			if s := b.speechNode(n.Child[i]); s != nil {
				said = append(said, s)
			}
		}
		if len(said) > 0 {
			list = append(list, func(f *frame) error { return f.say(nil, said) })
		}
		if i < len(n.Child) {
			if a := b.action(n.Child[i]); a != nil {
				list = append(list, a)
			}
		}
	}
	return list
}

// isSaid tells whether a node of executable content is spoken: what stands together so is one prompt.
func (b *builder) isSaid(c *xmltree.Node) bool {
	_, other := b.make[c.Name]
	return c.Kind == xmltree.Text || c.Kind == xmltree.Element && !other
}

// action compiles one executable element; nil when it does nothing.
func (b *builder) action(c *xmltree.Node) act {
	if make, ok := b.make[c.Name]; ok && c.Kind == xmltree.Element {
		return make(c)
	}
	return nil
}

func (b *builder) promptAction(c *xmltree.Node) act {
	p := b.prompt(c)
	return func(f *frame) error {
		ok, err := f.cond(p.element)
		if err != nil || !ok {
			return err
		}
		return f.say(p, p.speak)
	}
}

// A branch is one arm of an <if>.
type branch struct {
	*element
	actions []act
}

func (b *builder) ifs(n *xmltree.Node) act {
	var arms []*branch
	at, from := n, 0
	for i, c := range n.Child {
		if c.Kind == xmltree.Element && (c.Name == "elseif" || c.Name == "else") {
			if at.Name == "else" {
				b.refuse(c, "<%s> behind <else>", c.Name)
			}
			arms = append(arms, b.arm(at, n.Child[from:i]))
			at, from = c, i+1
		}
	}
	arms = append(arms, b.arm(at, n.Child[from:]))
	return func(f *frame) error {
		for _, arm := range arms {
			ok, err := f.cond(arm.element)
			if err != nil {
				return err
			}
			if ok {
				return f.run(arm.actions)
			}
		}
		return nil
	}
}

// arm compiles what stands between two of <if>, <elseif>, <else> and the end.
func (b *builder) arm(cond *xmltree.Node, content []*xmltree.Node) *branch {
	return &branch{b.element(cond), b.actions(&xmltree.Node{Child: content})}
}

func (b *builder) assign(n *xmltree.Node) act {
	e := b.element(n)
	target := ecma.CompileTarget(n.Attr("name"))
	return func(f *frame) error {
		v, err := f.eval(e.exprs["expr"])
		if err != nil {
			return err
		}
		if err := f.assignable(target); err != nil {
			return err
		}
		if err := f.x.vm.Assign(f.scope, target, v); err != nil {
			return semantic(err)
		}
		return nil
	}
}

// assignable checks that a variable is declared, and a document's own.
func (f *frame) assignable(target *ecma.Target) error {
	if target.Err != nil {
		return semantic(target.Err)
	}
	s := f.scope.Find(target.First)
	undeclared := s == nil
	if s != nil && target.Second != "" {
		named := f.scope.Named(s.Get(target.First)) // "dialog" of "dialog.x"
		undeclared = named != nil && !named.Fixed() && !named.Owns(target.Second)
	}
	switch {
	case undeclared:
		return throw(evSemantic, "%s is not declared", target.Source)
	case s.Fixed():
		return throw(evSemantic, "%s cannot be changed", target.Source)
	}
	return nil
}

// goodName tells whether a document may declare a variable of that name: those with _ in front or $ behind are the
// platform's (5.1).
func goodName(name string) bool {
	t := ecma.CompileTarget(name)
	return t.Err == nil && t.First == name && !strings.HasSuffix(name, "$") && !strings.HasPrefix(name, "_")
}

func (b *builder) variable(n *xmltree.Node) act {
	e := b.element(n)
	name := n.Attr("name")
	good := goodName(name)
	return func(f *frame) error {
		if !good {
			return throw(evSemantic, "%q is no name of a variable", name)
		}
		if v, ok := f.param(name); ok {
			f.scope.Declare(name, v)
			return nil
		}
		v := ecma.Undefined()
		if x := e.exprs["expr"]; x != nil {
			var err error
			if v, err = f.eval(x); err != nil {
				return err
			}
		} else if f.scope.Owns(name) {
			return nil
		}
		f.scope.Declare(name, v)
		return nil
	}
}

// param takes the value that a caller of the subdialog gave to a variable.
func (f *frame) param(name string) (ecma.Value, bool) {
	if f.form == nil || f.scope != f.form.scope {
		return nil, false
	}
	v, ok := f.form.params[name]
	delete(f.form.params, name)
	return v, ok
}

// clear makes items unvisited. Without a list it is all of the form's.
func (b *builder) clear(n *xmltree.Node) act {
	names := strings.Fields(n.Attr("namelist"))
	all := !n.Has("namelist")
	return func(f *frame) error {
		if all {
			for _, i := range f.form.dialog.items {
				f.form.reset(i)
			}
			return nil
		}
		for _, name := range names {
			if err := f.clear(name); err != nil {
				return err
			}
		}
		return nil
	}
}

func (f *frame) clear(name string) error {
	if i := f.itemOf(name); i != nil {
		f.form.reset(i)
		return nil
	}
	target := ecma.CompileTarget(name)
	if err := f.assignable(target); err != nil {
		return err
	}
	if err := f.x.vm.Assign(f.scope, target, ecma.Undefined()); err != nil {
		return semantic(err)
	}
	return nil
}

// itemOf returns the form item whose variable a name means here: a variable of the block hides one of that name.
func (f *frame) itemOf(name string) *item {
	local, qualified := strings.CutPrefix(name, "dialog.")
	if f.form == nil || !qualified && f.scope.Find(name) != f.form.scope {
		return nil
	}
	return f.form.dialog.find(local)
}

func (b *builder) disconnect(n *xmltree.Node) act {
	names := strings.Fields(n.Attr("namelist"))
	return func(f *frame) error {
		for _, name := range names {
			if _, err := f.evalText(ecma.CompileExpr(name)); err != nil {
				return err
			}
		}
		return f.x.disconnect()
	}
}

func (b *builder) exit(n *xmltree.Node) act {
	e := b.element(n)
	names := strings.Fields(n.Attr("namelist"))
	return func(f *frame) error {
		if x := e.exprs["expr"]; x != nil {
			if _, err := f.eval(x); err != nil {
				return err
			}
		}
		if _, err := f.namelist(names); err != nil {
			return err
		}
		return &exit{}
	}
}

func (b *builder) foreach(n *xmltree.Node) act {
	e, list := b.element(n), b.actions(n)
	return func(f *frame) error {
		return f.each(e, func(f *frame) error { return f.run(list) })
	}
}

func (b *builder) goTo(n *xmltree.Node) act {
	e := b.element(n)
	return func(f *frame) error {
		if name, err := f.attrOr(e, "nextitem", "expritem"); err != nil || name != "" {
			return f.nextItem(name, err)
		}
		uri, err := f.attrOr(e, "next", "expr")
		if err != nil {
			return err
		}
		return f.x.leaveFor(f, e, f.x.doc, uri)
	}
}

func (f *frame) nextItem(name string, err error) error {
	if err != nil {
		return err
	}
	if f.form == nil || f.form.dialog.find(name) == nil {
		return &within{throw(evBadFetch, "the form has no item %q", name), nil} // handled by the dialog (5.3.7)
	}
	return &gotoItem{name}
}

func (b *builder) log(n *xmltree.Node) act {
	e := b.element(n)
	list := b.speech(n)
	return func(f *frame) error {
		r := &rendering{frame: f}
		if err := r.all(list); err != nil {
			return err
		}
		text := plain(r.out)
		if x := e.exprs["expr"]; x != nil {
			more, err := f.evalText(x)
			if err != nil {
				return err
			}
			text = strings.TrimSpace(text + " " + more)
		}
		f.x.watch(Note{Kind: Logged, Label: e.attr("label"), Text: text})
		return nil
	}
}

func (b *builder) reprompt(*xmltree.Node) act {
	return func(f *frame) error {
		if f.reprompt != nil {
			*f.reprompt = true
		}
		return nil
	}
}

// thrown makes the event that an element describes.
func (f *frame) thrown(e *element) (*Event, error) {
	name, err := f.attrOr(e, "event", "eventexpr")
	if err != nil {
		return nil, err
	}
	message, err := f.attrOr(e, "message", "messageexpr")
	if err != nil {
		return nil, err
	}
	return &Event{Name: name, Message: message}, nil
}

func (b *builder) throw(n *xmltree.Node) act {
	e := b.element(n)
	return func(f *frame) error {
		event, err := f.thrown(e)
		if err != nil {
			return err
		}
		return event
	}
}

func (b *builder) giveBack(n *xmltree.Node) act {
	e := b.element(n)
	names := strings.Fields(n.Attr("namelist"))
	return func(f *frame) error {
		if f.x.parent == nil {
			return throw(evSemantic, "<return> outside of a subdialog")
		}
		if e.attr("event") != "" || e.exprs["eventexpr"] != nil {
			event, err := f.thrown(e)
			if err != nil {
				return err
			}
			return &giveBack{event: event}
		}
		values, err := f.namelist(names)
		if err != nil {
			return err
		}
		out := f.x.vm.Object()
		for i, name := range names {
			f.x.vm.SetProperty(out, name[strings.LastIndexByte(name, '.')+1:], values[i])
		}
		return &giveBack{value: out}
	}
}

// namelist evaluates the variables of a list.
func (f *frame) namelist(names []string) ([]ecma.Value, error) {
	var out []ecma.Value
	for _, name := range names {
		v, err := f.eval(ecma.CompileExpr(name))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// script compiles a script. One that does not compile is error.badfetch when it is fetched, error.semantic when it
// stands in the document.
func (b *builder) script(n *xmltree.Node) act {
	e := b.element(n)
	if n.Has("src") || n.Has("srcexpr") {
		return func(f *frame) error {
			src, err := f.attrOr(e, "src", "srcexpr")
			if err != nil {
				return err
			}
			s, err := f.x.script(f, e, xmltree.Resolve(f.base(), src))
			if err != nil {
				return err
			}
			return f.runScript(s)
		}
	}
	s, err := ecma.Compile("", n.Text())
	return func(f *frame) error {
		if err != nil {
			return semantic(err)
		}
		return f.runScript(s)
	}
}

func (f *frame) runScript(s *ecma.Script) error {
	if err := f.x.vm.Run(f.scope, s); err != nil {
		return semantic(err)
	}
	return nil
}

// isFlow tells whether an error is a jump, an end or the end of the call, and no event.
func isFlow(err error) bool {
	var e *Event
	return err != nil && !errors.As(err, &e)
}
