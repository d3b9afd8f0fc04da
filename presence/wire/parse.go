package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// IsEvent tells whether a line of the server is an event; else it is a reply.
func IsEvent(line []byte) bool { return bytes.HasPrefix(line, []byte("* ")) }

// ParseRequest reads a line, without its line end, as a request. The error is a *SyntaxError.
func ParseRequest(line []byte) (Request, error) {
	s, err := newScanner(line)
	if err != nil {
		return Request{}, err
	}
	var r Request
	if r.Tag, err = s.tag(); err != nil {
		return Request{}, err
	}
	verb := s.word()
	r.Verb = strings.ToUpper(verb)
	if !isCapitals(r.Verb) {
		return Request{}, s.fail("there is no verb")
	}
	if s.rest != "" {
		if r.Arg, err = s.object(); err != nil {
			return Request{}, err
		}
	}
	if s.rest != "" {
		return Request{}, s.fail("something follows the argument")
	}
	return r, nil
}

// ParseReply reads a line, without its line end, as a reply. The error is a *SyntaxError.
func ParseReply(line []byte) (Reply, error) {
	s, err := newScanner(line)
	if err != nil {
		return Reply{}, err
	}
	var r Reply
	if r.Tag, err = s.tag(); err != nil {
		return Reply{}, err
	}
	switch r.Status = Outcome(s.word()); r.Status {
	case OK, NO, BAD:
	default:
		return Reply{}, s.fail("the status is not OK, NO or BAD")
	}
	if r.Code, r.CodeArg, err = s.code(); err != nil {
		return Reply{}, err
	}
	if r.JSON, err = s.object(); err != nil {
		return Reply{}, err
	}
	r.Text = s.rest
	return r, nil
}

// ParseEvent reads a line, without its line end, as an event. The error is a *SyntaxError.
func ParseEvent(line []byte) (Event, error) {
	s, err := newScanner(line)
	if err != nil {
		return Event{}, err
	}
	if !IsEvent(line) {
		return Event{}, s.fail("an event begins with a star")
	}
	s.word()
	var e Event
	if e.Name = s.word(); !isCapitals(e.Name) {
		return Event{}, s.fail("the event has no name")
	}
	if e.Code, e.CodeArg, err = s.code(); err != nil {
		return Event{}, err
	}
	if strings.HasPrefix(s.rest, "{") {
		if e.JSON, err = s.object(); err != nil {
			return Event{}, err
		}
	}
	e.Text = s.rest
	return e, nil
}

// A scanner takes a line apart from its left.
type scanner struct {
	seen string // the tag, once it was read
	rest string // never begins or ends with a space
}

// newScanner checks what holds for every frame: its length, UTF-8, and no control characters.
func newScanner(line []byte) (*scanner, error) {
	if len(line) > MaxFrame {
		return nil, &SyntaxError{Reason: "the line is too long"}
	}
	if !utf8.Valid(line) {
		return nil, &SyntaxError{Reason: "the line is not UTF-8"}
	}
	if bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' }) {
		return nil, &SyntaxError{Reason: "the line contains a control character"}
	}
	return &scanner{rest: strings.Trim(string(line), " ")}, nil
}

// fail makes an error that carries the tag.
func (s *scanner) fail(reason string) error { return &SyntaxError{Tag: s.seen, Reason: reason} }

// word takes what stands before the next space.
func (s *scanner) word() string {
	word, rest, _ := strings.Cut(s.rest, " ")
	s.rest = strings.TrimLeft(rest, " ")
	return word
}

// tag takes the tag.
func (s *scanner) tag() (string, error) {
	word := s.word()
	if !isTag(word) {
		return "", s.fail("the tag is not 1 to 16 letters or digits")
	}
	s.seen = word
	return word, nil
}

// code takes "[CODE arg]" if it stands here.
func (s *scanner) code() (code, arg string, err error) {
	if !strings.HasPrefix(s.rest, "[") {
		return "", "", nil
	}
	s.rest = s.rest[1:]
	word := s.word()
	if code, found := strings.CutSuffix(word, "]"); found && isCapitals(code) {
		return code, "", nil
	}
	arg, found := strings.CutSuffix(s.word(), "]")
	if !isCapitals(word) || !found || arg == "" {
		return "", "", s.fail("the code in brackets is malformed")
	}
	return word, arg, nil
}

// object takes one JSON object.
func (s *scanner) object() (json.RawMessage, error) {
	if !strings.HasPrefix(s.rest, "{") {
		return nil, s.fail("a JSON object is missing")
	}
	end := objectEnd(s.rest)
	raw := json.RawMessage(s.rest[:end])
	if !json.Valid(raw) {
		return nil, s.fail("the JSON object is malformed")
	}
	rest := s.rest[end:]
	if rest != "" && rest[0] != ' ' {
		return nil, s.fail("there is no space after the JSON object")
	}
	s.rest = strings.TrimLeft(rest, " ")
	return raw, nil
}

// objectEnd is where the object that s begins with ends, if it is well formed: at the brace that closes the first one.
func objectEnd(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++ // whatever is escaped
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func isTag(s string) bool {
	return s != "" && len(s) <= maxWord && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

func isCapitals(s string) bool {
	return s != "" && len(s) <= maxWord && strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}
