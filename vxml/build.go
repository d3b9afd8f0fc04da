package vxml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hark/vxml/ecma"
	"hark/vxml/srgs"
	"hark/vxml/xmltree"
)

// expressions are the attributes that hold ECMAScript.
var expressions = []string{"expr", "cond", "srcexpr", "eventexpr", "messageexpr", "destexpr", "aaiexpr", "expritem", "nameexpr", "array"}

// A builder compiles a tree into a document.
type builder struct {
	doc   *document
	make  map[string]func(*xmltree.Node) act
	fatal []Problem
}

// compile makes a document of its text. url is where it was in the end.
func compile(data []byte, at string, lim xmltree.Limits) (*document, error) {
	n, err := xmltree.Parse(data, lim)
	if err != nil {
		return nil, err
	}
	b := &builder{doc: &document{url: at, base: at, node: n}}
	b.make = b.makers()
	b.passOver(n, n.Space)
	if n.Name != "vxml" {
		b.report(Problem{n.Line, "the document element is <" + n.Name + ">, not <vxml>", true})
	} else {
		validate(n, b.report)
	}
	if len(b.fatal) == 0 {
		b.document(n)
	}
	if len(b.fatal) > 0 {
		return nil, &invalid{b.fatal}
	}
	return b.doc, nil
}

// The name spaces whose elements mean something, beside the document's own.
var nameSpaces = []string{"", "http://www.w3.org/2001/vxml", "http://www.w3.org/2001/06/grammar", "http://www.w3.org/2001/10/synthesis"}

// passOver takes elements of other name spaces out of a tree: a document with them conforms (VoiceXML 2.0, F.1).
func (b *builder) passOver(n *xmltree.Node, own string) {
	n.Child = slices.DeleteFunc(n.Child, func(c *xmltree.Node) bool {
		foreign := c.Kind == xmltree.Element && c.Space != own && !slices.Contains(nameSpaces, c.Space)
		if foreign && n.Name != "metadata" {
			b.report(Problem{c.Line, "<" + c.QName() + "> is of another name space, and passed over", false})
		}
		return foreign
	})
	for _, c := range n.Child {
		b.passOver(c, own)
	}
}

// invalid is a document that cannot be run.
type invalid struct{ problems []Problem }

func (e *invalid) Error() string { return e.problems[0].String() }

func (b *builder) report(p Problem) {
	if p.Fatal {
		b.fatal = append(b.fatal, p)
	} else {
		b.doc.problems = append(b.doc.problems, p)
	}
}

func (b *builder) refuse(n *xmltree.Node, format string, args ...any) {
	b.report(Problem{n.Line, fmt.Sprintf(format, args...), true})
}

// element compiles the expressions among an element's attributes.
func (b *builder) element(n *xmltree.Node) *element {
	e := &element{node: n}
	for _, name := range expressions {
		if v, ok := n.Lookup("", name); ok && !(name == "expr" && n.Name == "log" && v == "") {
			if e.exprs == nil {
				e.exprs = map[string]*ecma.Expr{}
			}
			e.exprs[name] = ecma.CompileExpr(v)
		}
	}
	return e
}

func (b *builder) document(n *xmltree.Node) {
	d := b.doc
	if v := n.Attr("version"); v != "2.0" && v != "2.1" {
		b.refuse(n, "version %q is neither 2.0 nor 2.1", v)
	}
	d.lang, _ = n.Lookup(xmltree.XML, "lang")
	if base, ok := n.Lookup(xmltree.XML, "base"); ok {
		d.base = xmltree.Resolve(d.url, base)
	}
	if app := n.Attr("application"); app != "" {
		d.application, _, _ = strings.Cut(xmltree.Resolve(d.base, app), "#")
	}
	d.props = b.properties(n)
	d.catches = b.catches(n)
	d.links = b.links(n)
	ids := map[string]bool{}
	for _, c := range n.Elements() {
		switch c.Name {
		case "form", "menu":
			x := b.dialog(c)
			if x.id != "" && ids[x.id] {
				b.refuse(c, "there are two dialogs %q", x.id)
			}
			ids[x.id] = true
			d.dialogs = append(d.dialogs, x)
		case "var", "script", "data":
			d.init = append(d.init, b.action(c))
		}
	}
}

func (b *builder) properties(n *xmltree.Node) properties {
	p := properties{}
	for _, c := range n.Elements() {
		if c.Name == "property" {
			p[c.Attr("name")] = c.Attr("value")
		}
	}
	return p
}

func (b *builder) dialog(n *xmltree.Node) *dialog {
	d := &dialog{element: b.element(n), id: n.Attr("id"), doc: b.doc, menu: n.Name == "menu"}
	switch n.Attr("scope") {
	case "document":
		d.global = true
	case "", "dialog":
	default:
		b.refuse(n, "scope is document or dialog, not %q", n.Attr("scope"))
	}
	d.props, d.catches, d.links = b.properties(n), b.catches(n), b.links(n)
	if d.menu {
		b.menu(d, n)
		return d
	}
	d.grammars = b.grammars(n)
	names := map[string]bool{}
	for _, c := range n.Elements() {
		b.formChild(d, c, names)
	}
	for _, f := range d.filled {
		b.filledBy(d, f)
	}
	return d
}

