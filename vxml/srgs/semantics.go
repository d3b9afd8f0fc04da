package srgs

import (
	"slices"
	"strings"

	"hark/vxml/ecma"
)

// A tag is what a part of a grammar means, compiled.
type tag struct {
	text   string
	format string
	script *ecma.Script // nil when it is no script
	expr   *ecma.Expr
	err    error
}

// tagFormat is the format that a grammar names. Drafts put a year into it: "semantics/1.0.2006-literals".
func tagFormat(name string) string {
	draft, ok := strings.CutPrefix(name, Scripts)
	switch {
	case ok && strings.HasPrefix(draft, "-literals"), ok && strings.HasPrefix(draft, ".") && strings.HasSuffix(draft, "-literals"):
		return Literals
	case ok && (draft == "" || draft[0] == '.'):
		return Scripts
	}
	return name
}

// newTag compiles a tag. One without a format is as the working drafts had it, or a literal: it is looked at when it runs.
func newTag(text, format string) tag {
	t := tag{text: strings.TrimSpace(text), format: format}
	switch format {
	case Literals:
	case Scripts:
		t.script, t.err = ecma.Compile("", t.text)
	default:
		if digits := strings.Trim(t.text, "0123456789") == ""; digits && len(t.text) > 1 && t.text[0] == '0' {
			t.format = Literals // a number to be dialled, that ECMAScript would read as octal
			break
		}
		t.script, _ = ecma.Compile("", t.text)
		t.expr = ecma.CompileExpr(t.text)
	}
	return t
}

// Meaning returns what the parse means, after Semantic Interpretation 1.0. Without any tag that is the keys; a rule
// without tags means what the last rule in it that has some means.
func (p *Parse) Meaning(vm *ecma.VM) (ecma.Value, error) {
	m := meaning{vm: vm, headers: map[*Grammar]*ecma.Scope{}}
	v, _, err := m.rule(p)
	return v, err
}

// A meaning computes one parse's meaning.
type meaning struct {
	vm      *ecma.VM
	headers map[*Grammar]*ecma.Scope
}

