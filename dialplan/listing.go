package dialplan

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A listing is a dialplan as far as Escapes needs it: what each context runs, and where else it leads.
type listing struct {
	contexts map[string]*context
	unseen   []string // lines that bring in what cannot be seen here
}

type context struct {
	steps    []step
	includes []string
	switches []string
}

// A step is one application in an extension.
type step struct {
	exten, app, args string
}

// readListing reads what Asterisk prints for "dialplan show", or the text of an extensions.conf.
func readListing(r io.Reader) (*listing, error) {
	l := &listing{contexts: make(map[string]*context)}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var parse func(string)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t\r")
		if parse == nil && line != "" {
			parse = (&confReader{l: l}).line
			if strings.HasPrefix(line, "[ Context '") {
				parse = (&showReader{l: l}).line
			}
		}
		if parse != nil {
			parse(line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("dialplan: %w", err)
	}
	return l, nil
}

// open returns the context of a name, which may be told in several pieces.
func (l *listing) open(name string) *context {
	if l.contexts[name] == nil {
		l.contexts[name] = &context{}
	}
	return l.contexts[name]
}

// application takes "Name(arguments)" apart.
func application(s string) (app, args string) {
	app, args, _ = strings.Cut(strings.TrimSpace(s), "(")
	if end := strings.LastIndexByte(args, ')'); end >= 0 {
		args = args[:end]
	}
	return strings.TrimSpace(app), args
}

// showReader reads "dialplan show".
type showReader struct {
	l     *listing
	now   *context
	exten string
}

var (
	showContext = regexp.MustCompile(`^\[ Context '(.*)' created by '.*' \]$`)
	showEntry   = regexp.MustCompile(`^  (.+?) => +(.*)$`)
	showStep    = regexp.MustCompile(`^ *(?:\[[^\]]*\])? *[0-9]+\. (.*?)(?: +\[[^\]]*\])?$`)
	showQuoted  = regexp.MustCompile(`'(.*)'`)
)

func (r *showReader) line(line string) {
	if m := showContext.FindStringSubmatch(line); m != nil {
		r.now, r.exten = r.l.open(m[1]), ""
		return
	}
	if r.now == nil || line == "" || strings.HasPrefix(line, "-=") {
		return
	}
	if m := showEntry.FindStringSubmatch(line); m != nil && !showStep.MatchString(line) {
		r.entry(m[1], m[2])
		return
	}
	r.step(line)
}

func (r *showReader) entry(name, value string) {
	quoted := ""
	if m := showQuoted.FindStringSubmatch(value); m != nil {
		quoted = m[1]
	}
	switch {
	case name == "Include":
		r.now.includes = append(r.now.includes, quoted)
	case name == "Alt. Switch":
		r.now.switches = append(r.now.switches, quoted)
	case strings.HasPrefix(name, "'"):
		r.exten, _, _ = strings.Cut(name[1:], "'")
		if !strings.HasPrefix(value, "hint:") {
			r.step(value)
		}
	}
}

func (r *showReader) step(line string) {
	m := showStep.FindStringSubmatch(line)
	if m == nil {
		r.l.unseen = append(r.l.unseen, line)
		return
	}
	app, args := application(m[1])
	r.now.steps = append(r.now.steps, step{r.exten, app, args})
}

// confReader reads extensions.conf.
type confReader struct {
	l     *listing
	now   *context
	exten string
}

var (
	confContext = regexp.MustCompile(`^\[([^\]]+)\]$`)
	confLine    = regexp.MustCompile(`^([a-z]+) *=>? *(.*)$`)
)

func (r *confReader) line(line string) {
	line = strings.TrimSpace(withoutComment(line))
	switch {
	case line == "":
	case confContext.MatchString(line):
		name := confContext.FindStringSubmatch(line)[1]
		r.now, r.exten = r.l.open(name), ""
	case r.now == nil || !confLine.MatchString(line):
		r.l.unseen = append(r.l.unseen, line) // #include, a template, a block comment
	default:
		m := confLine.FindStringSubmatch(line)
		r.entry(line, m[1], m[2])
	}
}

func (r *confReader) entry(line, key, value string) {
	switch key {
	case "exten":
		exten, rest, _ := strings.Cut(value, ",")
		r.exten = strings.TrimSpace(exten)
		r.step(line, rest)
	case "same":
		r.step(line, value)
	case "include":
		r.now.includes = append(r.now.includes, strings.TrimSpace(value))
	case "switch", "eswitch", "lswitch":
		r.now.switches = append(r.now.switches, value)
	}
}

// step reads "priority(label),Application(arguments)".
func (r *confReader) step(line, value string) {
	priority, rest, ok := strings.Cut(value, ",")
	if strings.TrimSpace(priority) == "hint" {
		return
	}
	if !ok || r.exten == "" {
		r.l.unseen = append(r.l.unseen, line)
		return
	}
	app, args := application(rest)
	r.now.steps = append(r.now.steps, step{r.exten, app, args})
}

// withoutComment cuts at the first semicolon that has no backslash before it. The beginning of a block comment stays,
// since what it hides would have to be understood.
func withoutComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), ";--") {
		return line
	}
	for i := 0; i < len(line); i++ {
		if line[i] == ';' && (i == 0 || line[i-1] != '\\') {
			return line[:i]
		}
	}
	return line
}
