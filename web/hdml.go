package web

import (
	"fmt"
	"net/url"
	"strings"
)

// hdmlScreen is a phone from before WAP. How its gateway compiles is nowhere written, so a deck is bounded as it is sent.
var hdmlScreen = screen{
	contentType: "text/x-hdml; charset=utf-8",
	limit:       wmlLimit, choices: 9, chunk: 300, label: 32,
	frame: func(p Page) int { return len(writeHDML(deck{Title: p.Title, More: p.Self + "&from=000"})) + 10 },
	cost:  func(u unit) int { return len(hdmlUnit(u, 10)) + len(hdmlCards(u, 10)) },
	write: writeHDML,
	size:  func(deck string) int { return len(deck) },
}

// writeHDML writes a deck: one card with texts and a list, and for each field of a form a card of its own behind it.
func writeHDML(d deck) string {
	var text, list, cards strings.Builder
	for i, u := range d.Units {
		switch {
		case u.Choice != nil || u.Form != nil:
			list.WriteString(hdmlUnit(u, i))
		default:
			text.WriteString(hdmlUnit(u, i))
		}
		cards.WriteString(hdmlCards(u, i))
	}
	if d.More != "" {
		list.WriteString(hdmlUnit(unit{Choice: &choice{Label: "More", Href: d.More}}, 0))
	}
	kind := "DISPLAY"
	if list.Len() > 0 {
		kind = "CHOICE"
	}
	return "<HDML VERSION=\"3.0\" TTL=\"0\" PUBLIC=\"TRUE\" MARKABLE=\"FALSE\">\n<" + kind + ` NAME="c" TITLE="` + hdmlLine(cut(d.Title, 20)) + "\">\n" +
		text.String() + list.String() + "</" + kind + ">\n" + cards.String() + "</HDML>\n"
}

// hdmlLine is a text in one line.
func hdmlLine(s string) string { return strings.ReplaceAll(doubled(s), "\n", " ") }

func hdmlUnit(u unit, number int) string {
	switch {
	case u.Choice != nil && u.Choice.Form != nil:
		return "<CE" + hdmlGo(*u.Choice.Form, number) + ">" + hdmlLine(u.Choice.Label) + "\n"
	case u.Choice != nil:
		return `<CE TASK="GO" DEST="` + hdmlLine(u.Choice.Href) + `">` + hdmlLine(u.Choice.Label) + "\n"
	case u.Form != nil:
		return fmt.Sprintf("<CE TASK=\"GO\" DEST=\"#%s\">%s\n", hdmlCard(number, u.Form.first(0)), hdmlLine(u.Form.Submit))
	}
	var b strings.Builder
	if u.Head != "" {
		b.WriteString("<WRAP>" + hdmlLine(u.Head) + "<BR>\n")
	}
	b.WriteString("<WRAP>" + strings.ReplaceAll(doubled(u.Text), "\n", "<BR>\n") + "<BR>\n")
	for _, a := range u.Sounds {
		b.WriteString(`<A TASK="GO" DEST="` + hdmlLine(a.Href) + `" LABEL="Hear">` + hdmlLine(a.label()) + "</A><BR>\n")
	}
	return b.String()
}

// first is the number of the first field from a number on that is filled in; the number of fields when there is none.
func (f Form) first(from int) int {
	for i := from; i < len(f.Fields); i++ {
		if f.Fields[i].Kind != Hidden {
			return i
		}
	}
	return len(f.Fields)
}

func hdmlCard(form, field int) string { return fmt.Sprintf("f%d_%d", form, field) }

// hdmlCards are the cards behind the first one: each asks for one field, and the last one sends.
func hdmlCards(u unit, number int) string {
	if u.Form == nil {
		return ""
	}
	var b strings.Builder
	f := *u.Form
	for i := f.first(0); i < len(f.Fields); i = f.first(i + 1) {
		field, task := f.Fields[i], hdmlGo(f, number)
		if next := f.first(i + 1); next < len(f.Fields) {
			task = ` TASK="GO" DEST="#` + hdmlCard(number, next) + `"`
		}
		kind := ""
		switch field.Kind {
		case PIN:
			kind = ` NOECHO="TRUE" FORMAT="*N"`
		case Digits:
			kind = ` FORMAT="*N"`
		case Words:
			kind = ` DEFAULT="` + hdmlLine(heavy(field.Value, wmlValue)) + `"`
		}
		fmt.Fprintf(&b, "<ENTRY NAME=\"%s\" KEY=\"%s\"%s>\n<ACTION TYPE=\"ACCEPT\"%s>\n%s:\n</ENTRY>\n",
			hdmlCard(number, i), variable(number, i), kind, task, hdmlLine(field.Label))
	}
	return b.String()
}

// hdmlGo is the task that sends a form. The phone escapes the variables in it by itself.
func hdmlGo(f Form, number int) string {
	var pairs []string
	for i, field := range f.Fields {
		value := "$(" + variable(number, i) + ")"
		if field.Kind == Hidden {
			value = doubled(url.QueryEscape(field.Value))
		}
		pairs = append(pairs, field.Name+"="+value)
	}
	data := strings.Join(pairs, "&amp;")
	if f.Get {
		return ` TASK="GO" DEST="` + hdmlLine(f.Action) + "?" + data + `"`
	}
	return ` TASK="GO" METHOD="POST" DEST="` + hdmlLine(f.Action) + `" POSTDATA="` + data + `"`
}
