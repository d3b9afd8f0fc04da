package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestChoose(t *testing.T) {
	const (
		today = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
		phone = "text/vnd.wap.wml, image/vnd.wap.wbmp, */*"
	)
	for _, c := range []struct {
		path, accept, agent, via string
		want                     markup
	}{
		{"/", today, "Mozilla/5.0 (X11; Linux x86_64)", "", html5},
		{"/", today, "Lynx/2.9", "", basic},
		{"/", "*/*", "curl/8", "", basic},
		{"/", "", "", "", basic},
		{"/", "*/*", "Nokia7110/1.0", "kannel", wml},
		{"/", "", "", "kannel", wml},
		{"/", today, "Mozilla/5.0", "kannel", html5}, // a browser that happens to go through one
		{"/", phone, "Nokia7110/1.0", "", wml},
		{"/", phone + ",text/html", "Mozilla/5.0", "", wml},
		{"/", "text/x-hdml, image/bmp", "UP.Browser/3.04", "", hdml},
		{"/", "text/x-hdml, text/vnd.wap.wml", "UP.Browser/4.1", "", wml},
		{"/", "text/x-hdml, text/html", "Mozilla/5.0", "", html5},
		{"/", "application/voicexml+xml, */*", "gateway", "", vxml},
		{"/?as=wml", today, "Mozilla/5.0", "", wml},
		{"/?as=html", phone, "", "kannel", html5},
		{"/?as=pdf", today, "Lynx/2.9", "", basic},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("User-Agent", c.agent)
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		if c.via != "" {
			r.Header.Set("X-WAP-Gateway", c.via)
		}
		if got, _ := choose(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// samplePage has one of everything.
func samplePage(body string) Page {
	hidden := Field{Kind: Hidden, Name: "once", Value: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	return Page{
		Title: body, Notice: "N" + body, Text: []string{body}, Self: "/s/ABCDEFGHIJKLMNOPQRSTUVWXYZ/with/1?before=7",
		Links: []Link{{Text: "Inbox", Href: "/s/ABCDEFGHIJKLMNOPQRSTUVWXYZ/inbox"}},
		Items: []Item{
			{Title: "Ben", Href: "/with/1", Count: 2, Lines: lines(body)},
			{Title: "H" + body, Note: "15:04", Lines: lines(body), Audio: []Audio{{Title: "Voice message", URL: "/a/x", Href: "/a/x"}}},
		},
		Older: Link{Text: "Older", Href: "/with/1?before=3&x=$(p)"},
		Forms: []Form{
			{Title: "T" + body, Action: "/send", Submit: "Send", Fields: []Field{{Kind: Words, Name: "text", Label: "Answer", Value: body}, hidden}},
			{Action: "/login", Submit: "Log in", Fields: []Field{{Kind: Digits, Name: "user", Label: "Number", Max: 20}, {Kind: PIN, Name: "pin", Label: "PIN"}}},
			{Action: "/search", Get: true, Submit: "Search", Fields: []Field{{Kind: Short, Name: "q", Label: "Words"}}},
			{Action: "/people", Get: true, Submit: "Find", Fields: []Field{{Kind: Name, Name: "name", Label: "Name"}}},
			{Action: "/answer", Voice: "/voice", Submit: "Send it", Fields: []Field{{Kind: Words, Name: "text", Label: "Answer"}, hidden}},
			{Action: "/leave", Submit: "Leave" + body, Quiet: true, Fields: []Field{hidden}},
		},
	}
}

// decks lists all decks of a page, as a phone sees them that follows More.
func decks(t testing.TB, p Page, s screen) []string {
	t.Helper()
	var all []string
	notice, units := s.units(p)
	for from := 0; ; {
		body := s.deck(p, notice, units, from)
		all = append(all, body)
		_, after, more := strings.Cut(body, fromField+"=")
		if !more {
			return all
		}
		next := 0
		fmt.Sscanf(after, "%d", &next)
		if next <= from {
			t.Fatalf("after %d of %d units comes %d", from, len(units), next)
		}
		from = next
	}
}

// FuzzMarkups checks for the small markups what FuzzMessage checks for HTML: whatever a message says, all of it is
// shown, just as it is, and it makes no element and no variable (threat T7).
func FuzzMarkups(f *testing.F) {
	f.Add("plain")
	f.Add("$(p) costs $5 or $$5 $")
	f.Add("<card id=\"x\"><onevent>&amp;\"'></p>]]>\nsecond  line\n\n</HDML>")
	f.Add(strings.Repeat("Grüße & <küsse> $", 100))
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text || clean(text) != text || strings.ContainsAny(text, "\t\ufffe\uffff\ufffd") {
			return
		}
		for name, s := range map[markup]screen{wml: wmlScreen, hdml: hdmlScreen, vxml: vxmlScreen} {
			checkSmall(t, name, s, text)
		}
	})
}

func checkSmall(t *testing.T, name markup, s screen, text string) {
	item := Item{Title: "H", Note: "n", Lines: lines(text)}
	got, elements := "", 0
	all := decks(t, Page{Self: "/x", Title: "T", Items: []Item{item}}, s)
	for _, d := range all {
		words, n := readDeck(t, name, d)
		got += words
		elements += n
	}
	if got != text {
		t.Errorf("%s: %q is shown as %q", name, text, got)
	}
	plain, pieces := 0, len(s.said("", text))
	for _, d := range decks(t, Page{Self: "/x", Title: "T", Items: []Item{{Title: "H", Note: "n"}}}, s) {
		_, n := readDeck(t, name, d)
		plain += n
	}
	breaks := strings.Count(text, "\n")
	if name == vxml {
		breaks = 0
	}
	if len(all) == 1 && pieces == 1 && text != "" && name != vxml && elements != plain+breaks {
		t.Errorf("%s: %q makes %d elements, not %d+%d", name, text, elements, plain, breaks)
	}
	for _, d := range decks(t, samplePage(text), s) {
		readDeck(t, name, d)
		checkDollars(t, name, d)
	}
}

// checkDollars finds a variable that is not one of our own fields.
func checkDollars(t *testing.T, name markup, deck string) {
	if name == vxml {
		return
	}
	rest := strings.ReplaceAll(deck, "$$", "")
	for _, after := range strings.Split(rest, "$")[1:] {
		if !strings.HasPrefix(after, "(v") {
			t.Errorf("%s: a variable in a text:\n%s", name, deck)
		}
	}
}

// readDeck reads a deck as a browser does; it returns what the message's text is, and the number of elements.
func readDeck(t *testing.T, name markup, deck string) (words string, elements int) {
	t.Helper()
	if name == hdml {
		return readHDML(t, deck)
	}
	dec := xml.NewDecoder(strings.NewReader(deck))
	var b strings.Builder
	var open []string
	skip := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, deck)
		}
		switch e := token.(type) {
		case xml.StartElement:
			elements++
			open = append(open, e.Name.Local)
			if e.Name.Local == "b" || e.Name.Local == "select" || e.Name.Local == "menu" {
				skip++
			}
			if e.Name.Local == "br" && len(open) > 1 && skip == 0 {
				b.WriteByte('\n')
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			if e.Name.Local == "b" || e.Name.Local == "select" || e.Name.Local == "menu" {
				skip--
			}
		case xml.CharData:
			if skip == 0 && len(open) > 0 && open[len(open)-1] == "p" {
				b.Write(e)
			}
		}
	}
	words = b.String()
	if name == wml {
		words = strings.ReplaceAll(words, "$$", "$")
		words = strings.TrimPrefix(words, "\n") // the line break after the head
		return words, elements
	}
	words = strings.TrimPrefix(words, "T.")
	return strings.TrimPrefix(words, "H, n."), elements
}

