package web

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"hark/presence/wire"
)

// named tells whether somebody's name has a part, whatever the case of the letters. A part in digits is also taken for
// letters on a telephone's keys, with which a word of the name begins: 227 is Carla, and anybody else whose name begins with such letters.
func named(c wire.Contact, part string) bool {
	if strings.Contains(strings.ToLower(c.Name), strings.ToLower(part)) {
		return true
	}
	for word := range strings.FieldsSeq(c.Name) {
		if part != "" && strings.HasPrefix(keys(word), part) {
			return true
		}
	}
	return false
}

// keys are the keys of a telephone on which the letters of a word stand (ITU-T E.161), without their accents; a letter
// that stands on none is left out.
func keys(word string) string {
	const onKeys = "22233344455566677778889999"
	return strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z':
			return rune(onKeys[r-'a'])
		case r >= '0' && r <= '9':
			return r
		}
		return -1
	}, norm.NFD.String(word))
}