// filledBy refuses a <filled> that waits for what no input fills (2.4).
func (b *builder) filledBy(d *dialog, f *filled) {
	for _, name := range f.names {
		if i := d.find(name); i != nil && !i.isInput() {
			b.refuse(f.node, "<filled> waits for the %s %q, which no input fills", i.kind, name)
		}
	}
}

// formChild takes in one child of a form.
func (b *builder) formChild(d *dialog, c *xmltree.Node, names map[string]bool) {
	switch c.Name {
	case "var", "script", "data":
		d.init = append(d.init, b.action(c))
	case "filled":
		d.filled = append(d.filled, b.filled(c, nil, d))
	case "field", "block", "initial", "record", "transfer", "subdialog", "object":
		i := b.item(c)
		if i.name != "" && names[i.name] {
			b.refuse(c, "there are two items %q in one form", i.name)
		}
		names[i.name] = true
		i.order = len(d.items)
		d.items = append(d.items, i)
		d.init = append(d.init, declareItem(i))
		for _, f := range c.Elements() {
			if f.Name == "filled" {
				d.filled = append(d.filled, b.filled(f, i, d))
			}
		}
	}
}

func (b *builder) item(n *xmltree.Node) *item {
	i := &item{element: b.element(n), kind: n.Name, name: n.Attr("name"), modal: n.Attr("modal") == "true"}
	if i.kind == "record" {
		i.modal = n.Attr("modal") != "false"
	}
	if i.slot = n.Attr("slot"); i.slot == "" {
		i.slot = i.name
	}
	if i.kind == "block" {
		i.actions = b.actions(n)
		return i
	}
	i.props, i.catches, i.links = b.properties(n), b.catches(n), b.links(n)
	i.prompts = b.prompts(n)
	i.grammars = b.grammars(n)
	b.fieldType(i, n)
	for _, c := range n.Elements() {
		switch c.Name {
		case "param":
			i.params = append(i.params, b.element(c))
		case "option":
			i.choices = append(i.choices, b.option(c))
		}
	}
	return i
}

// fieldType adds the grammar of a built-in type.
func (b *builder) fieldType(i *item, n *xmltree.Node) {
	t := n.Attr("type")
	if t == "" || i.kind != "field" {
		return
	}
	i.grammars = append(i.grammars, b.builtin(i.element, "builtin:dtmf/"+strings.TrimPrefix(strings.TrimPrefix(t, "builtin:dtmf/"), "builtin:grammar/")))
}

func (b *builder) builtin(e *element, uri string) *grammar {
	g := &grammar{element: e, uri: uri}
	g.inline, g.err = srgs.Builtin(uri)
	return g
}

func (b *builder) filled(n *xmltree.Node, of *item, d *dialog) *filled {
	f := &filled{element: &element{node: n}, item: of, any: n.Attr("mode") == "any", names: strings.Fields(n.Attr("namelist")), actions: b.actions(n)}
	if of != nil && (n.Has("namelist") || n.Has("mode")) {
		b.refuse(n, "<filled> within an item has neither mode nor namelist")
	}
	if m := n.Attr("mode"); m != "" && m != "any" && m != "all" {
		b.refuse(n, "mode is any or all, not %q", m)
	}
	return f
}

// catches compiles the handlers of one level, in their order.
func (b *builder) catches(n *xmltree.Node) []*catch {
	var list []*catch
	for _, c := range n.Elements() {
		h := &catch{element: b.element(c), count: 1}
		switch c.Name {
		case "catch":
			h.events = strings.Fields(c.Attr("event"))
			if len(h.events) == 0 {
				h.events = []string{""}
			}
			for i, e := range h.events {
				h.events[i] = strings.TrimSuffix(e, ".")
			}
		case "error", "help", "noinput", "nomatch":
			h.events = []string{c.Name}
		default:
			continue
		}
		if c.Has("count") {
			h.count = b.number(c, "count")
		}
		h.actions = b.actions(c)
		list = append(list, h)
	}
	return list
}

// number reads an attribute that is a whole number from 1.
func (b *builder) number(n *xmltree.Node, name string) int {
	v, err := strconv.Atoi(strings.TrimSpace(n.Attr(name)))
	if err != nil || v < 1 {
		b.refuse(n, "%s is a number from 1, not %q", name, n.Attr(name))
		return 1
	}
	return v
}

func (b *builder) links(n *xmltree.Node) []*link {
	var list []*link
	for _, c := range n.Elements() {
		if c.Name == "link" {
			l := &link{element: b.element(c), doc: b.doc, grammars: b.grammars(c)}
			list = append(list, l)
			if keys := c.Attr("dtmf"); keys != "" {
				l.grammars = append(l.grammars, b.keys(c, keys, ""))
			}
		}
	}
	return list
}

// keys makes the grammar of a dtmf attribute. meaning "" is the keys.
func (b *builder) keys(n *xmltree.Node, keys, meaning string) *grammar {
	g := &grammar{element: &element{node: n}}
	g.inline, g.err = srgs.Keys(keys, meaning)
	if g.err != nil {
		b.refuse(n, "%q are no keys", keys)
	}
	return g
}

