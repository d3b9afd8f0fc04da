package srgs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hark/vxml/xmltree"
)

// ParseXML reads a grammar from its <grammar> element. uri is where it stands.
func ParseXML(n *xmltree.Node, uri string) (*Grammar, error) {
	if n.Name != "grammar" {
		return nil, wrong(n, "no <grammar>")
	}
	g := &Grammar{URI: uri, Root: n.Attr("root"), Mode: n.Attr("mode"), Format: tagFormat(n.Attr("tag-format")), rules: map[string]*rule{}}
	if base, ok := n.Lookup(xmltree.XML, "base"); ok {
		g.URI = xmltree.Resolve(uri, base)
	}
	if v := n.Attr("version"); v != "" && v != "1.0" {
		return nil, wrong(n, fmt.Sprintf("version %q is not 1.0", v))
	}
	children, err := onlyElements(n)
	if err != nil {
		return nil, err
	}
	for _, c := range children {
		if err := g.declaration(c); err != nil {
			return nil, err
		}
	}
	if len(g.rules) == 0 {
		return nil, wrong(n, "no rule")
	}
	return g.finish()
}

// onlyElements returns the children of an element that may hold no text.
func onlyElements(n *xmltree.Node) ([]*xmltree.Node, error) {
	for _, c := range n.Child {
		if c.Kind == xmltree.Text && strings.TrimSpace(c.Data) != "" {
			return nil, wrong(n, "text does not belong into <"+n.Name+">")
		}
	}
	return n.Elements(), nil
}

func wrong(n *xmltree.Node, text string) error {
	return fmt.Errorf("%w: line %d: %s", ErrGrammar, n.Line, text)
}

// declaration reads a child of <grammar>.
func (g *Grammar) declaration(c *xmltree.Node) error {
	switch c.Name {
	case "rule":
		body, err := g.content(c)
		if err != nil {
			return err
		}
		if s := c.Attr("scope"); s != "" && s != "public" && s != "private" {
			return wrong(c, fmt.Sprintf("scope is public or private, not %q", s))
		}
		return g.add(&rule{id: c.Attr("id"), public: c.Attr("scope") == "public", body: body}, c.Line)
	case "tag":
		g.header = append(g.header, newTag(c.Text(), g.Format))
	case "meta", "metadata", "lexicon":
	default:
		if foreign(c) {
			return nil
		}
		return wrong(c, "<"+c.Name+"> does not belong here")
	}
	return nil
}

// content reads what stands in a rule or an item, one after the other.
func (g *Grammar) content(n *xmltree.Node) (seq, error) {
	s := seq{}
	for _, c := range n.Child {
		if c.Kind == xmltree.Text {
			s = append(s, tokens(c.Data)...)
		}
		if c.Kind != xmltree.Element {
			continue
		}
		part, err := g.part(c)
		if err != nil {
			return nil, err
		}
		s = append(s, part)
	}
	return s, nil
}

func (g *Grammar) part(c *xmltree.Node) (node, error) {
	switch c.Name {
	case "item":
		return g.item(c)
	case "one-of":
		return g.oneOf(c)
	case "token":
		return tokens(c.Text()), nil
	case "tag":
		t := newTag(c.Text(), g.Format)
		return &t, nil
	case "ruleref":
		return g.ruleref(c)
	case "example":
		return seq{}, nil
	}
	if foreign(c) {
		return seq{}, nil
	}
	return nil, wrong(c, "<"+c.Name+"> does not belong here")
}

// foreign tells whether an element is of another name space than what it stands in: such ones are passed over.
func foreign(c *xmltree.Node) bool { return c.Space != c.Parent.Space }

func (g *Grammar) item(c *xmltree.Node) (node, error) {
	body, err := g.content(c)
	if err != nil || !c.Has("repeat") {
		return body, err
	}
	low, high, err := counts(c.Attr("repeat"))
	if err == nil {
		err = probability(c.Attr("repeat-prob"))
	}
	if err != nil {
		return nil, wrong(c, err.Error())
	}
	return repeat{low, high, body}, nil
}

// counts reads "3", "2-4" or "1-".
func counts(s string) (low, high int, err error) {
	first, second, span := strings.Cut(strings.TrimSpace(s), "-")
	low, err = strconv.Atoi(strings.TrimSpace(first))
	high = low
	if span {
		second = strings.TrimSpace(second)
		if high = -1; second != "" && err == nil {
			high, err = strconv.Atoi(second)
		}
	}
	if err != nil || low < 0 || high >= 0 && high < low || low > maxInsts || high > maxInsts {
		return 0, 0, fmt.Errorf("%q is no count", s)
	}
	return low, high, nil
}

// probability checks how likely a repeat is, "" or a number from 0 to 1. Keys are never uncertain: it is not used.
func probability(s string) error {
	if p, err := strconv.ParseFloat(s, 64); s != "" && (err != nil || p < 0 || p > 1) {
		return fmt.Errorf("%q is no probability", s)
	}
	return nil
}

func (g *Grammar) oneOf(c *xmltree.Node) (node, error) {
	items, err := onlyElements(c)
	if err != nil {
		return nil, err
	}
	var list []choice
	for _, i := range items {
		if foreign(i) {
			continue
		}
		if i.Name != "item" {
			return nil, wrong(i, "only <item> may stand in <one-of>")
		}
		weight, err := weight(i.Attr("weight"))
		if err != nil {
			return nil, wrong(i, err.Error())
		}
		body, err := g.item(i)
		if err != nil {
			return nil, err
		}
		list = append(list, choice{weight, body})
	}
	if len(list) == 0 {
		return nil, wrong(c, "<one-of> without an <item>")
	}
	return heaviest(list), nil
}

// A choice is one of several.
type choice struct {
	weight float64
	of     node
}

// heaviest puts choices in the order in which they are tried.
func heaviest(list []choice) alt {
	slices.SortStableFunc(list, func(a, b choice) int { return cmp.Compare(b.weight, a.weight) })
	out := make(alt, len(list))
	for i, c := range list {
		out[i] = c.of
	}
	return out
}

func weight(s string) (float64, error) {
	if s == "" {
		return 1, nil
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || w < 0 {
		return 0, fmt.Errorf("%q is no weight", s)
	}
	return w, nil
}

func (g *Grammar) ruleref(c *xmltree.Node) (node, error) {
	if c.Has("special") == c.Has("uri") {
		return nil, wrong(c, "<ruleref> wants either uri or special")
	}
	if c.Has("special") {
		return specialNode(c.Attr("special"), c.Line)
	}
	return g.reference(c.Attr("uri"), c.Line)
}

func specialNode(name string, line int) (node, error) {
	switch name {
	case "NULL":
		return seq{}, nil
	case "VOID":
		return void{}, nil
	case "GARBAGE":
		return noise{}, nil
	}
	return nil, fmt.Errorf("%w: line %d: no special rule %q", ErrGrammar, line, name)
}

// reference notes a use of another rule.
func (g *Grammar) reference(uri string, line int) (node, error) {
	file, id, _ := strings.Cut(uri, "#")
	if file == "" && id == "" {
		return nil, fmt.Errorf("%w: line %d: an empty reference", ErrGrammar, line)
	}
	r := &ref{uri: file, rule: id, line: line}
	if file != "" {
		g.refs = append(g.refs, r)
	}
	return r, nil
}