// header is the scope that a grammar's header tags ran in.
func (m *meaning) header(g *Grammar) (*ecma.Scope, error) {
	if s := m.headers[g]; s != nil {
		return s, nil
	}
	s := m.vm.NewScope(nil)
	m.headers[g] = s
	for _, t := range g.header {
		if t.err != nil {
			return nil, t.err
		}
		if t.script == nil {
			continue
		}
		if err := m.vm.Run(s, t.script); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// A frame of a rule: its variables.
type ruleRun struct {
	*meaning
	scope  *ecma.Scope
	rules  ecma.Value
	metas  ecma.Value
	latest ecma.Value
	last   ecma.Value // meta of latest
	text   string     // matched so far
	tagged bool       // a tag ran
	under  ecma.Value // meaning of the last rule below that had tags
}

// rule computes the meaning of one rule; tagged tells whether a tag made it.
func (m *meaning) rule(p *Parse) (v ecma.Value, tagged bool, err error) {
	if !p.tagged() {
		return m.vm.Value(p.Text()), false, nil
	}
	header, err := m.header(p.rule.grammar)
	if err != nil {
		return nil, false, err
	}
	r := &ruleRun{meaning: m, scope: m.vm.NewScope(header), rules: m.vm.Object(), metas: m.vm.Object()}
	r.declare(p)
	for _, x := range p.part {
		switch {
		case x.sub != nil:
			err = r.below(x.sub)
		case x.tag != nil:
			err = r.run(x.tag)
		default:
			r.text += string(x.key)
		}
		if err != nil {
			return nil, false, err
		}
	}
	return r.result(p)
}

// tagged tells whether there is a tag in the rule or below it.
func (p *Parse) tagged() bool {
	return slices.ContainsFunc(p.part, func(x part) bool { return x.tag != nil || x.sub != nil && x.sub.tagged() })
}

func (r *ruleRun) result(p *Parse) (ecma.Value, bool, error) {
	switch {
	case r.tagged:
		return r.scope.Get("out"), true, nil
	case r.under != nil:
		return r.under, true, nil
	}
	return r.vm.Value(p.Text()), false, nil
}

// declare makes the variables that a tag may use.
func (r *ruleRun) declare(p *Parse) {
	out := r.vm.Object()
	r.scope.Declare("out", out)
	r.latest, r.last = ecma.Undefined(), ecma.Undefined()
	current := func() ecma.Value { return r.meta(r.text) }
	r.vm.SetProperty(r.metas, "current", r.vm.Value(current))
	r.vm.SetProperty(r.metas, "latest", r.vm.Value(func() ecma.Value { return r.last }))
	r.vm.SetProperty(r.rules, "latest", r.vm.Value(func() ecma.Value { return r.latest }))
	r.scope.Declare("rules", r.rules)
	r.scope.Declare("meta", r.metas)
	if p.rule.grammar.Format == Unnamed {
		r.scope.Declare("$", out)
	}
}

func (r *ruleRun) meta(text string) ecma.Value { return r.vm.Object("text", text, "score", 1) }

// below takes in a rule that this one refers to.
func (r *ruleRun) below(p *Parse) error {
	v, tagged, err := r.meaning.rule(p)
	if err != nil {
		return err
	}
	if tagged {
		r.under = v
	}
	text := p.Text()
	r.text += text
	r.latest, r.last = v, r.meta(text)
	r.vm.SetProperty(r.rules, p.rule.id, v)
	r.vm.SetProperty(r.metas, p.rule.id, r.last)
	if r.scope.Owns("$") {
		r.scope.Declare("$$", v)
		r.scope.Declare("$"+p.rule.id, v)
	}
	return nil
}

// run runs a tag.
func (r *ruleRun) run(t *tag) error {
	r.tagged = true
	switch t.format {
	case Literals:
		r.scope.Declare("out", r.vm.Value(t.text))
		return nil
	case Scripts:
		if t.err != nil {
			return t.err
		}
		return r.vm.Run(r.scope, t.script)
	}
	return r.guess(t)
}

// guess runs a tag without a format. What mentions out or $ is a script of SISR or of its drafts; variables that it declares,
// or does nothing but give values to, are properties of the value; another expression is the value; anything else is a
// literal.
func (r *ruleRun) guess(t *tag) error {
	switch {
	case t.script != nil && mentions(t.script.Free()):
		return r.draft(t)
	case t.script != nil && len(t.script.Assigns()) > 0:
		return r.variables(t, t.script.Assigns())
	case t.expr.Err == nil:
		v, err := r.vm.Eval(r.scope, t.expr)
		if err != nil {
			v = r.vm.Value(t.text)
		}
		r.scope.Declare("out", v)
		return nil
	case t.script != nil && len(t.script.Declares()) > 0:
		return r.variables(t, t.script.Declares())
	}
	r.scope.Declare("out", r.vm.Value(t.text))
	return nil
}

func mentions(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n == "out" || strings.HasPrefix(n, "$") })
}

// draft runs a script in which $ and out are the same.
func (r *ruleRun) draft(t *tag) error {
	before := r.scope.Get("$")
	if err := r.vm.Run(r.scope, t.script); err != nil {
		return err
	}
	if after := r.scope.Get("$"); after != before {
		r.scope.Declare("out", after)
	} else {
		r.scope.Declare("$", r.scope.Get("out"))
	}
	return nil
}

// variables runs a script and makes properties of some of its variables.
func (r *ruleRun) variables(t *tag, names []string) error {
	for _, name := range names {
		if !r.scope.Owns(name) {
			r.scope.Declare(name, nil)
		}
	}
	if err := r.vm.Run(r.scope, t.script); err != nil {
		return err
	}
	for _, name := range names {
		r.vm.SetProperty(r.scope.Get("out"), name, r.scope.Get(name))
	}
	return nil
}
