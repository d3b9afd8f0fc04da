package ecma

import (
	"slices"
	"strings"

	"github.com/dop251/goja"

	"hark/vxml/xmltree"
)

// The node types of DOM Level 2.
const (
	domElement   = 1
	domAttr      = 2
	domText      = 3
	domProcInst  = 7
	domComment   = 8
	domDocument  = 9
	maxDOMListed = 100_000
)

// A dom is one document as scripts see it: the read-only part of DOM Level 2 Core that VoiceXML 2.1, appendix D, names.
// Node objects are made when they are asked for, once each.
type dom struct {
	vm       *VM
	root     *xmltree.Node
	document *goja.Object
	nodes    map[*xmltree.Node]*goja.Object
}

// Document makes the DOM of a tree.
func (vm *VM) Document(root *xmltree.Node) Value {
	vm.domGlobals()
	d := &dom{vm: vm, root: root, nodes: map[*xmltree.Node]*goja.Object{}}
	d.document = vm.rt.NewDynamicObject(&domNode{dom: d, props: d.documentProps()})
	return d.document
}

// domProps are a node's properties: functions that compute them.
type domProps map[string]func() Value

// A domNode is one node for the engine. It cannot be changed.
type domNode struct {
	*dom
	props domProps
}

// Get computes a property.
func (n *domNode) Get(key string) Value {
	if f := n.props[key]; f != nil {
		return f()
	}
	return nil
}

// Set refuses.
func (n *domNode) Set(string, Value) bool { return false }

// Has tells whether there is a property.
func (n *domNode) Has(key string) bool { return n.props[key] != nil }

// Delete refuses.
func (n *domNode) Delete(string) bool { return false }

// Keys lists nothing: a DOM is not gone through by for-in.
func (n *domNode) Keys() []string { return nil }

func (d *dom) value(v any) func() Value {
	return func() Value { return d.vm.rt.ToValue(v) }
}

func (d *dom) null() Value { return goja.Null() }

// method makes a function of the arguments as texts.
func (d *dom) method(f func(args ...string) Value) func() Value {
	return func() Value {
		return d.vm.rt.ToValue(func(call goja.FunctionCall) Value {
			args := make([]string, 3)
			for i := range args {
				if v := call.Argument(i); !goja.IsUndefined(v) {
					args[i] = v.String()
				}
			}
			return f(args...)
		})
	}
}

// common are the properties that all nodes have.
func (d *dom) common(kind int, name string) domProps {
	null := d.null
	p := domProps{
		"nodeType": d.value(kind), "nodeName": d.value(name), "nodeValue": null, "parentNode": null, "firstChild": null,
		"lastChild": null, "previousSibling": null, "nextSibling": null, "attributes": null, "namespaceURI": null,
		"prefix": null, "localName": null, "childNodes": func() Value { return d.list(nil) },
		"ownerDocument": func() Value { return d.document },
		"hasChildNodes": d.method(func(...string) Value { return d.vm.rt.ToValue(false) }),
		"hasAttributes": d.method(func(...string) Value { return d.vm.rt.ToValue(false) }),
		"toString":      d.method(func(...string) Value { return d.vm.rt.ToValue("[object Node]") }),
	}
	for constant, v := range nodeTypes {
		p[constant] = d.value(v)
	}
	return p
}

// top lists the nodes of the document itself.
func (d *dom) top() []*xmltree.Node { return append(slices.Clip(d.root.Before), d.root) }

