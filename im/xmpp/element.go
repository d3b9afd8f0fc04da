package xmpp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// maxDepth is how deep the elements of a stanza may be nested; of a deeper one the content is forgotten.
const maxDepth = 32

var (
	errRestricted = errors.New("xmpp: comment, directive or processing instruction in the stream")
	errText       = errors.New("xmpp: text between stanzas")
)

const xmlURL = "http://www.w3.org/XML/1998/namespace"

// An element is one XML element of a stanza. Attributes with a name space are dropped, but for xml:lang.
type element struct {
	name  xml.Name
	attrs []xml.Attr
	kids  []*element
	text  string // its own character data, in one piece
}

// el makes an element with attributes given as name, value pairs; pairs with an empty value are left out.
func el(space, local string, attrs ...string) *element {
	e := &element{name: xml.Name{Space: space, Local: local}}
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Local: attrs[i]}, Value: attrs[i+1]})
		}
	}
	return e
}

// with adds children and returns e.
func (e *element) with(kids ...*element) *element {
	e.kids = append(e.kids, kids...)
	return e
}

// says sets the text and returns e.
func (e *element) says(text string) *element {
	e.text = text
	return e
}

// attr returns the value of a plain attribute, "" if it is not there. It may be called on nil.
func (e *element) attr(local string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Local == local && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// is tells whether the element has this name.
func (e *element) is(space, local string) bool {
	return e != nil && e.name.Space == space && e.name.Local == local
}

// child returns the first child of this name, or nil. It may be called on nil.
func (e *element) child(space, local string) *element {
	if e == nil {
		return nil
	}
	for _, k := range e.kids {
		if k.is(space, local) {
			return k
		}
	}
	return nil
}

// textOf returns the text of the first child of this name, "" if there is none.
func (e *element) textOf(space, local string) string {
	if k := e.child(space, local); k != nil {
		return k.text
	}
	return ""
}

// lang returns xml:lang.
func (e *element) lang() string {
	for _, a := range e.attrs {
		if a.Name.Space == xmlURL {
			return a.Value
		}
	}
	return ""
}

// A builder reads one element. What is nested too deep, and everything once over says true, is read and forgotten.
type builder struct {
	d      *xml.Decoder
	over   func() bool // the element is too large; nil: it cannot be
	spoilt bool        // something was forgotten
}

// element reads the rest of the element that begins with start, down to depth levels.
func (b *builder) element(start xml.StartElement, depth int) (*element, error) {
	e := &element{name: start.Name, attrs: keepAttrs(start.Attr)}
	var text strings.Builder
	for {
		token, err := b.d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := b.kid(e, token, depth-1); err != nil {
				return nil, err
			}
		case xml.CharData:
			if !b.full() {
				text.Write(token)
			}
		case xml.EndElement:
			e.text = text.String()
			return e, nil
		default:
			return nil, errRestricted
		}
	}
}

// kid reads a child of e.
func (b *builder) kid(e *element, start xml.StartElement, depth int) error {
	if depth <= 0 {
		b.spoilt = true
	}
	if depth <= 0 || b.full() || !isPlainName(start.Name.Local) {
		return b.d.Skip()
	}
	k, err := b.element(start, depth)
	e.kids = append(e.kids, k)
	return err
}

func (b *builder) full() bool {
	b.spoilt = b.spoilt || b.over != nil && b.over()
	return b.spoilt
}

// isPlainName tells whether a name begins as all those of XMPP do. The decoder lets through some that cannot be written
// again, such as the 0 of <a:0/>.
func isPlainName(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z' || s[0] == '_')
}

// shell is what remains of a stanza whose content was forgotten: it is counted and answered, and means nothing else. An
// answer to a request of ours without its content is as good as an error.
func (e *element) shell() *element {
	kind := e.attr("type")
	if e.name.Local == "iq" && kind == "result" {
		kind = "error"
	}
	return el(e.name.Space, e.name.Local, "from", e.attr("from"), "to", e.attr("to"), "id", e.attr("id"), "type", kind)
}

func keepAttrs(attrs []xml.Attr) []xml.Attr {
	var kept []xml.Attr
	for _, a := range attrs {
		plain := a.Name.Space == "" && a.Name.Local != "xmlns"
		if plain || a.Name.Space == xmlURL && a.Name.Local == "lang" {
			kept = append(kept, a)
		}
	}
	return kept
}

// bytes writes the element as it stands in a stream whose default name space is jabber:client.
func (e *element) bytes() []byte {
	var b bytes.Buffer
	e.write(&b, nsClient)
	return b.Bytes()
}

// write writes the element inside a parent of the given name space. Characters that XML cannot carry become U+FFFD.
func (e *element) write(b *bytes.Buffer, outer string) {
	b.WriteByte('<')
	b.WriteString(e.name.Local)
	if e.name.Space != outer {
		writeAttr(b, "xmlns", e.name.Space)
	}
	for _, a := range e.attrs {
		name := a.Name.Local
		if a.Name.Space == xmlURL {
			name = "xml:" + name
		}
		writeAttr(b, name, a.Value)
	}
	if e.text == "" && len(e.kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	escape(b, e.text)
	for _, k := range e.kids {
		k.write(b, e.name.Space)
	}
	b.WriteString("</")
	b.WriteString(e.name.Local)
	b.WriteByte('>')
}

func writeAttr(b *bytes.Buffer, name, value string) {
	b.WriteByte(' ')
	b.WriteString(name)
	b.WriteString("='")
	escape(b, value)
	b.WriteByte('\'')
}

// escape writes text; a bytes.Buffer cannot fail.
func escape(b *bytes.Buffer, text string) { _ = xml.EscapeText(b, []byte(text)) }
