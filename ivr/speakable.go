package ivr

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A wording returns the words of a prompt in the language of the call.
type wording func(id string, pairs ...any) string

// What is looked for in a message. A link is found before a number, an address before a word.
var (
	fenced    = regexp.MustCompile("(?s)```.*?(```|$)")
	ticked    = regexp.MustCompile("`([^`\n]+)`")
	linked    = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s<>"]+|\bwww\.[^\s<>"]+\.[^\s<>"]+`)
	mailed    = regexp.MustCompile(`(?i)\b(?:mailto:|xmpp:)?[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+\b`)
	longOne   = regexp.MustCompile(`[+(]*\d[\d ()/-]{4,}\d`)
	repeated  = regexp.MustCompile(`([!?.,;:-])[!?.,;:-]+`)
	marks     = regexp.MustCompile(`(^|[\s(])[*_~]+([^\s*_~][^*_~\n]*)[*_~]+`)
	quoted    = regexp.MustCompile(`(?m)^[>#\s]+`)
	blanks    = regexp.MustCompile(`[ \t]+`)
	titled    = regexp.MustCompile(`\[([^\[\]\n]+)\]\((https?://)`)
	tagged    = regexp.MustCompile(`(?i)</?(?:b|i|u|em|strong|p|br|a|div|span|code|pre|li|ul|ol|h[1-6])(?:\s[^<>\n]*)?/?>`)
	listed    = regexp.MustCompile(`(?m)^[ \t]*[-*•–][ \t]+`)
	afterWord = regexp.MustCompile(`([A-Za-z])(\d(?: \d){6,})`)
	trailing  = regexp.MustCompile(`(?:\s*,)+\s*([.!?])`)
	commas    = regexp.MustCompile(`([.,!?:;])(?:\s*,)+`)
	manyLines = regexp.MustCompile(`\s*\n\s*`)
)

// codeLike is what makes a piece between ticks code rather than a word.
const codeLike = `(){}[]<>=;|&$\`

// speakable makes of a message's text what a synthesiser can say: links by their site, pictures and code by their kind,
// emoji by name and counted, long numbers digit by digit, what is written short in full. The result is one line.
func speakable(text, lang string, words wording) string {
	text = strings.ToValidUTF8(text, " ")
	text = fenced.ReplaceAllString(text, " "+words("text.code")+". ")
	text = ticked.ReplaceAllStringFunc(text, func(s string) string { return inline(s, words) })
	text = titled.ReplaceAllString(text, "$1 ($2")
	text = tagged.ReplaceAllString(text, " ")
	text = linked.ReplaceAllStringFunc(text, func(s string) string { return link(s, words) })
	text = mailed.ReplaceAllStringFunc(text, func(s string) string { return address(s, words) })
	text = quoted.ReplaceAllString(text, "")
	text = listed.ReplaceAllString(text, "")
	text = marks.ReplaceAllString(text, "$1$2")
	text = longOne.ReplaceAllStringFunc(text, digitByDigit)
	text = afterWord.ReplaceAllString(text, "$1 $2")
	text = emoji(inFull(text, lang), words)
	text = repeated.ReplaceAllString(text, "$1")
	text = strings.Map(audible, text)
	text = manyLines.ReplaceAllStringFunc(strings.TrimSpace(text), func(string) string { return "\n" })
	text = strings.ReplaceAll(blanks.ReplaceAllString(joinLines(text), " "), " ,", ",")
	text = trailing.ReplaceAllString(commas.ReplaceAllString(text, "$1"), "$1")
	return strings.Trim(text, ", ")
}

// inline says a word between ticks as it is, and calls the rest code.
func inline(s string, words wording) string {
	s = strings.Trim(s, "`")
	if strings.ContainsAny(s, codeLike) {
		return words("text.code")
	}
	return s
}