func (d *dom) documentProps() domProps {
	p := d.common(domDocument, "#document")
	root := func() Value { return d.node(d.root) }
	p["documentElement"], p["lastChild"] = root, root
	p["firstChild"] = func() Value { return d.node(d.top()[0]) }
	p["ownerDocument"], p["doctype"] = d.null, d.null
	p["childNodes"] = func() Value { return d.list(d.top()) }
	p["hasChildNodes"] = d.method(func(...string) Value { return d.vm.rt.ToValue(true) })
	d.searches(p, func() []*xmltree.Node { return []*xmltree.Node{d.root} })
	p["getElementById"] = d.method(func(a ...string) Value {
		for _, n := range below([]*xmltree.Node{d.root}, "*", "*") {
			if n.Attr("id") == a[0] || attrNS(n, xmltree.XML, "id") == a[0] {
				return d.node(n)
			}
		}
		return goja.Null()
	})
	return p
}

// searches adds the methods that find elements.
func (d *dom) searches(p domProps, from func() []*xmltree.Node) {
	p["getElementsByTagName"] = d.method(func(a ...string) Value {
		prefix, name, found := strings.Cut(a[0], ":")
		if !found {
			prefix, name = "", a[0]
		}
		return d.list(slices.DeleteFunc(below(from(), "*", name), func(n *xmltree.Node) bool { return name != "*" && n.Prefix != prefix }))
	})
	p["getElementsByTagNameNS"] = d.method(func(a ...string) Value { return d.list(below(from(), a[0], a[1])) })
}

// below lists elements in the order of the document, the given ones included.
func below(list []*xmltree.Node, space, name string) []*xmltree.Node {
	var out []*xmltree.Node
	for _, n := range list {
		if n.Kind != xmltree.Element {
			continue
		}
		if (space == "*" || space == n.Space) && (name == "*" || name == n.Name) {
			out = append(out, n)
		}
		out = append(out, below(n.Child, space, name)...)
	}
	return out
}

// node is the object of a node; null when there is none.
func (d *dom) node(n *xmltree.Node) Value {
	if n == nil {
		return goja.Null()
	}
	if o := d.nodes[n]; o != nil {
		return o
	}
	var p domProps
	switch n.Kind {
	case xmltree.Element:
		p = d.elementProps(n)
	case xmltree.Text:
		p = d.textProps(n, domText, "#text")
	case xmltree.Comment:
		p = d.textProps(n, domComment, "#comment")
	default:
		p = d.common(domProcInst, n.Name)
		p["target"], p["data"], p["nodeValue"] = d.value(n.Name), d.value(n.Data), d.value(n.Data)
	}
	d.family(n, p)
	o := d.vm.rt.NewDynamicObject(&domNode{d, p})
	d.nodes[n] = o
	return o
}

// family adds the ways to other nodes.
func (d *dom) family(n *xmltree.Node, p domProps) {
	p["parentNode"] = func() Value {
		if n.Parent == nil {
			return d.document
		}
		return d.node(n.Parent)
	}
	p["previousSibling"] = func() Value { return d.node(d.sibling(n, -1)) }
	p["nextSibling"] = func() Value { return d.node(d.sibling(n, +1)) }
	p["childNodes"] = func() Value { return d.list(n.Child) }
	p["hasChildNodes"] = d.method(func(...string) Value { return d.vm.rt.ToValue(len(n.Child) > 0) })
	if len(n.Child) > 0 {
		p["firstChild"] = func() Value { return d.node(n.Child[0]) }
		p["lastChild"] = func() Value { return d.node(n.Child[len(n.Child)-1]) }
	}
}

// sibling is the node beside another one, or nil.
func (d *dom) sibling(n *xmltree.Node, by int) *xmltree.Node {
	list := d.top()
	if n.Parent != nil {
		list = n.Parent.Child
	}
	if j := slices.Index(list, n) + by; j >= 0 && j < len(list) {
		return list[j]
	}
	return nil
}

// textProps are the properties of CharacterData.
func (d *dom) textProps(n *xmltree.Node, kind int, name string) domProps {
	p := d.common(kind, name)
	p["nodeValue"], p["data"] = d.value(n.Data), d.value(n.Data)
	p["length"] = d.value(len([]rune(n.Data)))
	p["substringData"] = func() Value {
		return d.vm.rt.ToValue(func(from, count int) string {
			r := []rune(n.Data)
			if from < 0 || count < 0 || from > len(r) {
				panic(d.vm.domException(domIndexSize, "INDEX_SIZE_ERR"))
			}
			return string(r[from : from+min(count, len(r)-from)])
		})
	}
	return p
}

