package vxml

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/xmltree"
)

// Check reads the page at an absolute URL, and its root document, and reports what is wrong with the page, by lines. The
// error is for a page that cannot be had.
func (i *Interpreter) Check(ctx context.Context, page string) ([]Problem, error) {
	out, err := i.client.Do(ctx, fetch.Request{URL: page})
	if err != nil {
		return nil, fmt.Errorf("vxml: %w", err)
	}
	doc, problems := parseForCheck(out.Body, out.URL, i.Limits.xml())
	if doc == nil {
		return problems, nil
	}
	root := doc
	if doc.application != "" && doc.application != doc.url {
		root, err = i.rootForCheck(ctx, doc.application)
		if err != nil {
			problems = append(problems, Problem{doc.node.Line, "the root document: " + err.Error(), true})
			root = doc
		}
	}
	return sorted(append(problems, lint(doc, root)...)), nil
}

func (i *Interpreter) rootForCheck(ctx context.Context, url string) (*document, error) {
	out, err := i.client.Do(ctx, fetch.Request{URL: url})
	if err != nil {
		return nil, err
	}
	return compile(out.Body, out.URL, i.Limits.xml())
}

// Check reports what is wrong with a document, by lines. at is the URL that it will have. A root document is not looked
// at: what is declared there counts as not declared.
func Check(doc []byte, at string) []Problem {
	d, problems := parseForCheck(doc, at, xmltree.Limits{})
	if d == nil {
		return problems
	}
	return sorted(append(problems, lint(d, d)...))
}

// parseForCheck compiles a document; nil and the reasons when that is not possible.
func parseForCheck(b []byte, at string, lim xmltree.Limits) (*document, []Problem) {
	d, err := compile(b, at, lim)
	var bad *invalid
	var syntax *xmltree.SyntaxError
	switch {
	case err == nil:
		return d, slices.Clone(d.problems)
	case errors.As(err, &bad):
		return nil, sorted(bad.problems)
	case errors.As(err, &syntax):
		return nil, []Problem{{syntax.Line, syntax.Err.Error(), true}}
	}
	return nil, []Problem{{1, err.Error(), true}}
}

// sorted puts problems in the order of their lines, each once.
func sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(list)
}

// A linter looks for mistakes in a document that can be run.
type linter struct {
	doc      *document
	declared map[string]bool
	reached  map[string]bool
	anywhere bool // a computed address may lead to any dialog
	found    []Problem
}

// lint looks for mistakes. root is the root document, or doc itself.
func lint(doc, root *document) []Problem {
	l := &linter{doc: doc, declared: map[string]bool{}, reached: map[string]bool{}}
	for _, name := range append(ecma.New(ecma.Limits{}).Globals(), "session", "application", "document", "dialog", "_event",
		"_message", "_prompt", "_dtmf", "lastresult$", "connection", "telephone", "undefined", "Node", "DOMException") {
		l.declared[name] = true
	}
	l.declare(root.node)
	l.declare(doc.node)
	l.look(doc.node)
	l.lookAtDialogs()
	return l.found
}

func (l *linter) say(n *xmltree.Node, format string, args ...any) {
	l.found = append(l.found, Problem{n.Line, fmt.Sprintf(format, args...), false})
}

// declare collects the names that a document declares, in whatever scope.
func (l *linter) declare(n *xmltree.Node) {
	switch n.Name {
	case "var", "data", "field", "block", "record", "transfer", "subdialog", "object", "initial":
		l.declared[n.Attr("name")] = true
		l.declared[n.Attr("name")+"$"] = true
	case "foreach":
		l.declared[n.Attr("item")] = true
	case "script":
		if s, err := ecma.Compile("", n.Text()); err == nil {
			for _, name := range s.Declares() {
				l.declared[name] = true
			}
		}
		if n.Has("src") || n.Has("srcexpr") {
			l.declared["*"] = true // it may declare anything
		}
	}
	for _, c := range n.Elements() {
		l.declare(c)
	}
}

// look goes through all elements but those of grammars.
func (l *linter) look(n *xmltree.Node) {
	for _, name := range expressions {
		if v, ok := n.Lookup("", name); ok && shapes[n.Name].attrs != "" {
			l.expression(n, name, ecma.CompileExpr(v))
		}
	}
	switch n.Name {
	case "script":
		l.script(n)
	case "assign":
		target := ecma.CompileTarget(n.Attr("name"))
		l.expression(n, "name", &target.Expr)
		l.use(n, target.First)
	case "property":
		l.property(n)
	case "goto", "choice", "link", "submit", "subdialog":
		l.target(n)
	case "grammar":
		if n.Attr("src") == "" && !n.Has("srcexpr") {
			if _, err := inlineGrammar(n, l.doc.base); err != nil {
				l.say(n, "%v", err)
			}
		}
		return
	}
	for name := range strings.FieldsSeq(n.Attr("namelist")) {
		first, _, _ := strings.Cut(name, ".")
		l.use(n, first)
	}
	for _, c := range n.Elements() {
		l.look(c)
	}
}

