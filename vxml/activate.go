package vxml

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"hark/vxml/srgs"
	"hark/vxml/xmltree"
)

// An active is a grammar that keys are matched against now, with what its match does.
type active struct {
	linked *srgs.Linked
	item   *item   // fills the item
	dialog *dialog // whose grammar it is: goes there first when it is another one, then fills the form's items or makes the choice
	link   *link
	choice *choice
	line   int // where the grammar stands
	m      *srgs.Matcher
}

// activate makes the grammars ready that count while an item listens, in the order in which they are preferred: the
// innermost first, and what stands on one level as it stands in the document (3.1.4).
func (f *formRun) activate(i *item) ([]*active, error) {
	a := &activation{f: f, item: i}
	a.of(i.grammars, f.x.doc, active{item: i})
	for _, c := range i.choices {
		if i.kind == "menu" {
			a.of(c.grammars, c.doc, active{choice: c})
		} else {
			a.of(c.grammars, c.doc, active{item: i})
		}
	}
	a.links(i.links)
	a.level()
	if i.modal || a.err != nil {
		return a.list, a.err
	}
	a.of(f.dialog.grammars, f.x.doc, active{dialog: f.dialog})
	a.links(f.dialog.links)
	a.level()
	a.document(f.x.doc)
	if f.x.root != f.x.doc {
		a.document(f.x.root)
	}
	return a.list, a.err
}

type activation struct {
	f    *formRun
	item *item
	list []*active
	done int // how much of the list is in order
	err  error
}

// level puts what was added since the last time into the order of the document.
func (a *activation) level() {
	slices.SortStableFunc(a.list[a.done:], func(x, y *active) int { return cmp.Compare(x.line, y.line) })
	a.done = len(a.list)
}

func (a *activation) links(list []*link) {
	for _, l := range list {
		a.of(l.grammars, l.doc, active{link: l})
	}
}

// document adds what counts in all of a document: its links, and the grammars of dialogs that say so.
func (a *activation) document(d *document) {
	a.links(d.links)
	for _, x := range d.dialogs {
		if x == a.f.dialog {
			continue
		}
		a.of(x.scoped(), d, active{dialog: x})
		if x.menu && x.global {
			for _, c := range x.items[0].choices {
				a.of(c.grammars, d, active{dialog: x, choice: c})
			}
		}
	}
	a.level()
}

// scoped are the grammars of a form that count in the whole document.
func (d *dialog) scoped() []*grammar {
	var list []*grammar
	for _, g := range d.grammars {
		if s := g.attr("scope"); s == "document" || s == "" && d.global {
			list = append(list, g)
		}
	}
	return list
}

// of adds grammars with what their match does.
func (a *activation) of(list []*grammar, from *document, what active) {
	for _, g := range list {
		if a.err != nil {
			return
		}
		linked, err := a.f.link(g, from, a.item)
		if err != nil {
			a.err = err
			return
		}
		one := what
		one.linked, one.m, one.line = linked, linked.NewMatcher(), g.node.Line
		a.list = append(a.list, &one)
	}
}

// link gets a grammar and all that it refers to.
func (f *formRun) link(g *grammar, from *document, i *item) (*srgs.Linked, error) {
	fr := f.frame(i)
	made, rule := g.inline, ""
	err := g.err
	if made == nil && err == nil {
		made, rule, err = f.x.remote(fr, g, from)
	}
	if err == nil {
		var l *srgs.Linked
		l, err = srgs.Link(made, rule, func(base, uri string) (*srgs.Grammar, error) {
			return f.x.grammar(fr, nil, xmltree.Resolve(base, uri))
		})
		if err == nil {
			return l, nil
		}
	}
	var event *Event
	if errors.As(err, &event) || isFatal(err) {
		return nil, err
	}
	return nil, badFetch(f.x.ctx(), err)
}

func isFatal(err error) bool {
	var stop *fatal
	return errors.As(err, &stop)
}

// remote gets a grammar that src or srcexpr names.
func (x *execution) remote(fr *frame, g *grammar, from *document) (*srgs.Grammar, string, error) {
	uri := g.uri
	if e := g.exprs["srcexpr"]; e != nil {
		s, err := fr.evalText(e)
		if err != nil {
			return nil, "", err
		}
		uri = s
		if !strings.HasPrefix(uri, "builtin:") {
			uri = xmltree.Resolve(from.base, uri)
		}
	}
	if strings.HasPrefix(uri, "builtin:") {
		made, err := srgs.Builtin(uri)
		return made, "", err
	}
	if !grammarTypes[g.attr("type")] {
		return nil, "", throw(evFormat, "grammars of type %s", g.attr("type"))
	}
	url, rule, named := strings.Cut(uri, "#")
	if named && url == from.url {
		made, err := from.grammarOf(rule)
		return made, rule, err
	}
	made, err := x.grammar(fr, g.element, url)
	return made, rule, err
}
