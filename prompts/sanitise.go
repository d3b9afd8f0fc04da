package prompts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxText is how many characters SayText speaks at most; what comes after is left out.
	MaxText = 4000
	// maxPiece is how many characters a synthesiser gets at once: a few seconds of its work at most.
	maxPiece = 500
)

// sanitise makes text fit for a synthesiser: valid UTF-8, no control and no invisible characters, single spaces, at most
// MaxText characters.
func sanitise(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			return -1
		}
		return r
	}, text)
	clean = strings.Join(strings.Fields(clean), " ")
	if first, more := cutText(clean, MaxText); more != "" {
		return first
	}
	return clean
}

// speakable tells whether there is anything in the text that has a sound.
func speakable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) })
}

// pieces cuts a long text at the ends of sentences, or where there is none, between words.
func pieces(text string) []string {
	var out []string
	for text != "" {
		var piece string
		piece, text = cutText(text, maxPiece)
		out = append(out, piece)
	}
	return out
}

// cutText splits text so that the first part has at most limit characters and ends well.
func cutText(text string, limit int) (first, rest string) {
	end := byteIndex(text, limit)
	if end == len(text) {
		return text, ""
	}
	window := text[:end]
	cut := max(strings.LastIndex(window, ". "), strings.LastIndex(window, "? "), strings.LastIndex(window, "! ")) + 1
	if cut <= 0 {
		cut = strings.LastIndex(window, " ")
	}
	if cut <= 0 {
		cut = end
	}
	return strings.TrimSpace(text[:cut]), strings.TrimSpace(text[cut:])
}

// byteIndex is where the character number n begins, or the length of the text when it has fewer.
func byteIndex(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// plainASCII spells text with the letters of ASCII for a synthesiser that knows no others: accents are dropped,
// typographic signs replaced, and what is left over becomes a space.
func plainASCII(text string) string {
	text = typography.Replace(text)
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return ' '
	}, norm.NFKD.String(text))
}

var typography = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "„", `"`, "–", "-", "—", " - ", "…", "...",
	"ß", "ss", "æ", "ae", "Æ", "Ae", "ø", "o", "Ø", "O", "œ", "oe", "Œ", "Oe", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D",
	"ð", "d", "þ", "th", "€", " euro ", "£", " pounds ", "°", " degrees ")
