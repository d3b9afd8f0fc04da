package ivr

import (
	"strings"
	"unicode"
)

// spokenEmoji are the emoji that have a prompt of their own.
const spokenEmoji = "\u2764\U0001f600\U0001f601\U0001f602\U0001f603\U0001f604\U0001f605\U0001f606\U0001f609" +
	"\U0001f60a\U0001f60d\U0001f60e\U0001f610\U0001f614\U0001f618\U0001f61e\U0001f621\U0001f622" +
	"\U0001f62d\U0001f631\U0001f642\U0001f643\U0001f644\U0001f64f\U0001f44b\U0001f44c\U0001f44d" +
	"\U0001f44e\U0001f44f\U0001f389\U0001f382\U0001f914\U0001f917\U0001f923\U0001f937\U0001f970" +
	"\U0001f525\U0001f680\u2705\u2728"

// emoji says emoji by name, and a run of the same ones once with its count. Each stands between commas.
func emoji(text string, words wording) string {
	var out strings.Builder
	var last rune
	run := 0
	glued, flag := false, false // a joiner came before; the first half of a flag came before
	flush := func() {
		if run > 0 {
			out.WriteString(", " + runOf(last, run, words) + ", ")
		}
		run = 0
	}
	for _, r := range text {
		switch {
		case joins(r):
			glued = r == joiner
			continue
		case glued && isEmoji(r), flag && isFlag(r): // it belongs to the one before
			glued, flag = false, false
			continue
		case run > 0 && r == last:
			run++
		case isEmoji(r):
			flush()
			last, run, flag = r, 1, isFlag(r)
		case run > 0 && r == ' ':
			continue
		default:
			flush()
			out.WriteRune(r)
		}
	}
	flush()
	return out.String()
}

// runOf names an emoji that stands n times.
func runOf(r rune, n int, words wording) string {
	name := words("text.emoji")
	if strings.ContainsRune(spokenEmoji, r) {
		name = words(emojiID(r))
	}
	if n == 1 {
		return name
	}
	return words("text.times", "name", name, "count", n)
}

// joiner makes one picture of two.
const joiner = 0x200d

// isFlag tells whether a character is half a flag.
func isFlag(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// joins tells whether a character only shapes the emoji before it: a skin tone, a joiner, a variation.
func joins(r rune) bool {
	return r >= 0x1f3fb && r <= 0x1f3ff || r == joiner || unicode.Is(unicode.Variation_Selector, r)
}

// isEmoji tells whether a character is a pictograph.
func isEmoji(r rune) bool {
	return r >= 0x1f300 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x2b05 && r <= 0x2b55 ||
		r == 0x231a || r == 0x231b || r >= 0x23e9 && r <= 0x23f3 || isFlag(r)
}
