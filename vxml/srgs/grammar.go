// Package srgs reads grammars of W3C's Speech Recognition Grammar Specification 1.0, in their XML and their ABNF form,
// and matches telephone keys against them one by one (DTMF mode).
//
// A token of a grammar is a key when it is one of 0–9 * # A–D, or "star", "pound", "hash" or "dtmf-1" and so on. Several
// keys may stand together ("123"). Any other word can be read, and is never matched: nobody can press it. So a grammar
// for speech does no harm beside one for keys. The mode that a grammar names is not looked at: one for speech whose words
// are all keys is taken for keys.
package srgs

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGrammar is wrapped by every error about a grammar that cannot be used.
var ErrGrammar = errors.New("srgs: bad grammar")

// The tag formats of Semantic Interpretation for Speech Recognition 1.0. A grammar without one is Unnamed.
const (
	Scripts  = "semantics/1.0"
	Literals = "semantics/1.0-literals"
	Unnamed  = ""
)

// A Grammar is one that was read. It is not changed afterwards and may be shared.
type Grammar struct {
	URI    string
	Root   string // id of the root rule, or ""
	Mode   string // "voice", "dtmf" or ""
	Format string // of tags
	rules  map[string]*rule
	order  []string
	header []tag
	refs   []*ref // to rules of other grammars
}

// A rule of a grammar.
type rule struct {
	id      string
	public  bool
	body    node
	grammar *Grammar
	start   *inst
}

// A node is a part of a rule's right side.
type node interface{}

type (
	seq    []node
	alt    []node // the heaviest first
	key    byte   // 0-9 * # A-D
	void   struct{}
	noise  struct{} // special rule GARBAGE
	repeat struct {
		min, max int // max -1 is without end
		of       node
	}
	// A ref is a use of another rule.
	ref struct {
		uri  string // "" is this grammar
		rule string // "" is the root
		line int
	}
)

// local finds the rule that a reference within the grammar means.
func (g *Grammar) local(r *ref) (*rule, error) {
	if found := g.rules[r.rule]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%w: line %d: no rule %q", ErrGrammar, r.line, r.rule)
}

// Has tells whether there is a rule of that name.
func (g *Grammar) Has(rule string) bool { return g.rules[rule] != nil }

// add takes a rule in.
func (g *Grammar) add(r *rule, line int) error {
	if r.id == "" || g.rules[r.id] != nil || special(r.id) {
		return fmt.Errorf("%w: line %d: rule %q has no name of its own", ErrGrammar, line, r.id)
	}
	r.grammar = g
	g.rules[r.id] = r
	g.order = append(g.order, r.id)
	return nil
}

func special(id string) bool { return id == "NULL" || id == "VOID" || id == "GARBAGE" }

// finish checks and compiles a grammar that was read.
func (g *Grammar) finish() (*Grammar, error) {
	if g.Mode != "" && g.Mode != "voice" && g.Mode != "dtmf" {
		return nil, fmt.Errorf("%w: mode is voice or dtmf, not %q", ErrGrammar, g.Mode)
	}
	if g.Root != "" && g.rules[g.Root] == nil {
		return nil, fmt.Errorf("%w: no rule %q, which is the root", ErrGrammar, g.Root)
	}
	c := compiler{grammar: g}
	for _, id := range g.order {
		if err := c.rule(g.rules[id]); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// entry is the rule that a use of the grammar from outside means: that of the name, or the root, or the
// only one, or the only public one.
func (g *Grammar) entry(name string) (*rule, error) {
	if name == "" {
		name = g.Root
	}
	if name == "" {
		name = g.only()
	}
	r := g.rules[name]
	if r == nil {
		return nil, fmt.Errorf("%w: no rule %q, or no root", ErrGrammar, name)
	}
	if !r.public && name != g.Root && len(g.order) > 1 {
		return nil, fmt.Errorf("%w: rule %q is private", ErrGrammar, name)
	}
	return r, nil
}

// only is the rule that a grammar without a root can only mean, or "".
func (g *Grammar) only() string {
	if len(g.order) == 1 {
		return g.order[0]
	}
	found := ""
	for _, id := range g.order {
		if g.rules[id].public {
			if found != "" {
				return ""
			}
			found = id
		}
	}
	return found
}

// words are tokens that mean one key.
var words = map[string]byte{"star": '*', "pound": '#', "hash": '#'}

// token makes nodes of one word.
func token(word string) node {
	word = strings.TrimPrefix(strings.ToLower(word), "dtmf-")
	if k, ok := words[word]; ok {
		return key(k)
	}
	var s seq
	for _, c := range []byte(strings.ToUpper(word)) {
		if !IsKey(c) {
			return void{}
		}
		s = append(s, key(c))
	}
	return s
}

// IsKey tells whether c is a key of a telephone.
func IsKey(c byte) bool {
	return c >= '0' && c <= '9' || c == '*' || c == '#' || c >= 'A' && c <= 'D'
}

// tokens makes nodes of text.
func tokens(text string) seq {
	var s seq
	for _, w := range strings.Fields(strings.ReplaceAll(text, `"`, " ")) {
		s = append(s, token(w))
	}
	return s
}
