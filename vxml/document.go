package vxml

import (
	"hark/vxml/ecma"
	"hark/vxml/srgs"
	"hark/vxml/xmltree"
)

// An element is a compiled element: its attributes, and those of them that are expressions.
type element struct {
	node  *xmltree.Node
	exprs map[string]*ecma.Expr
}

func (e *element) attr(name string) string { return e.node.Attr(name) }

// A document is a compiled document. It is not changed any more and shared by calls.
type document struct {
	url         string // without a fragment; what stands in it is relative to base
	base        string
	application string // URL of its root document, or ""
	lang        string
	node        *xmltree.Node
	props       properties
	init        []act
	dialogs     []*dialog
	catches     []*catch
	links       []*link
	inline      []*srgs.Grammar // all that stand in it
	problems    []Problem       // none of them fatal
}

// dialog finds a dialog by its id; "" is the first one.
func (d *document) dialog(id string) *dialog {
	for _, x := range d.dialogs {
		if id == "" || x.id == id {
			return x
		}
	}
	return nil
}

// grammarOf finds the grammar within the document that has a rule of that name: src="#name" of another one.
func (d *document) grammarOf(rule string) (*srgs.Grammar, error) {
	for _, g := range d.inline {
		if g.Has(rule) {
			return g, nil
		}
	}
	return nil, throw(evBadFetch, "no grammar of the document has a rule %q", rule)
}

// properties are those set at one level.
type properties map[string]string

// A dialog is a form or a menu. A menu is a form with one item.
type dialog struct {
	*element
	id       string
	doc      *document
	global   bool // its grammars count in the whole document
	menu     bool
	props    properties
	init     []act
	items    []*item
	filled   []*filled
	catches  []*catch
	links    []*link
	grammars []*grammar
}

// menuItem is the one item of a menu; nil for a form.
func (d *dialog) menuItem() *item {
	if d.menu {
		return d.items[0]
	}
	return nil
}

// find returns the item of a name.
func (d *dialog) find(name string) *item {
	for _, i := range d.items {
		if i.name == name {
			return i
		}
	}
	return nil
}

// An item is a form item.
type item struct {
	*element
	kind     string // the element's name
	name     string // of its variable; "" keeps it out of sight
	order    int
	modal    bool
	slot     string
	prompts  []*prompt
	props    properties
	catches  []*catch
	links    []*link
	grammars []*grammar
	params   []*element
	choices  []*choice
	actions  []act
}

// isInput tells whether the item's variable is filled by the caller or by something outside.
func (i *item) isInput() bool { return i.kind != "block" && i.kind != "initial" && i.kind != "menu" }

// A filled is what to do when items have values.
type filled struct {
	*element
	item    *item // nil when it is the form's
	names   []string
	any     bool
	actions []act
}

// A catch handles events.
type catch struct {
	*element
	events  []string
	count   int
	actions []act
}

// A link goes somewhere, or throws, from wherever its grammars count.
type link struct {
	*element
	doc      *document
	grammars []*grammar
}

// A choice is one of a menu, or an option of a field.
type choice struct {
	*element
	doc      *document
	keys     string
	value    string // of an option
	prompt   []speak
	grammars []*grammar
}

// A grammar is where keys are described: inline, or elsewhere.
type grammar struct {
	*element
	inline *srgs.Grammar
	uri    string // fixed, also builtin:
	err    error
}

// A prompt is what is said before an item listens.
type prompt struct {
	*element
	count int
	speak []speak
	lang  string
	base  string // xml:base, "" is the document's
}