// pictures and sounds are told by their name's end.
var kinds = map[string]string{
	"jpg": "text.picture", "jpeg": "text.picture", "png": "text.picture", "gif": "text.picture", "webp": "text.picture",
	"heic": "text.picture", "mp3": "text.sound", "ogg": "text.sound", "opus": "text.sound", "wav": "text.sound",
	"m4a": "text.sound", "mp4": "text.video", "webm": "text.video", "mov": "text.video", "pdf": "text.file", "zip": "text.file",
}

// link says what a URL leads to.
func link(s string, words wording) string {
	tail := ""
	if trimmed := strings.TrimRight(s, ".,;:!?)]}'"); trimmed != s {
		s, tail = trimmed, s[len(trimmed):]
	}
	if strings.Contains(s, "(") {
		tail = strings.Replace(tail, ")", "", 1)
	}
	full := s
	if strings.HasPrefix(strings.ToLower(s), "www.") {
		full = "http://" + s
	}
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" {
		return words("text.link", "site", "?") + tail
	}
	if i := strings.LastIndexByte(u.Path, '.'); i >= 0 {
		if kind, ok := kinds[strings.ToLower(u.Path[i+1:])]; ok {
			return words(kind) + tail
		}
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	return words("text.link", "site", dotted(host, words)) + tail
}

// address says a mail address or a JID.
func address(s string, words wording) string {
	_, s, _ = strings.Cut("x:"+strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "xmpp:"), ":")
	local, host, _ := strings.Cut(s, "@")
	return dotted(local, words) + " " + words("text.at") + " " + dotted(host, words)
}

// dotted says the dots of a name.
func dotted(s string, words wording) string {
	return strings.ReplaceAll(s, ".", " "+words("text.dot")+" ")
}

// longNumber is how many digits make a number that nobody says as an amount.
const longNumber = 7

// digitByDigit sets the digits of a telephone number or code apart, in the groups it was written in. Dates and amounts
// in groups stay.
func digitByDigit(s string) string {
	groups := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	telephone := strings.ContainsRune("+(0", rune(s[0]))
	if !telephone && len(groups) > 1 || len(strings.Join(groups, "")) < longNumber {
		return s
	}
	for i, group := range groups {
		groups[i] = strings.Join(strings.Split(group, ""), " ")
	}
	out := strings.Join(groups, ", ")
	if s[0] == '+' {
		return "+ " + out
	}
	return out
}

// audible drops what makes no sound or would be read out: control characters, invisible ones, and leftover symbols.
func audible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case strings.ContainsRune("`|^\\<>[]{}", r), r == utf8.RuneError:
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return -1
	case unicode.Is(unicode.So, r), unicode.Is(unicode.Sk, r) && r > 0x7f, unicode.Is(unicode.Co, r):
		return ' '
	}
	return r
}

// joinLines ends each line as a sentence.
func joinLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines[:len(lines)-1] {
		if r, _ := utf8.DecodeLastRuneInString(line); unicode.IsLetter(r) || unicode.IsDigit(r) {
			lines[i] = line + "."
		}
	}
	return strings.Join(lines, " ")
}

// isURL tells whether the text is one http link and nothing else.
func isURL(s string) bool {
	if strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// longest is the most text in one piece of speech, in bytes.
const longest = 300

// sentences cuts a text into pieces that are rendered one at a time: at the ends of sentences, else between words.
func sentences(text string) []string {
	var list []string
	for text = strings.TrimSpace(text); text != ""; {
		at := len(text)
		if at > longest {
			at = cutAt(text[:longest])
		}
		list = append(list, strings.TrimSpace(text[:at]))
		text = strings.TrimSpace(text[at:])
	}
	return list
}

// cutAt finds where a piece may end: behind a sentence, else behind a word, else behind a whole character.
func cutAt(s string) int {
	if i := max(strings.LastIndex(s, ". "), strings.LastIndex(s, "? "), strings.LastIndex(s, "! ")); i > 0 {
		return i + 1
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		return i
	}
	i := len(s)
	for i > 1 && !utf8.ValidString(s[:i]) {
		i--
	}
	return i
}

// emojiID is the prompt that names an emoji.
func emojiID(r rune) string { return fmt.Sprintf("emoji.%x", r) }
