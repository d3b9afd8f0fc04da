package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// out is the page through which links in messages lead away. Its own address holds no token.
func (s *Server) out(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get("to")
	if !isWeb(target) {
		s.nowhere(w, r)
		return
	}
	s.show(w, r, Page{
		Title: "A link to another place",
		Text:  []string{"Somebody sent you this link. It leads away from " + s.Name + ":", target},
		Links: []Link{{Text: "Go there", Href: target}},
	})
}

// outHref is the address of the page that leads to target.
func outHref(target string) string { return "/out?to=" + url.QueryEscape(target) }

// isWeb tells whether a text is an address of the web.
func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// origin is scheme and host of an address, for the content security policy; "" if it has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || !isWeb(address) || strings.ContainsAny(u.Host, ";, ") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// isOwn tells whether an address is one of our own audio server.
func (s *Server) isOwn(address string) bool {
	return origin(s.Audio) != "" && origin(s.Audio) == origin(address) && strings.HasPrefix(address, s.Audio)
}

var webLink = regexp.MustCompile(`(?i)\bhttps?://[^\s<>"'\x60{}|\\^]+`)

// lines takes a message's text apart into lines and links. All the spans' texts together, joined by line ends, are the
// text.
func lines(text string) []Line {
	if text == "" {
		return nil
	}
	var all []Line
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, spans(line))
	}
	return all
}

func spans(line string) Line {
	spans := Line{}
	for {
		at := webLink.FindStringIndex(line)
		if at == nil {
			break
		}
		link := strings.TrimRight(line[at[0]:at[1]], ".,;:!?)]")
		if at[0] > 0 {
			spans = append(spans, Span{Text: line[:at[0]]})
		}
		span := Span{Text: link}
		if isWeb(link) {
			span.Href = outHref(link)
		}
		spans = append(spans, span)
		line = line[at[0]+len(link):]
	}
	if line != "" {
		spans = append(spans, Span{Text: line})
	}
	return spans
}
