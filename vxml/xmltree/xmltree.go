// Package xmltree reads an XML document into a small tree that knows its line numbers.
//
// It is made for documents by strangers: the size and the depth are limited, a document type declaration is passed over
// and never fetched, and entities other than XML's own five are refused.
package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// The limits of Parse, unless the caller gives others.
const (
	MaxSize  = 256 << 10
	MaxDepth = 32
)

// ErrLimit is wrapped by the errors about a document that is too large or too deep.
var ErrLimit = errors.New("xmltree: over the limit")

// Limits bound a document. A zero field is the default.
type Limits struct {
	Size  int // bytes
	Depth int // elements within one another
	// Comments keeps comments as nodes; otherwise the text in front of one and the text behind it are one.
	Comments bool
}

// A Kind says what a Node is.
type Kind int

// The kinds of nodes.
const (
	Element Kind = iota
	Text
	Instruction
	Comment
)

// An Attr is one attribute. Space is the name space's URI, or "".
type Attr struct{ Space, Name, Value string }

// A Node is an element, a piece of text or a processing instruction. A tree is not changed after Parse returned it, so
// that any number of goroutines may read it.
type Node struct {
	Kind   Kind
	Space  string // name space's URI
	Prefix string // that stands for it in the text; "" is none, or a document that is not in UTF-8
	Name   string // local name; the target of an instruction
	Attrs  []Attr // without name space declarations
	Data   string // of text, instructions and comments
	Line   int    // where it begins, from 1
	Parent *Node
	Child  []*Node
	Before []*Node // of the root element: the instructions and comments in front of it
}

// A SyntaxError is a document that is not well formed, or refused.
type SyntaxError struct {
	Line int
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads a whole document and returns its root element. Every error is a *SyntaxError.
func Parse(data []byte, lim Limits) (*Node, error) {
	if lim.Size == 0 {
		lim.Size = MaxSize
	}
	if lim.Depth == 0 {
		lim.Depth = MaxDepth
	}
	if len(data) > lim.Size {
		return nil, &SyntaxError{1, fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, len(data), lim.Size)}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors put it in front of UTF-8
	d := decoder(data)
	p := parser{Decoder: d, depth: lim.Depth, comments: lim.Comments}
	for {
		line, _ := d.InputPos()
		p.raw = data[min(int(d.InputOffset()), len(data)):]
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p.finish(line)
		}
		if err == nil {
			err = p.take(token, line)
		}
		if err != nil {
			return nil, syntaxError(line, err)
		}
	}
}

// decoder reads text in the encoding that its declaration names. In UTF-16 not even that could be read: there the mark at
// the beginning tells (XML 1.0, 4.3.3).
func decoder(data []byte) *xml.Decoder {
	if !bytes.HasPrefix(data, []byte("\xfe\xff")) && !bytes.HasPrefix(data, []byte("\xff\xfe")) {
		d := xml.NewDecoder(bytes.NewReader(data))
		d.CharsetReader = charset.NewReaderLabel
		return d
	}
	d := xml.NewDecoder(unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(bytes.NewReader(data)))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d
}

// syntaxError takes the line out of the decoder's own error.
func syntaxError(line int, err error) error {
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		return &SyntaxError{s.Line, errors.New(s.Msg)}
	}
	return &SyntaxError{line, err}
}

type parser struct {
	*xml.Decoder
	root, at *Node
	before   []*Node // what stands in front of the root
	comments bool
	depth    int
	level    int
	raw      []byte // the text from the token on
}

// prefix is what stands before the name of a start tag.
func (p *parser) prefix(local string) string {
	tag, ok := bytes.CutPrefix(p.raw, []byte("<"))
	before, after, found := bytes.Cut(tag, []byte(":"))
	if !ok || !found || bytes.ContainsAny(before, " \t\r\n/>=\"'") || !bytes.HasPrefix(after, []byte(local)) {
		return ""
	}
	return string(before)
}

func (p *parser) finish(line int) (*Node, error) {
	if p.root == nil {
		return nil, &SyntaxError{line, errors.New("no element")}
	}
	return p.root, nil
}

