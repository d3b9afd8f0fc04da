package web

import (
	"fmt"
	"slices"
	"strings"
)

const wmlHead = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
<wml>
<head><meta http-equiv="Cache-Control" content="no-cache, must-revalidate" forua="true"/></head>
`

// wmlLimit is how many bytes a compiled deck may have: the oldest phones take 1,400.
const wmlLimit = 1300

// wmlMargin is for gateways that compile less tightly than we reckon.
const wmlMargin = 50

// wmlValue is how many bytes of a text stand in a field already, at most.
const wmlValue = 240

// wmlScreen is a WAP phone. Only what WML 1.1 and 1.3 share is used. A list to pick from is a select, whose options the
// phone numbers 1 to 9 by itself; accesskey came with WML 1.2 only.
var wmlScreen = screen{
	contentType: "text/vnd.wap.wml; charset=utf-8",
	limit:       wmlLimit - wmlMargin, choices: 9, chunk: 300, label: 40,
	frame: func(p Page) int {
		d := deck{Title: p.Title, Fresh: true, More: p.Self + "&from=000"}
		return compiled(writeWML(d)) + 40
	},
	cost:  func(u unit) int { return compiled(wmlUnit(u, 10)) + compiled(wmlClear([]unit{u})) },
	write: writeWML,
	size:  func(deck string) int { return compiled(deck) + repeated(deck) },
}

// writeWML writes a deck: the texts, then the forms, then one list.
func writeWML(d deck) string {
	var b, list strings.Builder
	b.WriteString(wmlHead)
	b.WriteString(`<card id="c" title="` + doubled(cut(d.Title, 20)) + `"`)
	if d.Fresh {
		b.WriteString(` newcontext="true"`)
	}
	b.WriteString(">\n")
	b.WriteString(wmlClear(d.Units))
	b.WriteString("<do type=\"prev\" label=\"Back\"><prev/></do>\n")
	for i, u := range d.Units {
		if u.Choice != nil {
			list.WriteString(wmlUnit(u, i))
		} else {
			b.WriteString(wmlUnit(u, i))
		}
	}
	if d.More != "" {
		list.WriteString(wmlUnit(unit{Choice: &choice{Label: "More", Href: d.More}}, 0))
	}
	if list.Len() > 0 {
		b.WriteString("<p><select>\n" + list.String() + "</select></p>\n")
	}
	b.WriteString("</card>\n</wml>\n")
	return b.String()
}

// wmlClear has the card begin with its own values in its fields, not with what an earlier card's fields were given.
func wmlClear(units []unit) string {
	var b strings.Builder
	for i, u := range units {
		if u.Form != nil {
			b.WriteString(wmlSet(*u.Form, i))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return `<onevent type="onenterforward"><refresh>` + b.String() + "</refresh></onevent>\n"
}

func wmlSet(f Form, number int) string {
	var b strings.Builder
	for i, field := range f.Fields {
		if field.Kind != Hidden {
			fmt.Fprintf(&b, `<setvar name="%s" value="%s"/>`, variable(number, i), doubled(heavy(field.Value, wmlValue)))
		}
	}
	return b.String()
}

// variable is the name of the phone's variable for a field.
func variable(form, field int) string { return fmt.Sprintf("v%d_%d", form, field) }

func wmlUnit(u unit, number int) string {
	switch {
	case u.Choice != nil && u.Choice.Form != nil:
		return "<option><onevent type=\"onpick\">" + wmlGo(*u.Choice.Form, 0) + "</onevent>" + doubled(u.Choice.Label) + "</option>\n"
	case u.Choice != nil:
		return `<option onpick="` + doubled(u.Choice.Href) + `">` + doubled(u.Choice.Label) + "</option>\n"
	case u.Form != nil:
		return wmlForm(*u.Form, number)
	}
	return wmlText(u)
}

func wmlText(u unit) string {
	var b strings.Builder
	b.WriteString("<p>")
	if u.Head != "" {
		b.WriteString("<b>" + doubled(u.Head) + "</b><br/>")
	}
	b.WriteString(strings.ReplaceAll(doubled(u.Text), "\n", "<br/>"))
	for _, a := range u.Sounds {
		b.WriteString(`<br/><a href="` + doubled(a.Href) + `">` + doubled(a.label()) + "</a>")
	}
	b.WriteString("</p>\n")
	return b.String()
}

func wmlForm(f Form, number int) string {
	var b strings.Builder
	b.WriteString("<p>")
	if f.Title != "" {
		b.WriteString("<b>" + doubled(cut(f.Title, headMax)) + "</b><br/>")
	}
	for i, field := range f.Fields {
		if field.Kind != Hidden {
			b.WriteString(doubled(field.Label) + `: <input name="` + variable(number, i) + `"` + wmlKind(field) + "/>")
		}
	}
	b.WriteString("<anchor>" + doubled(f.Submit) + wmlGo(f, number) + "</anchor>")
	if f.Keep != "" {
		second := f
		second.Fields = append(slices.Clone(f.Fields), Field{Kind: Hidden, Name: keepField, Value: "1"})
		b.WriteString("<br/><anchor>" + doubled(f.Keep) + wmlGo(second, number) + "</anchor>")
	}
	b.WriteString("</p>\n")
	return b.String()
}

// wmlKind says what may be typed.
func wmlKind(f Field) string {
	kind := ""
	switch f.Kind {
	case PIN:
		kind = ` type="password" format="*N"`
	case Digits:
		kind = ` format="*N"`
	case Words:
		kind = ` emptyok="true"`
	}
	if f.Max > 0 {
		kind += fmt.Sprintf(` maxlength="%d"`, f.Max)
	}
	return kind
}

// wmlGo sends a form. A field's variable is not escaped by us: the phone puts its value in as it is.
func wmlGo(f Form, number int) string {
	var b strings.Builder
	method := "post"
	if f.Get {
		method = "get"
	}
	b.WriteString(`<go method="` + method + `" href="` + doubled(f.Action) + `">`)
	for i, field := range f.Fields {
		value := "$(" + variable(number, i) + ")"
		if field.Kind == Hidden {
			value = doubled(field.Value)
		}
		b.WriteString(`<postfield name="` + field.Name + `" value="` + value + `"/>`)
	}
	b.WriteString("</go>")
	return b.String()
}

// compiled tells how many bytes a piece of our own WML has in its compiled form (WBXML, WAP-192): a token a tag,
// one more to end an element or its attributes, and strings as they are, with two bytes around them.
func compiled(markup string) int {
	size := 0
	for markup != "" {
		text, rest, tag := strings.Cut(markup, "<")
		size += wbxmlString(text)
		if !tag {
			break
		}
		tagText, after, _ := strings.Cut(rest, ">")
		size += wbxmlTag(tagText)
		markup = after
	}
	return size
}

// repeated tells how many bytes it may cost that a gateway puts words which come twice into a table, as Kannel does with
// words of five bytes and more: less than four for each time, by measurement.
func repeated(deck string) int {
	count, size := make(map[string]int), 0
	for _, word := range strings.Fields(strings.Join(wmlStrings(deck), " ")) {
		if len(word) < 5 {
			continue
		}
		switch count[word]++; count[word] {
		case 1:
		case 2:
			size += 8
		default:
			size += 4
		}
	}
	return size
}

// wmlStrings lists the texts and the attributes' values of a deck.
func wmlStrings(deck string) []string {
	var all []string
	for deck != "" {
		text, rest, _ := strings.Cut(deck, "<")
		tag, after, _ := strings.Cut(rest, ">")
		all = append(all, text)
		for i, part := range strings.Split(tag, `"`) {
			if i%2 == 1 {
				all = append(all, part)
			}
		}
		deck = after
	}
	return all
}

func wbxmlTag(tag string) int {
	if strings.HasPrefix(tag, "?") || strings.HasPrefix(tag, "!") {
		return 5
	}
	size := 1
	parts := strings.Split(tag, `"`)
	for i := 1; i < len(parts); i += 2 {
		size += 1 + wbxmlString(parts[i]) + 1
	}
	return size + 1
}

// wbxmlString is the size of a string: a token before, a zero after it, and as much again around each variable.
func wbxmlString(s string) int {
	if strings.Trim(s, "\n") == "" {
		return 0
	}
	size := 2 + len(s) + 4*strings.Count(s, "$(")
	return size - 4*strings.Count(s, "&#34;") - 4*strings.Count(s, "&#39;") - 4*strings.Count(s, "&amp;") - 3*strings.Count(s, "&lt;") - 3*strings.Count(s, "&gt;")
}
