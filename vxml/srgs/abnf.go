package srgs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hark/vxml/xmltree"
)

// header is the first line of a grammar in ABNF.
var header = regexp.MustCompile(`^\s*#ABNF[ \t]+V?1\.0(?:[ \t]+([A-Za-z0-9._:-]+))?[ \t]*;`)

// maxNested is how many brackets may stand within one another.
const maxNested = 50

// IsABNF tells whether a text begins as a grammar in ABNF does.
func IsABNF(text string) bool { return header.MatchString(strings.TrimPrefix(text, "\ufeff")) }

// Charset is the encoding that the first line of a grammar in ABNF names; "" when it names none, or there is none.
func Charset(text string) string {
	if m := header.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// ParseABNF reads a grammar in ABNF. uri is where it stands.
func ParseABNF(text, uri string) (*Grammar, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	h := header.FindString(text)
	if h == "" {
		return nil, fmt.Errorf("%w: line 1: no #ABNF 1.0;", ErrGrammar)
	}
	g := &Grammar{URI: uri, rules: map[string]*rule{}}
	a := &abnf{g: g, src: text, at: len(h), seen: map[string]bool{}}
	for a.peek() != 0 {
		if err := a.statement(); err != nil {
			return nil, err
		}
	}
	if len(g.rules) == 0 {
		return nil, a.wrong("no rule")
	}
	return g.finish()
}

// An abnf reads the text, character by character.
type abnf struct {
	g     *Grammar
	src   string
	at    int
	depth int
	seen  map[string]bool // declarations
}

func (a *abnf) wrong(format string, args ...any) error {
	line := 1 + strings.Count(a.src[:min(a.at, len(a.src))], "\n")
	return fmt.Errorf("%w: line %d: %s", ErrGrammar, line, fmt.Sprintf(format, args...))
}

// peek passes over blanks and comments and returns the next character, 0 at the end.
func (a *abnf) peek() byte {
	for a.at < len(a.src) {
		rest := a.src[a.at:]
		switch {
		case strings.HasPrefix(rest, "//"):
			a.skipTo("\n")
		case strings.HasPrefix(rest, "/*"):
			a.skipTo("*/")
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			a.at++
		default:
			return rest[0]
		}
	}
	return 0
}

// skipTo goes behind the end of a comment.
func (a *abnf) skipTo(end string) {
	i := strings.Index(a.src[a.at:], end)
	if i < 0 {
		a.at = len(a.src)
		return
	}
	a.at += i + len(end)
}

// want takes a character that must come now.
func (a *abnf) want(c byte) error {
	if a.peek() != c {
		return a.wrong("%q expected", c)
	}
	a.at++
	return nil
}

// took takes a character if it comes now.
func (a *abnf) took(c byte) bool {
	if a.peek() != c {
		return false
	}
	a.at++
	return true
}

// word takes characters up to one that has a meaning of its own.
func (a *abnf) word() string {
	a.peek()
	from := a.at
	for a.at < len(a.src) && strings.IndexByte(" \t\r\n;=|()[]{}<>/\"$!", a.src[a.at]) < 0 {
		a.at++
	}
	return a.src[from:a.at]
}

// quoted takes a text between equal quotes.
func (a *abnf) quoted(q byte) (string, error) {
	if err := a.want(q); err != nil {
		return "", err
	}
	var b strings.Builder
	for ; a.at < len(a.src); a.at++ {
		switch c := a.src[a.at]; {
		case c == q:
			a.at++
			return b.String(), nil
		case c == '\\' && a.at+1 < len(a.src):
			a.at++
			b.WriteByte(a.src[a.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", a.wrong("no closing %q", q)
}

// until takes everything up to a text, and the text.
func (a *abnf) until(end string) (string, error) {
	i := strings.Index(a.src[a.at:], end)
	if i < 0 {
		return "", a.wrong("no %q", end)
	}
	s := a.src[a.at : a.at+i]
	a.at += i + len(end)
	return s, nil
}

// statement reads a declaration or a rule.
func (a *abnf) statement() error {
	if a.peek() == '{' {
		t, err := a.tag()
		if err != nil {
			return err
		}
		a.g.header = append(a.g.header, *t)
		return a.want(';')
	}
	if a.peek() == '$' {
		return a.rule(false)
	}
	return a.keyword(a.word())
}

// keyword reads what stands behind the word that begins a statement.
func (a *abnf) keyword(w string) error {
	if a.seen[w] && slices.Contains([]string{"root", "mode", "language", "tag-format", "base"}, w) {
		return a.wrong("%s is declared twice", w)
	}
	a.seen[w] = true
	switch w {
	case "public":
		return a.rule(true)
	case "private":
		return a.rule(false)
	case "root":
		return a.root()
	case "mode", "language":
		value := a.word()
		if w == "mode" {
			a.g.Mode = value
		}
		return a.want(';')
	case "tag-format", "base", "lexicon":
		return a.uriLine(w)
	case "meta", "http-equiv":
		return a.meta()
	default:
		return a.wrong("%q is no declaration", w)
	}
}

func (a *abnf) root() (err error) {
	if err = a.want('$'); err != nil {
		return err
	}
	a.g.Root = a.word()
	return a.want(';')
}

// uriLine reads a declaration that names a URI.
func (a *abnf) uriLine(what string) error {
	if err := a.want('<'); err != nil {
		return err
	}
	uri, err := a.until(">")
	if err != nil {
		return err
	}
	switch what {
	case "tag-format":
		a.g.Format = tagFormat(uri)
	case "base":
		a.g.URI = xmltree.Resolve(a.g.URI, uri)
	}
	if err := a.mediaType(); err != nil {
		return err
	}
	return a.want(';')
}

// meta passes over a meta declaration.
func (a *abnf) meta() error {
	for range 2 {
		q := a.peek()
		if q != '"' && q != '\'' {
			return a.wrong("a quoted text expected")
		}
		if _, err := a.quoted(q); err != nil {
			return err
		}
		if a.peek() != ';' {
			if w := a.word(); w != "is" && w != "content" {
				return a.wrong("%q expected", "is")
			}
		}
	}
	return a.want(';')
}

func (a *abnf) rule(public bool) error {
	if err := a.want('$'); err != nil {
		return err
	}
	id := a.word()
	if err := a.want('='); err != nil {
		return err
	}
	body, err := a.alternatives()
	if err != nil {
		return err
	}
	if err := a.g.add(&rule{id: id, public: public, body: body}, 1+strings.Count(a.src[:a.at], "\n")); err != nil {
		return err
	}
	return a.want(';')
}

// alternatives reads what stands between |.
func (a *abnf) alternatives() (node, error) {
	if a.depth++; a.depth > maxNested {
		return nil, a.wrong("nested too deeply")
	}
	defer func() { a.depth-- }()
	var list []choice
	for {
		w, err := a.weight()
		if err != nil {
			return nil, err
		}
		s, err := a.sequence()
		if err != nil {
			return nil, err
		}
		list = append(list, choice{w, s})
		if !a.took('|') {
			break
		}
	}
	if len(list) == 1 {
		return list[0].of, nil
	}
	return heaviest(list), nil
}

// weight reads "/0.5/" if it comes now.
func (a *abnf) weight() (float64, error) {
	if !a.took('/') {
		return 1, nil
	}
	s, err := a.until("/")
	if err != nil {
		return 0, err
	}
	w, err := weight(s)
	if err != nil {
		return 0, a.wrong("%v", err)
	}
	return w, nil
}

// sequence reads parts one after the other.
func (a *abnf) sequence() (seq, error) {
	s := seq{}
	for {
		part, err := a.part()
		if err != nil {
			return nil, err
		}
		if part == nil {
			if len(s) == 0 {
				return nil, a.wrong("something to match expected")
			}
			return s, nil
		}
		if part, err = a.repeated(part); err != nil {
			return nil, err
		}
		s = append(s, part)
	}
}

// part reads one part; nil when none comes.
func (a *abnf) part() (node, error) {
	switch c := a.peek(); c {
	case 0, ';', '|', ')', ']', '<', '>', '=', '}', '!', '/':
		return nil, nil
	case '(':
		return a.bracket(')')
	case '[':
		n, err := a.bracket(']')
		return repeat{0, 1, n}, err
	case '{':
		return a.tag()
	case '$':
		a.at++
		return a.reference()
	case '"':
		text, err := a.quoted('"')
		return tokens(text), err
	default:
		w := a.word()
		if w == "" {
			return nil, a.wrong("%q does not belong here", c)
		}
		return token(w), nil
	}
}

func (a *abnf) bracket(end byte) (node, error) {
	a.at++
	if a.took(end) {
		return seq{}, nil
	}
	n, err := a.alternatives()
	if err != nil {
		return nil, err
	}
	return n, a.want(end)
}

// repeated reads "<2-4>", "<3>", "<0-1 0.5>" and a language "!en" behind a part.
func (a *abnf) repeated(part node) (node, error) {
	for {
		switch {
		case a.took('!'):
			a.word()
		case a.took('<'):
			s, err := a.until(">")
			if err != nil {
				return nil, err
			}
			span, prob, _ := strings.Cut(strings.TrimSpace(s), " ")
			low, high, err := counts(span)
			if err != nil {
				return nil, a.wrong("%v", err)
			}
			if err := probability(strings.Trim(strings.TrimSpace(prob), "/")); err != nil {
				return nil, a.wrong("%v", err)
			}
			part = repeat{low, high, part}
		default:
			return part, nil
		}
	}
}

// tag reads {…} or {!{…}!}.
func (a *abnf) tag() (*tag, error) {
	end := "}"
	a.at++
	if strings.HasPrefix(a.src[a.at:], "!{") {
		a.at += 2
		end = "}!}"
	}
	s, err := a.until(end)
	if err != nil {
		return nil, err
	}
	t := newTag(s, a.g.Format)
	return &t, nil
}

// reference reads what stands behind a $.
func (a *abnf) reference() (node, error) {
	line := 1 + strings.Count(a.src[:a.at], "\n")
	if a.at < len(a.src) && a.src[a.at] == '<' {
		a.at++
		uri, err := a.until(">")
		if err != nil {
			return nil, err
		}
		if err := a.mediaType(); err != nil {
			return nil, err
		}
		return a.g.reference(strings.TrimSpace(uri), line)
	}
	id := a.word()
	if special(id) {
		return specialNode(id, line)
	}
	return a.g.reference("#"+id, line)
}

// mediaType passes over a "~<type>" behind a URI. What a file is, is seen in the file.
func (a *abnf) mediaType() error {
	if !strings.HasPrefix(a.src[a.at:], "~<") {
		return nil
	}
	_, err := a.until(">")
	return err
}