func (l *linter) expression(n *xmltree.Node, attr string, e *ecma.Expr) {
	if e.Err != nil {
		l.say(n, "%s of <%s>: %v", attr, n.Name, e.Err)
		return
	}
	for _, name := range e.Free() {
		l.use(n, name)
	}
}

func (l *linter) use(n *xmltree.Node, name string) {
	if name != "" && !l.declared[name] && !l.declared["*"] {
		l.say(n, "%s is not declared", name)
	}
}

func (l *linter) script(n *xmltree.Node) {
	if n.Has("src") || n.Has("srcexpr") {
		return
	}
	s, err := ecma.Compile("", n.Text())
	if err != nil {
		l.say(n, "%v", err)
		return
	}
	for _, name := range s.Free() {
		l.use(n, name)
	}
}

// property checks a value.
func (l *linter) property(n *xmltree.Node) {
	name, v := n.Attr("name"), n.Attr("value")
	if good := kinds[name]; good != nil && !good(v) {
		l.say(n, "%q is no value of the property %s", v, name)
	}
}

// target notes where an element leads.
func (l *linter) target(n *xmltree.Node) {
	uri := n.Attr("next") + n.Attr("src")
	if n.Has("expr") && n.Name != "subdialog" || n.Has("srcexpr") {
		l.anywhere = true
	}
	if uri == "" {
		return
	}
	file, id, local := strings.Cut(xmltree.Resolve(l.doc.base, uri), "#")
	if file != l.doc.url || !local {
		return
	}
	l.reached[id] = true
	if l.doc.dialog(id) == nil {
		l.say(n, "there is no dialog %q", id)
	}
}

// lookAtDialogs checks what only makes sense for whole dialogs.
func (l *linter) lookAtDialogs() {
	if len(l.doc.dialogs) == 0 {
		return
	}
	for i, d := range l.doc.dialogs {
		if i > 0 && !l.anywhere && !d.global && !l.reached[d.id] {
			l.say(d.node, "nothing leads to the %s %q", d.node.Name, d.id)
		}
		for _, item := range d.items {
			l.item(d, item)
		}
	}
}

// item checks that the caller hears what to do, and can do it.
func (l *linter) item(d *dialog, i *item) {
	name := cmp.Or(i.name, d.id)
	if (i.kind == "field" || i.kind == "menu" || i.kind == "record") && len(i.prompts) == 0 && !saidBefore(i.node) {
		l.say(i.node, "the %s %q says nothing before it listens", i.kind, name)
	}
	keys := len(i.grammars) + len(d.grammars) + len(i.links) + len(d.links) + len(l.doc.links)
	for _, c := range i.choices {
		keys += len(c.grammars)
	}
	if (i.kind == "field" || i.kind == "menu" || i.kind == "initial") && keys == 0 {
		l.say(i.node, "no key can answer the %s %q", i.kind, name)
	}
	for _, g := range i.grammars {
		if g.err != nil && g.uri != "" {
			l.say(g.node, "%v", g.err)
		}
	}
	for _, c := range d.node.Elements() {
		l.nextItems(d, c)
	}
}

// saidBefore tells whether a block or a <filled> in front of an item says something, which is heard before the item listens.
func saidBefore(item *xmltree.Node) bool {
	for _, c := range item.Parent.Elements() {
		if c == item {
			return false
		}
		for _, f := range append(c.Elements(), c) {
			if (f.Name == "block" || f.Name == "filled") && says(f) {
				return true
			}
		}
	}
	return false
}

// says tells whether anything in an element is spoken.
func says(n *xmltree.Node) bool {
	return slices.ContainsFunc(n.Child, func(c *xmltree.Node) bool {
		switch {
		case c.Kind == xmltree.Text:
			return strings.TrimSpace(c.Data) != ""
		case c.Kind != xmltree.Element || c.Name == "script" || c.Name == "log":
			return false
		}
		return c.Name == "audio" || c.Name == "value" || c.Name == "enumerate" || says(c)
	})
}

// nextItems checks where <goto nextitem> leads.
func (l *linter) nextItems(d *dialog, n *xmltree.Node) {
	if next := n.Attr("nextitem"); n.Name == "goto" && next != "" && d.find(next) == nil {
		l.say(n, "the form has no item %q", next)
	}
	for _, c := range n.Elements() {
		l.nextItems(d, c)
	}
}