// grammars compiles the grammars of one level.
func (b *builder) grammars(n *xmltree.Node) []*grammar {
	var list []*grammar
	for _, c := range n.Elements() {
		if c.Name == "grammar" {
			list = append(list, b.grammar(c))
		}
	}
	return list
}

func (b *builder) grammar(n *xmltree.Node) *grammar {
	g := &grammar{element: b.element(n)}
	if n.Has("scope") && n.Parent.Name != "form" {
		b.refuse(n, "a grammar in <%s> has no scope", n.Parent.Name)
	}
	switch {
	case n.Has("src"):
		g.uri = n.Attr("src")
		switch {
		case strings.HasPrefix(g.uri, "#"):
			g.uri = b.doc.url + g.uri
		case !strings.HasPrefix(g.uri, "builtin:"):
			g.uri = xmltree.Resolve(b.doc.base, g.uri)
		}
	case n.Has("srcexpr"):
	default:
		if g.inline, g.err = inlineGrammar(n, b.doc.base); g.err == nil {
			b.doc.inline = append(b.doc.inline, g.inline)
		}
	}
	return g
}

// grammarTypes are the media types of the grammars that can be read.
var grammarTypes = map[string]bool{"": true, "application/srgs": true, "application/srgs+xml": true, "application/grammar": true,
	"application/grammar+xml": true, "text/xml": true, "application/xml": true}

func inlineGrammar(n *xmltree.Node, base string) (*srgs.Grammar, error) {
	if !grammarTypes[n.Attr("type")] {
		return nil, throw(evFormat, "grammars of type %s", n.Attr("type"))
	}
	if len(n.Elements()) > 0 {
		return srgs.ParseXML(n, base)
	}
	text := strings.TrimSpace(n.Text())
	if !srgs.IsABNF(text) {
		return nil, throw(evFormat, "an inline grammar that is neither XML nor ABNF")
	}
	return srgs.ParseABNF(text, base)
}

// maxAuto is how many choices get a key of their own.
const maxAuto = 9

// menu compiles a menu into a form with one item.
func (b *builder) menu(d *dialog, n *xmltree.Node) {
	i := &item{element: d.element, kind: "menu", prompts: b.prompts(n)}
	d.items = []*item{i}
	auto := 0
	for _, c := range n.Elements() {
		switch c.Name {
		case "script":
			d.init = append(d.init, b.action(c))
		case "choice":
			x := &choice{element: b.element(c), doc: b.doc, keys: strings.TrimSpace(c.Attr("dtmf")), prompt: b.speech(c), grammars: b.grammars(c)}
			if n.Attr("dtmf") == "true" {
				if x.keys == "" && auto < maxAuto {
					auto++
					x.keys = strconv.Itoa(auto)
				} else if x.keys != "" && !strings.Contains("0*#", x.keys) {
					b.refuse(c, "beside dtmf=\"true\" of the menu a choice may only have the key 0, * or #")
				}
			}
			if x.keys != "" {
				x.grammars = append(x.grammars, b.keys(c, x.keys, ""))
			}
			i.choices = append(i.choices, x)
		}
	}
}

// option compiles an option of a field: its value is that of the attribute, or its text, or its keys.
func (b *builder) option(n *xmltree.Node) *choice {
	x := &choice{element: b.element(n), doc: b.doc, keys: strings.TrimSpace(n.Attr("dtmf")), prompt: b.speech(n)}
	text := strings.Join(strings.Fields(n.Text()), " ")
	switch {
	case n.Has("value"):
		x.value = n.Attr("value")
	case text != "":
		x.value = text
	default:
		x.value = x.keys
	}
	if x.keys != "" {
		x.grammars = []*grammar{b.keys(n, x.keys, x.value)}
	}
	return x
}

// prompts compiles what an item says before it listens. Text and sounds outside of a <prompt> are one, as far as they stand
// together (4.1).
func (b *builder) prompts(n *xmltree.Node) []*prompt {
	var list []*prompt
	var bare *prompt
	for _, c := range n.Child {
		if c.Kind == xmltree.Element && c.Name == "prompt" {
			list = append(list, b.prompt(c))
			bare = nil
			continue
		}
		said := b.speechNode(c)
		switch {
		case said == nil:
			bare = nil
			continue
		case bare == nil && c.Kind == xmltree.Text && strings.TrimSpace(c.Data) == "":
			continue
		case bare == nil:
			bare = &prompt{element: &element{node: c}, count: 1}
			list = append(list, bare)
		}
		bare.speak = append(bare.speak, said)
	}
	return list
}

func (b *builder) prompt(c *xmltree.Node) *prompt {
	p := &prompt{element: b.element(c), count: 1, speak: b.speech(c)}
	p.lang, _ = c.Lookup(xmltree.XML, "lang")
	p.base, _ = c.Lookup(xmltree.XML, "base")
	if c.Has("count") {
		p.count = b.number(c, "count")
	}
	return p
}
