package ivr

import (
	"fmt"
	"strings"
	"time"
)

// SetTrace has f called whenever a call enters a state.
func (s *Server) SetTrace(f func(line Line, state string)) {
	s.trace = func(line Line, at state) { f(line, string(at)) }
}

// States lists the states of the dialogue.
func States() []string {
	var list []string
	for name := range tree {
		list = append(list, string(name))
	}
	return list
}

// FirstDigit is how long a caller may think in a state before Hark says something again, where that is a number or a text:
// those take longer than a key, for which it is 0.
func FirstDigit(at string) time.Duration {
	s := Settings{}.withDefaults()
	switch tree[state(at)].kind {
	case field:
		return s.FieldFirst
	case spelling: // the letter ends by a pause before
		return s.Letter + s.FieldFirst
	}
	return 0
}

// Help is the prompt behind 0, and tells whether there are keys to choose from in a state.
func Help(at string) (help string, chooses bool) {
	n := tree[state(at)]
	return n.help, n.kind == menu || n.kind == reading
}

// KeysFor are the keys that spell a text: each letter by its taps, and a hash where the next one is on the same key.
func KeysFor(lang, text string) (string, error) {
	p := padOf(lang)
	var keys strings.Builder
	last := -1
	for _, r := range text {
		key := 0
		for key < len(p) && !strings.ContainsRune(p[key], r) {
			key++
		}
		if key == len(p) {
			return "", fmt.Errorf("no key writes %q", r)
		}
		if key == last {
			keys.WriteByte('#')
		}
		taps := 1 + len([]rune(p[key][:strings.IndexRune(p[key], r)]))
		keys.WriteString(strings.Repeat(string(rune('0'+key)), taps))
		last = key
	}
	return keys.String(), nil
}
