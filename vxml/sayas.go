package vxml

import (
	"strings"
	"time"

	"hark/vxml/xmltree"
)

// spelled are the kinds of text that are said character by character.
var spelled = map[string]bool{"digits": true, "vxml:digits": true, "characters": true, "spell-out": true, "letters": true,
	"telephone": true, "vxml:phone": true, "acronym": true, "number:digits": true}

// rewritten are the kinds of text that are said in other words, as the values of VoiceXML's built-in types are
// (VoiceXML 2.0, appendix P). What is none of that kind is said as it is.
var rewritten = map[string]func(text, lang string) string{
	"vxml:date": sayDate, "date": sayDate, "vxml:time": sayTime, "time": sayTime, "vxml:boolean": sayBoolean, "vxml:currency": sayCurrency,
}

func (b *builder) sayAs(c *xmltree.Node) speak {
	list := b.speech(c)
	kind := c.Attr("interpret-as")
	if kind == "" {
		kind = c.Attr("type")
	}
	if f := c.Attr("format"); kind == "number" && f != "" {
		kind += ":" + f
	}
	rewrite := rewritten[kind]
	return func(r *rendering) error {
		if rewrite != nil {
			inner := r.within(r.frame)
			err := inner.all(list)
			r.say(rewrite(plain(inner.out), r.lang))
			return err
		}
		before := r.spell
		r.spell = before || spelled[kind]
		defer func() { r.spell = before }()
		return r.all(list)
	}
}

func english(lang string) bool { return lang == "en" || strings.HasPrefix(lang, "en-") }

// sayDate says yyyymmdd. Of the languages only English has its months here; others are given it as ISO 8601 writes it.
func sayDate(text, lang string) string {
	day, err := time.Parse("20060102", text)
	switch {
	case err != nil:
		return text
	case english(lang):
		return day.Format("January 2, 2006")
	}
	return day.Format(time.DateOnly)
}

// sayTime says hhmm and a, p, h or ?.
func sayTime(text, _ string) string {
	clock, half := strings.TrimRight(text, "aph?"), ""
	switch {
	case strings.HasSuffix(text, "a"):
		half = " AM"
	case strings.HasSuffix(text, "p"):
		half = " PM"
	}
	at, err := time.Parse("1504", clock)
	if err != nil {
		return text
	}
	return at.Format("15:04") + half
}

func sayBoolean(text, lang string) string {
	switch {
	case english(lang) && text == "true":
		return "yes"
	case english(lang) && text == "false":
		return "no"
	}
	return text
}

// sayCurrency says UUUmm.nn with the currency behind.
func sayCurrency(text, _ string) string {
	if i := strings.IndexAny(text, "0123456789"); i == 3 {
		return text[i:] + " " + text[:i]
	}
	return text
}