func (p *parser) take(token xml.Token, line int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.open(t, line)
	case xml.EndElement:
		p.at = p.at.Parent
		p.level--
	case xml.CharData:
		return p.text(string(t), line)
	case xml.ProcInst:
		if t.Target != "xml" {
			p.aside(&Node{Kind: Instruction, Name: t.Target, Data: string(t.Inst), Line: line})
		}
	case xml.Comment:
		if p.comments {
			p.aside(&Node{Kind: Comment, Data: string(t), Line: line})
		}
	case xml.Directive:
		return directive(t)
	}
	return nil
}

// directive refuses a document type with declarations of its own: there entities are made.
func directive(d xml.Directive) error {
	if bytes.ContainsRune(d, '[') || bytes.HasPrefix(d, []byte("ENTITY")) {
		return errors.New("declarations inside of a document type are not allowed")
	}
	return nil
}

func (p *parser) open(t xml.StartElement, line int) error {
	if p.level++; p.level > p.depth {
		return fmt.Errorf("%w: more than %d elements within one another", ErrLimit, p.depth)
	}
	n := &Node{Kind: Element, Space: t.Name.Space, Prefix: p.prefix(t.Name.Local), Name: t.Name.Local, Line: line, Parent: p.at}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if _, twice := n.Lookup(a.Name.Space, a.Name.Local); twice {
			return fmt.Errorf("attribute %s stands twice", a.Name.Local)
		}
		n.Attrs = append(n.Attrs, Attr{a.Name.Space, a.Name.Local, a.Value})
	}
	switch {
	case p.at != nil:
		p.at.Child = append(p.at.Child, n)
	case p.root != nil:
		return errors.New("a second root element")
	default:
		p.root, n.Before = n, p.before
	}
	p.at = n
	return nil
}

func (p *parser) text(s string, line int) error {
	if p.at == nil {
		if strings.TrimSpace(s) != "" {
			return errors.New("text outside of the root element")
		}
		return nil
	}
	if last := len(p.at.Child) - 1; last >= 0 && p.at.Child[last].Kind == Text {
		p.at.Child[last].Data += s
		return nil
	}
	p.at.Child = append(p.at.Child, &Node{Kind: Text, Data: s, Line: line, Parent: p.at})
	return nil
}

// aside keeps an instruction or a comment. What stands behind the root is left out.
func (p *parser) aside(n *Node) {
	if n.Parent = p.at; p.at != nil {
		p.at.Child = append(p.at.Child, n)
	} else if p.root == nil {
		p.before = append(p.before, n)
	}
}

// QName is the name with its prefix.
func (n *Node) QName() string {
	if n.Prefix == "" {
		return n.Name
	}
	return n.Prefix + ":" + n.Name
}

// Lookup returns an attribute of a name space.
func (n *Node) Lookup(space, name string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Name == name && a.Space == space {
			return a.Value, true
		}
	}
	return "", false
}

// Attr returns an attribute without a name space, or "".
func (n *Node) Attr(name string) string {
	v, _ := n.Lookup("", name)
	return v
}

// Has tells whether there is an attribute of that name without a name space.
func (n *Node) Has(name string) bool {
	_, ok := n.Lookup("", name)
	return ok
}

// XML is the name space that the prefix xml stands for.
const XML = "http://www.w3.org/XML/1998/namespace"

// Elements returns the children that are elements.
func (n *Node) Elements() []*Node {
	var list []*Node
	for _, c := range n.Child {
		if c.Kind == Element {
			list = append(list, c)
		}
	}
	return list
}

// Text returns all the text within the node.
func (n *Node) Text() string {
	if n.Kind != Element {
		if n.Kind == Text {
			return n.Data
		}
		return ""
	}
	var b strings.Builder
	for _, c := range n.Child {
		b.WriteString(c.Text())
	}
	return b.String()
}

// Resolve makes an address absolute, as xml:base and relative references mean it (RFC 3986). What cannot be read stays as
// it is, and fails when it is fetched.
func Resolve(base, uri string) string {
	b, err := url.Parse(base)
	if err != nil {
		return uri
	}
	u, err := b.Parse(strings.TrimSpace(uri))
	if err != nil {
		return uri
	}
	return u.String()
}