func readHDML(t *testing.T, deck string) (words string, elements int) {
	t.Helper()
	if strings.Count(deck, "<HDML ") != 1 || !strings.HasSuffix(deck, "</HDML>\n") {
		t.Errorf("no deck:\n%s", deck)
	}
	z := html.NewTokenizer(strings.NewReader(deck))
	z.SetMaxBuf(1 << 20)
	known := []string{"hdml", "display", "choice", "ce", "entry", "action", "wrap", "br", "a"}
	var b strings.Builder
	body := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			words = strings.TrimSuffix(strings.TrimPrefix(b.String(), "H, n"), "\n")
			return strings.ReplaceAll(words, "$$", "$"), elements
		case html.StartTagToken:
			elements++
			tag, _ := z.TagName()
			if !slices.Contains(known, string(tag)) {
				t.Errorf("element %s in\n%s", tag, deck)
			}
			switch string(tag) {
			case "wrap": // a new unit; the line break before it is not the text's
				body = true
				shown := strings.TrimSuffix(b.String(), "\n")
				b.Reset()
				b.WriteString(shown)
			case "br":
				b.WriteByte('\n')
			case "ce", "a", "entry", "action":
				body = false
			}
		case html.TextToken:
			if body {
				b.WriteString(strings.ReplaceAll(string(z.Text()), "\n", "")) // a line's end is BR
			}
		case html.EndTagToken:
			body = false
		}
	}
}

