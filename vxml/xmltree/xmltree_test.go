package xmltree

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func TestParse(t *testing.T) {
	n, err := Parse([]byte("<?xml version='1.0' encoding='ISO-8859-1'?>\n<?pi some data?>\n<!DOCTYPE a SYSTEM 'x.dtd'>\n<a xmlns='u' b='1'"+
		" xml:lang='de'>\n <c>t&amp;<![CDATA[<x>]]>\xe4</c><d/>\n</a>"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	lang, _ := n.Lookup(XML, "lang")
	if n.Name != "a" || n.Space != "u" || n.Attr("b") != "1" || lang != "de" || n.Line != 4 || len(n.Attrs) != 2 {
		t.Errorf("%+v", n)
	}
	if e := n.Elements(); len(e) != 2 || e[0].Text() != "t&<x>ä" || e[0].Line != 5 || e[0].Parent != n {
		t.Errorf("%+v", e)
	}
	if pi := n.Before[0]; pi.Kind != Instruction || pi.Name != "pi" || pi.Data != "some data" {
		t.Errorf("%+v", pi)
	}
}

// TestMark reads UTF-8 with the mark that editors put in front of it.
func TestMark(t *testing.T) {
	n, err := Parse([]byte("\ufeff<?xml version='1.0'?>\n<a><p:b xmlns:p='u'/></a>"), Limits{})
	if err != nil || n.Line != 2 || n.Elements()[0].Prefix != "p" {
		t.Errorf("%+v, %v", n, err)
	}
}

func TestRefused(t *testing.T) {
	for doc, line := range map[string]int{
		"": 1, "text": 1, "<a>": 1, "<a/><b/>": 1, "<a/>\ntext": 1, "<a>\n</b>": 2, "<a b='1' b='2'/>": 1, "<a>&x;</a>": 1,
		"<!DOCTYPE a [\n<!ENTITY x 'y'>]>\n<a>&x;</a>": 1, "\n\n<a b=1/>": 3, "<?xml version='1.0' encoding='none'?><a/>": 1,
	} {
		_, err := Parse([]byte(doc), Limits{})
		var s *SyntaxError
		if !errors.As(err, &s) || s.Line != line {
			t.Errorf("%q: %v, want line %d", doc, err, line)
		}
	}
}

// TestDeep proves T19: 20,000 elements within one another are an error at once.
func TestDeep(t *testing.T) {
	doc := []byte(strings.Repeat("<a>", 20_000))
	began := time.Now()
	_, err := Parse(doc, Limits{})
	if took := time.Since(began); !errors.Is(err, ErrLimit) || took > time.Second {
		t.Errorf("%v after %s", err, took)
	}
	if _, err := Parse(make([]byte, MaxSize+1), Limits{}); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
	if _, err := Parse([]byte("<a><b/></a>"), Limits{Depth: 2}); err != nil {
		t.Error(err)
	}
}

// FuzzParse proves that a tree holds the text of the document, as the decoder of the standard library sees it.
func FuzzParse(f *testing.F) {
	f.Add("<a b='c'>text<d/><!-- x --><![CDATA[y]]></a>")
	f.Add("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
	f.Fuzz(func(t *testing.T, doc string) {
		n, err := Parse([]byte(doc), Limits{})
		if err != nil {
			return
		}
		var again struct {
			Text string `xml:",chardata"`
		}
		if err := xml.Unmarshal([]byte(doc), &again); err == nil && len(n.Elements()) == 0 && n.Text() != again.Text {
			t.Fatalf("%q, want %q", n.Text(), again.Text)
		}
	})
}

func TestUTF16(t *testing.T) {
	text := "<?xml version='1.0' encoding='UTF-16'?><a>\u00e4</a>"
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		b := order.AppendUint16(nil, 0xfeff)
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		if n, err := Parse(b, Limits{}); err != nil || n.Text() != "\u00e4" {
			t.Errorf("%v: %+v, %v", order, n, err)
		}
	}
}
