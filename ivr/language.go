package ivr

import (
	"slices"
	"strings"
	"unicode"
)

// frequent are words of everyday messages, by language. A language without any is never guessed; its messages are read as
// those of the call's are.
var frequent = map[string][]string{
	"en": strings.Fields("the and you for are with not have this that it's i'm what your will can be is of to on my we me from at do " +
		"there when please thanks hello how if but they he she would could should about tomorrow today call see"),
	"de": strings.Fields("der die das und ich du ist nicht ein eine einen wir sie es mit auf für dem den zu auch noch mir dir mich dich " +
		"hast habe bin bist sind kann kommst komme morgen heute bitte danke hallo wie wenn aber oder um bei von vom im am wo wann ja nein"),
}

// fewestFrequent is how many of its frequent words make a language believed of a text; below it a word may be a name.
const fewestFrequent = 2

// languageOf guesses the language of a text among those that can be spoken. It is home, the language of the call, unless
// more of the text's words are frequent in another one.
func languageOf(text, home string, spoken []string) string {
	best, most := home, 0
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	for _, lang := range append([]string{home}, spoken...) {
		count := 0
		for _, word := range words {
			if slices.Contains(frequent[lang], word) {
				count++
			}
		}
		if count > most && (lang == home || count >= fewestFrequent) {
			best, most = lang, count
		}
	}
	return best
}

// language guesses in which language a text is to be read in this call.
func (c *Call) language(text string) string { return languageOf(text, c.lang, c.srv.Languages) }

// read makes pieces of a message's text that can be said one after the other, in the text's own language.
func (c *Call) read(text string) (list []phrase) {
	lang := c.language(text)
	text = speakable(text, lang, c.wordingOf(lang))
	if text != "" && strings.Trim(text, namedSigns) == "" { // "?" alone has no sound
		return spelledOut(text)
	}
	for _, piece := range sentences(text) {
		list = append(list, phrase{text: piece, lang: lang})
	}
	return list
}

// wordingOf is the words of prompts in a language.
func (c *Call) wordingOf(lang string) wording {
	return func(id string, pairs ...any) string {
		text, err := c.srv.Voice.Text(lang, id, say(id, pairs...).args)
		if err != nil {
			c.log.Warn("no text", "prompt", id, "lang", lang, "err", err)
		}
		return text
	}
}