// wmlChildren says which elements WML 1.1 lets stand in which, of those that we use, and wmlAttributes which attributes
// they have there: read from the DTD of the WAP Forum, less what came with WML 1.2 (pre, accesskey, enctype).
var (
	wmlChildren = map[string]string{
		"": "wml", "wml": "head card", "head": "meta", "card": "onevent do p", "p": "b br a anchor input select",
		"do": "prev", "onevent": "go refresh", "refresh": "setvar", "go": "postfield", "select": "option", "option": "onevent", "anchor": "go br",
	}
	wmlAttributes = map[string]string{
		"meta": "http-equiv forua content", "card": "id title newcontext", "do": "type label", "onevent": "type", "setvar": "name value",
		"go": "href method", "postfield": "name value", "option": "onpick", "a": "href", "input": "name type format emptyok maxlength",
	}
	wmlWords = "p b a anchor option"
)

// checkWML holds a deck against the element tables.
func checkWML(t testing.TB, deck string) {
	t.Helper()
	has := func(words, word string) bool { return slices.Contains(strings.Fields(words), word) }
	dec := xml.NewDecoder(strings.NewReader(deck))
	open := []string{""}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, deck)
			return
		}
		within := open[len(open)-1]
		switch e := token.(type) {
		case xml.StartElement:
			if !has(wmlChildren[within], e.Name.Local) {
				t.Errorf("WML 1.1 has no %q in %q:\n%s", e.Name.Local, within, deck)
			}
			for _, a := range e.Attr {
				if !has(wmlAttributes[e.Name.Local], a.Name.Local) {
					t.Errorf("WML 1.1 has no attribute %q of %q:\n%s", a.Name.Local, e.Name.Local, deck)
				}
			}
			open = append(open, e.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if strings.TrimSpace(string(e)) != "" && !has(wmlWords, within) {
				t.Errorf("WML 1.1 has no text in %q:\n%s", within, deck)
			}
		}
	}
}

// Decks are valid, no longer than the oldest phones take, and let a digit pick everything in their list.
func TestDecks(t *testing.T) {
	for _, body := range []string{"short", strings.Repeat("Grüße & <küsse> $(p)\n", 200), strings.Repeat("$", 9000)} {
		for _, d := range decks(t, samplePage(body), wmlScreen) {
			checkWML(t, d)
			if n := compiled(d); n > wmlLimit {
				t.Errorf("a deck of %d bytes:\n%s", n, d)
			}
			if n := strings.Count(d, "<option"); n > 9 {
				t.Errorf("%d lines to pick from", n)
			}
		}
		for _, d := range decks(t, samplePage(body), hdmlScreen) {
			if len(d) > wmlLimit {
				t.Errorf("an HDML deck of %d bytes:\n%s", len(d), d)
			}
		}
	}
}

// More leads to the deck that follows, also from the answer to a form, which has a notice on top.
func TestMore(t *testing.T) {
	p := samplePage(strings.Repeat("x ", 2000))
	notice, units := wmlScreen.units(p)
	r := httptest.NewRequest("POST", "/s/x/with/1/send", nil)
	for n := range 40 {
		w := httptest.NewRecorder()
		if err := writeSmall(w, r, p, wmlScreen); err != nil || w.Code != http.StatusOK {
			t.Fatal(w.Code, err)
		}
		_, after, more := strings.Cut(w.Body.String(), "from=")
		if !more {
			if n < 4 {
				t.Errorf("%d decks for %d units", n+1, len(notice)+len(units))
			}
			return
		}
		from, _, _ := strings.Cut(after, `"`)
		r = httptest.NewRequest("GET", "/s/x/with/1?before=7&from="+from, nil)
		p.Notice = ""
	}
	t.Error("the decks do not end")
}
