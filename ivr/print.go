package ivr

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// allNodes are the nodes of the dialogue in the order in which a caller meets them.
func allNodes() []*node {
	return slices.Concat(loginNodes(), homeNodes(), readerNodes(), messageNodes(), answerNodes(), writeNodes(),
		onlineNodes(), reachNodes(), moreNodes(), callBackNodes(), endNodes())
}

// PrintDialogue writes the whole tree as an administrator would read it: each state with what is said there, its keys,
// and where they lead. text is the words of a prompt as they are written, with their placeholders.
func PrintDialogue(w io.Writer, s Settings, text func(id string) string) error {
	p := printer{w: w, set: s.withDefaults(), text: text}
	for _, n := range allNodes() {
		p.node(tree[n.name])
	}
	return p.err
}

// A printer writes nodes; the first error stops it.
type printer struct {
	w    io.Writer
	set  Settings
	text func(id string) string
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// kinds in words.
var kindWords = map[kind]string{
	passing: "a step", menu: "a menu", field: "a number", reading: "read while keys steer", recording: "a recording",
	spelling: "letters",
}

func (p *printer) node(n *node) {
	about := kindWords[n.kind]
	if n.kind == field {
		about = fmt.Sprintf("a number of up to %d digits", n.max(p.set))
	}
	if n.quiet {
		about += ", nothing is announced here"
	}
	p.line("%s   (%s)", n.name, about)
	said := n.said
	if n.prompt != "" {
		said = append([]string{n.prompt, n.prompt + ".long"}, said...)
	}
	if n.kind == spelling {
		said = append([]string{n.letters.prompt}, append(said, n.letters.full)...)
	}
	for _, id := range said {
		p.line("       %q", p.text(id))
	}
	p.help(n)
	for _, k := range n.keys {
		p.key(k)
	}
	if n.kind == field || n.kind == spelling {
		p.line("    *  → %-16s when nothing was keyed", n.back)
	}
	if next := p.further(n); len(next) > 0 {
		p.line("       → %s", strings.Join(next, ", "))
	}
	p.line("")
}

// help prints the words of help with the key that it is on: 0, which in a number is a digit, so that there a hash alone
// does it; where letters are taken it comes by itself.
func (p *printer) help(n *node) {
	press := "0"
	switch {
	case n.help == "":
		return
	case n.kind == field && n.empty == nil:
		press = "#"
	case n.kind == field || n.kind == spelling:
		press = " "
	}
	p.line("    %s  help: %q", press, p.text(n.help))
}

// ends are the outcomes of a key that are no states, in words.
var ends = map[state]string{stay: "stays here", help: "help", startAgain: "from its beginning", done: "the end of the call"}

func (p *printer) key(k key) {
	if k.to == help { // printed with its words
		return
	}
	mark := ""
	if k.hot {
		mark = "  (not offered at first)"
	}
	if k.when != nil {
		mark += "  (when there is a use for it)"
	}
	to := string(k.to)
	if word, ok := ends[k.to]; ok {
		to = word
	}
	p.line("    %s  → %-16s %q%s", k.press, to, p.text(k.label), mark)
}

// further lists where a node leads besides its keys.
func (p *printer) further(n *node) []string {
	var list []string
	for _, s := range n.next {
		if slices.ContainsFunc(n.keys, func(k key) bool { return k.to == s }) {
			continue
		}
		if word, ok := ends[s]; ok {
			list = append(list, word)
		} else {
			list = append(list, string(s))
		}
	}
	return list
}
