package vxml

import "strings"

// A Polyglot is a Voice that knows which languages it speaks. Any other Voice is asked for whatever a document names.
type Polyglot interface {
	// Speaks tells whether there is a voice for a language, "en" or "en-US".
	Speaks(lang string) bool
}

// tongue is the language in which something is spoken that is in the language of a tag (BCP 47): that one, or the one it
// is a kind of, as "en" is for "en-US".
func (c *call) tongue(tag string) (string, error) {
	voice, knows := c.Voice.(Polyglot)
	lang := strings.TrimSpace(tag)
	for knows && !voice.Speaks(lang) {
		i := strings.LastIndexByte(lang, '-')
		if i < 0 {
			return "", throw(evLanguage, "%s", tag)
		}
		lang = lang[:i]
	}
	return lang, nil
}

// inTongues brings the texts of a queue into languages that there is a voice for.
func (c *call) inTongues(list []utterance) ([]utterance, error) {
	for i := range list {
		if list[i].text == "" {
			continue
		}
		lang, err := c.tongue(list[i].lang)
		if err != nil {
			return nil, err
		}
		list[i].lang = lang
	}
	return list, nil
}