func attrNS(n *xmltree.Node, space, name string) string {
	v, _ := n.Lookup(space, name)
	return v
}

func (d *dom) elementProps(n *xmltree.Node) domProps {
	p := d.common(domElement, n.QName())
	p["tagName"], p["localName"] = d.value(n.QName()), d.value(n.Name)
	if n.Prefix != "" {
		p["prefix"] = d.value(n.Prefix)
	}
	if n.Space != "" {
		p["namespaceURI"] = d.value(n.Space)
	}
	text := func(s string) Value { return d.vm.rt.ToValue(s) }
	p["getAttribute"] = d.method(func(a ...string) Value { return text(attrNS(n, "", a[0])) })
	p["getAttributeNS"] = d.method(func(a ...string) Value { return text(attrNS(n, a[0], a[1])) })
	p["hasAttribute"] = d.method(func(a ...string) Value { return d.vm.rt.ToValue(n.Has(a[0])) })
	p["hasAttributeNS"] = d.method(func(a ...string) Value {
		_, ok := n.Lookup(a[0], a[1])
		return d.vm.rt.ToValue(ok)
	})
	p["hasAttributes"] = d.method(func(...string) Value { return d.vm.rt.ToValue(len(n.Attrs) > 0) })
	p["getAttributeNode"] = d.method(func(a ...string) Value { return d.attrNamed(n, "", a[0]) })
	p["getAttributeNodeNS"] = d.method(func(a ...string) Value { return d.attrNamed(n, a[0], a[1]) })
	p["attributes"] = func() Value { return d.attrs(n) }
	d.searches(p, func() []*xmltree.Node { return n.Child })
	return p
}

func (d *dom) attrNamed(n *xmltree.Node, space, name string) Value {
	for _, a := range n.Attrs {
		if a.Name == name && a.Space == space {
			return d.attr(n, a)
		}
	}
	return goja.Null()
}

func (d *dom) attr(n *xmltree.Node, a xmltree.Attr) Value {
	p := d.common(domAttr, a.Name)
	p["name"], p["localName"], p["value"], p["nodeValue"] = d.value(a.Name), d.value(a.Name), d.value(a.Value), d.value(a.Value)
	p["specified"] = d.value(true)
	p["ownerElement"] = func() Value { return d.node(n) }
	if a.Space != "" {
		p["namespaceURI"] = d.value(a.Space)
	}
	return d.vm.rt.NewDynamicObject(&domNode{d, p})
}

// attrs is a NamedNodeMap.
func (d *dom) attrs(n *xmltree.Node) Value {
	list := make([]any, len(n.Attrs))
	for i, a := range n.Attrs {
		list[i] = d.attr(n, a)
	}
	o := d.vm.rt.NewArray(list...)
	_ = o.Set("item", func(i int) Value { return d.item(list, i) })
	_ = o.Set("getNamedItem", func(name string) Value { return d.attrNamed(n, "", name) })
	_ = o.Set("getNamedItemNS", func(space, name string) Value { return d.attrNamed(n, space, name) })
	return o
}

// list is a NodeList.
func (d *dom) list(nodes []*xmltree.Node) Value {
	list := make([]any, min(len(nodes), maxDOMListed))
	for i := range list {
		list[i] = d.node(nodes[i])
	}
	o := d.vm.rt.NewArray(list...)
	_ = o.Set("item", func(i int) Value { return d.item(list, i) })
	return o
}

func (d *dom) item(list []any, i int) Value {
	if i < 0 || i >= len(list) {
		return goja.Null()
	}
	return list[i].(Value)
}
