package ivr

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A pad is what the keys 0 to 9 write when they are pressed once, twice and so on.
type pad [10]string

// pads are the keypads by language.
var pads = map[string]pad{
	"en": {" 0", ".,?!'-@:/1", "abc2", "def3", "ghi4", "jkl5", "mno6", "pqrs7", "tuv8", "wxyz9"},
	"de": {" 0", ".,?!'-@:/1", "abcä2", "def3", "ghi4", "jkl5", "mnoö6", "pqrsß7", "tuvü8", "wxyz9"},
}

// padOf is the keypad of a language.
func padOf(lang string) pad {
	if p, ok := pads[lang]; ok {
		return p
	}
	return pads["en"]
}

// letter is what a key writes when it was pressed taps times; behind the last one it begins again.
func (p pad) letter(key byte, taps int) rune {
	letters := []rune(p[key-'0'])
	return letters[(taps-1)%len(letters)]
}

// namedSigns are the signs that have a prompt of their own.
const namedSigns = " .,?!'-@:/"

// letterID is the prompt that names a character which can be spelled, "" when there is none.
func letterID(r rune) string {
	switch {
	case r >= '0' && r <= '9':
		return "digit." + string(r)
	case r >= 'a' && r <= 'z':
		return "letter." + string(r)
	case strings.ContainsRune("äöüß"+namedSigns, r):
		return fmt.Sprintf("letter.%x", r)
	}
	return ""
}

// spelledOut says a text letter by letter; what has no name is left to the synthesiser.
func spelledOut(text string) []phrase {
	var list []phrase
	for _, r := range strings.ToLower(text) {
		p := say(letterID(r))
		if p.id == "" {
			p = spoken(string(r))
		}
		p.pause = digitPause
		list = append(list, p)
	}
	return list
}

// dialled is the key that a letter of a name stands on: 2 for é as for a; Q is on 7 and Z on 9. 0 for what is on none.
func dialled(r rune) byte {
	r, _ = firstRune(norm.NFD.String(strings.ToLower(string(r))))
	if r >= '0' && r <= '9' {
		return byte(r)
	}
	if r == 'ß' {
		return '7'
	}
	for key, letters := range pads["en"] {
		if key >= 2 && strings.ContainsRune(letters, r) {
			return byte('0' + key)
		}
	}
	return 0
}

func firstRune(s string) (rune, bool) {
	for _, r := range s {
		return r, true
	}
	return 0, false
}

// fitsName tells whether keys are the first letters of a name, or of a later word of it. Q and Z may be keyed as 1 too,
// as on old telephones.
func fitsName(keys, name string) bool {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	for i := range words {
		if begins([]rune(strings.Join(words[i:], "")), keys) {
			return true
		}
	}
	return false
}

func begins(name []rune, keys string) bool {
	if len(name) < len(keys) {
		return false
	}
	for i := range len(keys) {
		old := keys[i] == '1' && strings.ContainsRune("qzQZ", name[i])
		if keys[i] != dialled(name[i]) && !old {
			return false
		}
	}
	return true
}
