package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// vxmlScreen is a VoiceXML gateway: the page is read out, and the list is picked from by digits. A name is keyed by its
// first letters, and an answer is spoken. Other words cannot be typed there, so forms that need them are left out; the
// quick replies are there instead.
var vxmlScreen = screen{
	contentType: "application/voicexml+xml; charset=utf-8",
	limit:       48 << 10, choices: 9, chunk: 4000, label: 60,
	frame: func(Page) int { return 1000 },
	cost:  func(u unit) int { return len(vxmlSpeech(u)) + 600 },
	write: writeVXML,
	size:  func(string) int { return 0 },
	drops: func(f Form) bool {
		return f.Voice == "" && slices.ContainsFunc(f.Fields, func(f Field) bool { return f.Kind == Words || f.Kind == Short })
	},
}

// writeVXML writes a deck: what there is to say, a menu of everything that can be done, and a form each for what needs
// digits.
func writeVXML(d deck) string {
	var says, menu, forms strings.Builder
	says.WriteString("<p>" + escaped(d.Title) + ".</p>\n")
	key := 0
	for i, u := range d.Units {
		if u.Choice == nil && u.Form == nil {
			says.WriteString(vxmlSpeech(u))
			continue
		}
		key++
		menu.WriteString(vxmlChoice(u, key, i))
		forms.WriteString(vxmlForm(u, i))
	}
	if d.More != "" {
		menu.WriteString(vxmlChoice(unit{Choice: &choice{Label: "More", Href: d.More}}, key+1, 0))
	}
	page := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<vxml version=\"2.1\" xmlns=\"http://www.w3.org/2001/vxml\" xml:lang=\"en\">\n" +
		"<property name=\"inputmodes\" value=\"dtmf\"/>\n<form id=\"page\">\n<block><prompt>" + says.String() + "</prompt>" + vxmlNext(menu.Len() > 0) + "</block>\n</form>\n"
	if menu.Len() > 0 {
		page += "<menu id=\"menu\">\n" + menu.String() + "<noinput><reprompt/></noinput>\n<nomatch><reprompt/></nomatch>\n</menu>\n"
	}
	return page + forms.String() + "</vxml>\n"
}

func vxmlNext(menu bool) string {
	if menu {
		return `<goto next="#menu"/>`
	}
	return "<exit/>"
}

// vxmlSpeech is what is said of a unit.
func vxmlSpeech(u unit) string {
	var b strings.Builder
	if u.Head != "" {
		b.WriteString("<p>" + escaped(u.Head) + ".</p>\n")
	}
	if u.Text != "" {
		b.WriteString("<p>" + escaped(u.Text) + "</p>\n")
	}
	for _, a := range u.Sounds {
		if a.URL != "" {
			b.WriteString(`<audio src="` + escaped(a.URL) + `.wav">` + escaped(a.Title) + "</audio>\n")
		}
	}
	return b.String()
}

// vxmlChoice is a line of the menu, with its own words to be heard.
func vxmlChoice(u unit, key, number int) string {
	label, next := "", fmt.Sprintf("#f%d", number)
	switch {
	case u.Form != nil && u.Form.Voice != "":
		label = "Answer by voice"
	case u.Form != nil:
		label = u.Form.Submit
	case u.Choice.Form != nil:
		label = u.Choice.Label
	default:
		label, next = u.Choice.Label, u.Choice.Href
	}
	return fmt.Sprintf("<prompt>%d: %s.</prompt>\n<choice dtmf=\"%d\" next=\"%s\"/>\n", key, escaped(strings.TrimRight(label, ".")), key, escaped(next))
}

// vxmlForm asks for a form's digits and sends it.
func vxmlForm(u unit, number int) string {
	f := u.Form
	if u.Choice != nil {
		f = u.Choice.Form
	}
	if f == nil {
		return ""
	}
	if f.Voice != "" {
		return vxmlRecord(*f, number)
	}
	var b strings.Builder
	var names []string
	fmt.Fprintf(&b, "<form id=\"f%d\">\n", number)
	for _, field := range f.Fields {
		names = append(names, field.Name)
		if field.Kind == Hidden {
			fmt.Fprintf(&b, "<var name=\"%s\" expr=\"%s\"/>\n", field.Name, escaped(script(field.Value)))
			continue
		}
		label := field.Label
		if field.Kind == Name {
			label = "The first letters of the name"
		}
		fmt.Fprintf(&b, "<field name=\"%s\" type=\"digits\"><prompt>%s, then the hash key.</prompt></field>\n", field.Name, escaped(label))
	}
	method := "post"
	if f.Get {
		method = "get"
	}
	fmt.Fprintf(&b, "<block><submit next=\"%s\" method=\"%s\" namelist=\"%s\"/></block>\n</form>\n", escaped(f.Action), method, strings.Join(names, " "))
	return b.String()
}

// vxmlRecord records an answer, has it heard and sends it.
func vxmlRecord(f Form, number int) string {
	next := f.Voice
	for _, field := range f.Fields {
		if field.Kind == Hidden {
			next = withQuery(next, field.Name+"="+url.QueryEscape(field.Value))
		}
	}
	return fmt.Sprintf(`<form id="f%d">
<record name="%s" beep="true" maxtime="%ds" finalsilence="4s" dtmfterm="true" type="audio/x-wav">
<prompt>Speak after the tone, then press hash. It is sent as a recording.</prompt>
<noinput><prompt>I heard nothing.</prompt><goto next="#menu"/></noinput>
</record>
<field name="sure">
<prompt>To send, press 1. To hear it, 2. To record again, 3. To drop it, 4.</prompt>
<option dtmf="1" value="send"/>
<option dtmf="2" value="hear"/>
<option dtmf="3" value="again"/>
<option dtmf="4" value="drop"/>
<filled>
<if cond="sure == 'send'"><submit next="%s" method="post" enctype="multipart/form-data" namelist="%[2]s"/>
<elseif cond="sure == 'hear'"/><prompt><audio expr="%[2]s"/></prompt><clear namelist="sure"/>
<elseif cond="sure == 'again'"/><clear namelist="%[2]s sure"/>
<else/><goto next="#menu"/>
</if>
</filled>
</field>
</form>
`, number, soundField, vxmlSeconds, escaped(next))
}

// vxmlSeconds is how long a recording of a voice browser may be.
const vxmlSeconds = 180

// script writes a text as an ECMAScript string.
func script(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if r == '\'' || r == '\\' || r < ' ' || r == '\u2028' || r == '\u2029' {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
