package srgs

import (
	"fmt"
	"strings"
)

// maxGrammars is how many grammars may hang together by references.
const maxGrammars = 50

// A Loader gets the grammar that another one refers to. uri is as it stands there, base where that one stands.
type Loader func(base, uri string) (*Grammar, error)

// A Linked is a grammar together with all that it refers to. It is not changed and may be shared.
type Linked struct {
	root    *rule
	targets map[*ref]*rule
}

// Link gets what a grammar refers to. name is the rule to begin with; "" is the root.
func Link(g *Grammar, name string, load Loader) (*Linked, error) {
	r, err := g.entry(name)
	if err != nil {
		return nil, err
	}
	l := &Linked{root: r, targets: map[*ref]*rule{}}
	known := map[*Grammar]bool{g: true}
	for queue := []*Grammar{g}; len(queue) > 0; queue = queue[1:] {
		for _, ref := range queue[0].refs {
			other, err := l.resolve(queue[0], ref, load)
			if err != nil {
				return nil, err
			}
			if !known[other] {
				known[other] = true
				queue = append(queue, other)
			}
		}
		if len(known) > maxGrammars {
			return nil, fmt.Errorf("%w: more than %d grammars", ErrGrammar, maxGrammars)
		}
	}
	return l, nil
}

// resolve finds the rule that one reference means.
func (l *Linked) resolve(g *Grammar, r *ref, load Loader) (*Grammar, error) {
	var other *Grammar
	var err error
	if strings.HasPrefix(r.uri, "builtin:") {
		other, err = Builtin(r.uri)
	} else {
		other, err = load(g.URI, r.uri)
	}
	if err != nil {
		return nil, err
	}
	target, err := other.entry(r.rule)
	if err != nil {
		return nil, err
	}
	l.targets[r] = target
	return other, nil
}
