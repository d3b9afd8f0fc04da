package dialplan

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// harmless are the applications that can place no call and lead nowhere else. What is not listed is not trusted.
var harmless = set(
	"Answer", "Busy", "Congestion", "Hangup", "Log", "NoOp", "Playback", "Progress", "Read", "Record", "Return",
	"Ringing", "SayAlpha", "SayDigits", "SayNumber", "SayPhonetic", "Set", "Stasis", "Verbose", "Wait", "WaitExten",
)

// jumps are the applications that lead to another place, and whether that stands behind a condition.
var jumps = map[string]bool{"Goto": false, "Gosub": false, "GotoIf": true, "GotoIfTime": true, "GosubIf": true}

// readable and settable are the functions that do no harm when they are read or set. All others are not trusted: SHELL
// runs programs, CHANNEL can push hang-up handlers when it is set, and so on.
var (
	readable = set("CALLERID", "CHANNEL", "CUT", "EXISTS", "FILTER", "IF", "ISNULL", "LEN", "REGEX", "TIMEOUT")
	settable = set("CALLERID", "CHANNEL(language)", "TIMEOUT")
)

// diverting are the variables by which a call is led elsewhere without a jump.
var diverting = set("FORWARD_CONTEXT", "GOTO_ON_BLINDXFR", "TRANSFER_CONTEXT", "BLINDTRANSFER")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// Escapes looks for ways out of a context: everything, in the context itself and in all that it leads to, that places
// a call or cannot be proven not to. text is what Asterisk prints for "dialplan show", which is the whole truth, or the
// text of an extensions.conf without includes of files. It returns one sentence for each way out, none when there is
// none. A context that is not in the text is an error, since then nothing is proven.
func Escapes(text io.Reader, contextName string) ([]string, error) {
	l, err := readListing(text)
	if err != nil {
		return nil, err
	}
	if l.contexts[contextName] == nil {
		return nil, fmt.Errorf("dialplan: there is no context %q in this dialplan", contextName)
	}
	w := &walk{listing: l, seen: make(map[string]bool)}
	for _, line := range l.unseen {
		w.found("a line is not understood: %s", line)
	}
	w.todo = []string{contextName}
	for len(w.todo) > 0 {
		name := w.todo[0]
		w.todo = w.todo[1:]
		w.visit(name)
	}
	return w.ways, nil
}

// A walk visits every context once.
type walk struct {
	*listing
	seen map[string]bool
	todo []string
	ways []string
}

func (w *walk) found(format string, args ...any) {
	w.ways = append(w.ways, fmt.Sprintf(format, args...))
}

func (w *walk) visit(name string) {
	c := w.contexts[name]
	if w.seen[name] || c == nil { // a jump to a context that is not there fails
		return
	}
	w.seen[name] = true
	w.todo = append(w.todo, c.includes...)
	for _, s := range c.switches {
		w.found("context %q asks elsewhere for extensions: switch %s", name, s)
	}
	exten := ""
	for _, s := range c.steps {
		if s.exten != exten && strings.HasPrefix(s.exten, "_") && strings.ContainsAny(s.exten, ".!") {
			w.found("context %q, extension %q: it is any text that a caller sends", name, s.exten)
		}
		exten = s.exten
		for _, why := range w.step(name, s) {
			w.found("context %q, extension %q: %s(%s): %s", name, s.exten, s.app, s.args, why)
		}
	}
}

// step says what is wrong with a step, and puts the contexts that it leads to on the list.
func (w *walk) step(name string, s step) []string {
	var wrong []string
	conditional, jump := jumps[s.app]
	switch {
	case jump:
		wrong = w.follow(targets(s.args, conditional))
	case s.app == "BackGround":
		wrong = w.background(s.args)
	case s.app == "AGI":
		wrong = gateway(s.args)
	case !harmless[s.app]:
		wrong = append(wrong, "it is not known to be harmless")
	case s.app == "Set":
		wrong = assignment(s.args)
	case s.app == "Stasis" && strings.Contains(s.args, "$"):
		wrong = append(wrong, "a variable says which program gets the call")
	}
	return append(wrong, calls(s.args)...)
}

// follow notes where jumps go.
func (w *walk) follow(targets []string) (wrong []string) {
	for _, target := range targets {
		parts := strings.Split(target, ",")
		switch {
		case strings.Contains(target, "$"):
			wrong = append(wrong, "a variable says where it leads")
		case len(parts) >= 3:
			w.todo = append(w.todo, strings.TrimSpace(parts[0]))
		}
	}
	return wrong
}

// background: the fourth argument is the context in which digits are looked up.
func (w *walk) background(args string) []string {
	if parts := strings.Split(args, ","); len(parts) > 3 {
		return w.follow([]string{parts[3] + ",s,1"})
	}
	return nil
}

// targets are the places that a jump may go to, without the arguments of a subroutine.
func targets(args string, conditional bool) []string {
	if !conditional {
		return []string{withoutArguments(args)}
	}
	_, places, _ := cutOutside(args, '?')
	yes, no, _ := cutOutside(places, ':')
	return []string{withoutArguments(yes), withoutArguments(no)}
}

func withoutArguments(target string) string {
	place, _, _ := cutOutside(target, '(')
	return place
}

// cutOutside cuts at the first c that stands in no brackets, braces and quotes.
func cutOutside(s string, c byte) (before, after string, found bool) {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == c && depth == 0 && !quoted:
			return s[:i], s[i+1:], true
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '[' || s[i] == '{':
			depth++
		case s[i] == ']' || s[i] == '}':
			depth--
		}
	}
	return s, "", false
}

var assigned = regexp.MustCompile(`^ *_{0,2}([A-Za-z][A-Za-z0-9_]*(\([^)]*\))?) *=`)

// assignment says what is wrong with setting a variable.
func assignment(args string) []string {
	m := assigned.FindStringSubmatch(args)
	if m == nil {
		return []string{"it is not clear what is set"}
	}
	name, _, isFunction := strings.Cut(m[1], "(")
	switch {
	case diverting[name]:
		return []string{"it diverts the call"}
	case isFunction && !settable[name] && !settable[m[1]]:
		return []string{"setting " + name + " is not known to be harmless"}
	}
	return nil
}

var read = regexp.MustCompile(`[$][{] *([A-Za-z_]+)\(`)

// calls says which functions that a text reads are not known to be harmless.
func calls(text string) (wrong []string) {
	names := make(map[string]bool)
	for _, m := range read.FindAllStringSubmatch(text, -1) {
		if !readable[m[1]] {
			names[m[1]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		wrong = append(wrong, "the function "+name+" is not known to be harmless")
	}
	return wrong
}
