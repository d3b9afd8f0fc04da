package prompts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A template is a text with placeholders in it: "{name} is online." Two braces stand for one that is spoken.
type template []part

// part is either plain text or the name of a placeholder.
type part struct{ text, name string }

// parseTemplate reads a text. It fails on a brace without its partner and on a name that is none.
func parseTemplate(s string) (template, error) {
	var t template
	for s != "" {
		at := strings.IndexAny(s, "{}")
		switch {
		case at < 0:
			return t.plain(s), nil
		case strings.HasPrefix(s[at+1:], s[at:at+1]):
			t, s = t.plain(s[:at+1]), s[at+2:]
			continue
		case s[at] == '}':
			return nil, fmt.Errorf("a } without its { in %q", s)
		}
		name, rest, closed := strings.Cut(s[at+1:], "}")
		if !closed {
			return nil, fmt.Errorf("a { without its } in %q", s)
		}
		if !isName(name) {
			return nil, fmt.Errorf("{%s} is not a placeholder: letters and digits only", name)
		}
		t, s = append(t.plain(s[:at]), part{name: name}), rest
	}
	return t, nil
}

// plain appends plain text, in one piece with the plain text before it.
func (t template) plain(s string) template {
	if last := len(t) - 1; last >= 0 && t[last].name == "" {
		t[last].text += s
		return t
	}
	if s == "" {
		return t
	}
	return append(t, part{text: s})
}

// isName tells whether s may name a placeholder: a letter, then letters, digits and underscores.
func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// String returns the text that parses to t.
func (t template) String() string {
	var b strings.Builder
	escape := strings.NewReplacer("{", "{{", "}", "}}")
	for _, p := range t {
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
			continue
		}
		_, _ = escape.WriteString(&b, p.text)
	}
	return b.String()
}

// names returns the names of the placeholders, sorted, each once.
func (t template) names() []string {
	set := map[string]bool{}
	for _, p := range t {
		if p.name != "" {
			set[p.name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// fill replaces each placeholder by what value returns for its name.
func (t template) fill(value func(name string) (string, error)) (string, error) {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		if p.name == "" {
			continue
		}
		v, err := value(p.name)
		if err != nil {
			return "", err
		}
		b.WriteString(v)
	}
	return b.String(), nil
}
