package vxml

import (
	"errors"

	"hark/vxml/ecma"
)

// An execution is an execution context: documents and forms one after the other, until the application or the subdialog
// ends. A subdialog has one of its own.
type execution struct {
	*call
	parent      *execution
	root        *document
	doc         *document
	application *ecma.Scope
	docScope    *ecma.Scope
	dialog      *dialog
}

// run goes from dialog to dialog. It returns nil at the end of the application, an event that nothing caught, a *giveBack
// or a *fatal.
func (x *execution) run(t *transition) error {
	for {
		err := x.visit(t)
		var ended *exit
		switch {
		case errors.As(err, &t):
		case errors.As(err, &ended) && x.parent == nil:
			return nil
		default:
			return err
		}
	}
}

// visit enters a document, if it is another one, and runs one dialog.
func (x *execution) visit(t *transition) error {
	if err := x.step(); err != nil {
		return x.atDocument(err)
	}
	if !t.same {
		if err := x.enter(t); err != nil {
			return x.atDocument(err)
		}
	}
	if t.wrong != nil {
		return x.atDocument(t.wrong)
	}
	d := t.to
	if d == nil {
		d = x.doc.dialog(t.dialog)
	}
	if d == nil {
		return &exit{} // a document without dialogs
	}
	x.watch(Note{Kind: Entered, Text: x.doc.url + "#" + d.id})
	x.dialog = d
	return x.runForm(d, t)
}

// enter makes the scopes of a document (VoiceXML 2.0, 1.5.2): a root that stays keeps its variables, unless it goes to
// itself.
func (x *execution) enter(t *transition) error {
	wasRoot := x.doc == x.root
	stays := x.root != nil && x.root.url == t.root.url && !(wasRoot && t.doc == t.root)
	if stays {
		x.root = t.root
	}
	x.doc = t.doc
	if !stays {
		x.root = t.root
		x.application = x.newScope(x.session, "application")
		x.docScope = nil
		if t.root != t.doc {
			if err := x.initialise(t.root, x.application); err != nil {
				return err
			}
		}
	}
	if t.doc == t.root {
		x.docScope = x.application
		x.application.Alias("document")
		if stays {
			return nil
		}
		return x.initialise(t.doc, x.application)
	}
	if wasRoot && stays {
		x.application.Declare("document", nil)
	}
	x.docScope = x.newScope(x.application, "document")
	return x.initialise(t.doc, x.docScope)
}

// newScope makes a scope that documents know under a name.
func (x *execution) newScope(parent *ecma.Scope, name string) *ecma.Scope {
	s := x.vm.NewScope(parent)
	s.Alias(name)
	return s
}

// initialise runs the variables and scripts of a document.
func (x *execution) initialise(d *document, s *ecma.Scope) error {
	f := &frame{x: x, scope: s, doc: d}
	return f.run(d.init)
}

// atDocument handles an event that is thrown while no dialog runs.
func (x *execution) atDocument(err error) error {
	if x.doc == nil || isFlow(err) {
		return err
	}
	if x.docScope == nil {
		x.docScope = x.application
	}
	f := &formRun{x: x, dialog: &dialog{element: &element{node: x.doc.node}, doc: x.doc}, scope: x.vm.NewScope(x.docScope)}
	f.reset(nil)
	x.dialog = f.dialog
	err = f.settle(err, nil)
	if err == nil {
		return &exit{}
	}
	return err
}
