package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Whatever a message says, the page shows exactly that and has no element more (threat T7).
func FuzzMessage(f *testing.F) {
	f.Add("plain")
	f.Add("<script>alert(1)</script>")
	f.Add("\"'><a href=\"javascript:alert(1)\">x</a> & &amp; {{.CSS}} ]]>")
	f.Add("see https://example.org/?a=1&b=2#c, or (http://example.org/x).\nsecond line")
	f.Add("</p></li></ul><style>*{display:none}</style>\n\n http://[::1]:80/")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text || clean(text) != text {
			return // the presence server takes these out
		}
		got, elements := render(t, text)
		if got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
		links := 0
		for _, line := range lines(text) {
			for _, span := range line {
				if span.Href != "" {
					links++
				}
			}
		}
		plain := 0
		if text != "" {
			plain = 1 + strings.Count(text, "\n") // the paragraph and its line breaks
		}
		if _, empty := render(t, ""); elements != empty+plain+links {
			t.Errorf("%q makes %d elements, not %d+%d+%d", text, elements, empty, plain, links)
		}
	})
}

// render shows a message everywhere where a stranger's text can stand; it returns the message's text as a browser
// reads it, and the number of elements.
func render(t *testing.T, body string) (shown string, elements int) {
	t.Helper()
	word := strings.Join(strings.Fields(body), " ")
	w := httptest.NewRecorder()
	err := writeHTML(w, Page{
		Title: "x" + word, Notice: "x" + word, Text: []string{body},
		Items: []Item{{Title: body, Note: "x" + body, Lines: lines(body)}},
		Forms: []Form{{Fields: []Field{{Kind: Words, Value: body}, {Kind: Hidden, Value: body}}}},
	}, "Hark", "", true)
	if err != nil {
		t.Fatal(err)
	}
	page, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		elements++
		if n.Data == "p" && len(n.Attr) > 0 && n.Attr[0].Val == "said" {
			shown = shownText(n)
		}
		if n.Data == "textarea" && n.FirstChild != nil && n.FirstChild.Data != body {
			t.Errorf("%q stands in the form as %q", body, n.FirstChild.Data)
		}
	}
	return shown, elements
}

func shownText(n *html.Node) string {
	var s strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			s.WriteString(d.Data)
		} else if d.Data == "br" {
			s.WriteString("\n")
		}
	}
	return s.String()
}

// FuzzLines checks that taking a text apart loses nothing, and that links lead out only through our page.
func FuzzLines(f *testing.F) {
	f.Add("see https://example.org/.\nHTTP://X https://")
	f.Fuzz(func(t *testing.T, text string) {
		var joined []string
		for _, line := range lines(text) {
			var s strings.Builder
			for _, span := range line {
				s.WriteString(span.Text)
				if span.Href != "" && (span.Href != outHref(span.Text) || !isWeb(span.Text)) {
					t.Errorf("%q leads to %q", span.Text, span.Href)
				}
			}
			joined = append(joined, s.String())
		}
		if got := strings.Join(joined, "\n"); got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
