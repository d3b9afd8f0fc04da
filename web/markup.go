package web

import (
	"net/http"
	"slices"
	"strings"
)

// A markup is a language that a Page can be written in.
type markup string

// The markups.
const (
	html5 markup = "html"  // for browsers of today: XHTML Basic with attributes and a script on top, all of them optional
	basic markup = "xhtml" // XHTML Basic 1.1 and nothing else
	wml   markup = "wml"   // WML 1.1
	hdml  markup = "hdml"  // HDML 3.0
	vxml  markup = "vxml"  // VoiceXML 2.1
)

var markups = []markup{html5, basic, wml, hdml, vxml}

// asField is the part of an address that chooses a markup against what the client says of itself.
const asField = "as"

// choose finds the markup for a request. What the client names itself goes before what stands between it and us:
// VoiceXML or WML in Accept, then a WAP gateway whose client does not want HTML, then HDML, then HTML. "*/*" alone is
// HTML, except behind a gateway. asked tells that the address itself said it.
func choose(r *http.Request) (m markup, asked bool) {
	if m := markup(r.URL.Query().Get(asField)); slices.Contains(markups, m) {
		return m, true
	}
	accept := strings.ToLower(strings.Join(r.Header["Accept"], ","))
	switch {
	case strings.Contains(accept, "voicexml"):
		return vxml, false
	case strings.Contains(accept, "vnd.wap.wml"):
		return wml, false
	case behindGateway(r) && !strings.Contains(accept, "html"):
		return wml, false
	case strings.Contains(accept, "x-hdml") && !strings.Contains(accept, "text/html"):
		return hdml, false
	case strings.HasPrefix(r.UserAgent(), "Mozilla/5."):
		return html5, false
	}
	return basic, false
}

// behindGateway tells whether a WAP gateway passed the request on.
func behindGateway(r *http.Request) bool {
	via := strings.ToLower(strings.Join(r.Header["Via"], ","))
	return r.Header.Get("X-Wap-Gateway") != "" || strings.Contains(via, "wap") || strings.Contains(via, "kannel")
}

// small tells whether a page in this markup is read on a few lines, or listened to.
func (m markup) small() bool { return m == wml || m == hdml || m == vxml }

// sticky makes the page's own addresses choose the same markup again.
func (p *Page) sticky(m markup) {
	stick := func(href *string) {
		if strings.HasPrefix(*href, "/") {
			*href = withQuery(*href, asField+"="+string(m))
		}
	}
	stick(&p.Self)
	stick(&p.Older.Href)
	for i := range p.Links {
		stick(&p.Links[i].Href)
	}
	for i := range p.Items {
		stick(&p.Items[i].Href)
	}
	for i := range p.Forms {
		stick(&p.Forms[i].Action)
		stick(&p.Forms[i].Voice)
		if p.Forms[i].Get {
			p.Forms[i].Fields = append(p.Forms[i].Fields, Field{Kind: Hidden, Name: asField, Value: string(m)})
		}
	}
}

// withQuery adds to the part of an address behind the question mark.
func withQuery(href, query string) string {
	if strings.Contains(href, "?") {
		return href + "&" + query
	}
	return href + "?" + query
}
