package vxml

import "hark/vxml/ecma"

// A frame is where actions run: the execution context, the form and item being visited, if any, and the scope.
type frame struct {
	x     *execution
	form  *formRun
	item  *item
	scope *ecma.Scope
	// doc is the document that is being initialised; nil in a dialog.
	doc *document
	// reprompt is set by <reprompt>.
	reprompt *bool
}

// An act is one compiled executable element.
type act func(f *frame) error

// run does actions one after the other.
func (f *frame) run(list []act) error {
	for _, a := range list {
		if err := f.x.step(); err != nil {
			return err
		}
		if err := a(f); err != nil {
			return err
		}
	}
	return nil
}

// base is what addresses are relative to: the document that runs, also for handlers that it has of its root (5.2.4).
func (f *frame) base() string {
	if f.doc != nil {
		return f.doc.base
	}
	return f.x.doc.base
}

// inner is the frame with a scope of its own within.
func (f *frame) inner() *frame {
	g := *f
	g.scope = f.x.vm.NewScope(f.scope)
	return &g
}

// eval evaluates an expression; what goes wrong is error.semantic.
func (f *frame) eval(e *ecma.Expr) (ecma.Value, error) {
	v, err := f.x.vm.Eval(f.scope, e)
	if err != nil {
		return nil, semantic(err)
	}
	return v, nil
}

// text converts a value.
func (f *frame) text(v ecma.Value) (string, error) {
	s, err := f.x.vm.String(v)
	if err != nil {
		return "", semantic(err)
	}
	return s, nil
}

func (f *frame) evalText(e *ecma.Expr) (string, error) {
	v, err := f.eval(e)
	if err != nil {
		return "", err
	}
	return f.text(v)
}

// cond evaluates a condition; one that is not there is true.
func (f *frame) cond(e *element) (bool, error) {
	x := e.exprs["cond"]
	if x == nil {
		return true, nil
	}
	v, err := f.eval(x)
	if err != nil {
		return false, err
	}
	return f.x.vm.Bool(v), nil
}

// attrOr is an attribute, or what its expression is.
func (f *frame) attrOr(e *element, name, expr string) (string, error) {
	if x := e.exprs[expr]; x != nil {
		return f.evalText(x)
	}
	return e.attr(name), nil
}

// each runs something for every element of an array, with the item in a scope.
func (f *frame) each(e *element, do func(*frame) error) error {
	v, err := f.eval(e.exprs["array"])
	if err != nil {
		return err
	}
	list, ok := f.x.vm.Array(v)
	if !ok {
		return throw(evSemantic, "not an array: %s", e.attr("array"))
	}
	name := e.attr("item")
	if !goodName(name) {
		return throw(evSemantic, "%q is no name of a variable", name)
	}
	s := f.scope.Find(name)
	if s == nil || s.Fixed() {
		s = f.scope
	}
	for _, v := range list {
		if err := f.x.step(); err != nil {
			return err
		}
		s.Declare(name, v)
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}
