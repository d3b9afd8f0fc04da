package audio

import (
	"net/http"
	"strings"
)

// wmlPage is the whole deck: WML 1.1, under 1,300 bytes whatever the texts are.
const (
	wmlHead = `<?xml version="1.0"?>
<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
<wml><card id="r" title="Hark"><p>`
	wmlFoot  = `</p></card></wml>` + "\n"
	wmlTexts = 120 // bytes of each text
)

// serveDeck is the page for a WAP phone. It cannot play the recording: it tells what it is, and offers to call.
func (h *Handler) serveDeck(w http.ResponseWriter, r *http.Request, rec Recording) {
	lines := []string{"<b>" + wmlText(rec.heading()) + "</b>"}
	if rec.From != "" {
		lines = append(lines, wmlText("From "+rec.From))
	}
	lines = append(lines, rec.Created.Format("2 Jan 2006 15:04 MST"), "Length "+clock(rec.Duration))
	if rec.Part {
		lines = append(lines, wmlText(partWords))
	}
	if h.cfg.Answer != "" {
		lines = append(lines, `<a href="wtai://wp/mc;`+dialable(h.cfg.Answer)+`">Call to answer</a>`)
	}
	h.writeDeck(w, r, http.StatusOK, lines)
}

func (h *Handler) writeDeck(w http.ResponseWriter, r *http.Request, status int, lines []string) {
	write(w, r, status, "text/vnd.wap.wml; charset=utf-8", []byte(wmlHead+strings.Join(lines, "<br/>\n")+wmlFoot))
}

// wmlText makes text of s, short and free of markup. A dollar begins a variable of the phone unless it is doubled.
func wmlText(s string) string {
	var b strings.Builder
	for _, c := range truncate(s, wmlTexts) {
		switch {
		case c == '$':
			b.WriteString("$$")
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c < ' ' || c == 0x7f || c == 0xfffe || c == 0xffff:
			b.WriteByte(' ')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// dialable leaves of a telephone number what can be dialled.
func dialable(number string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c == '+' || c == '*' || c == '#' {
			return c
		}
		return -1
	}, number)
}
