package ecma

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/token"
)

// The limits of a source.
const (
	MaxSource = 128 << 10 // bytes
	maxNested = 400       // brackets within one another
)

// ErrSource is wrapped by the errors about a source that is refused or does not compile.
var ErrSource = errors.New("ecma: bad source")

// A Script is a compiled <script>. It is read-only and may be run by any number of VMs.
type Script struct {
	program
	vars []string // names that var and function declare
	sets []string // names that it gives values to, when it does nothing else
	free []string
}

// An Expr is a compiled expression, or the reason why it does not compile: VoiceXML wants that told only when it is
// evaluated. It is read-only and may be evaluated by any number of VMs.
type Expr struct {
	Source string
	Err    error
	program
	free []string
}

// A program is what a VM runs.
type program struct {
	prog  *goja.Program
	plain bool
}

// Free returns the names that the script uses and does not declare itself.
func (s *Script) Free() []string { return s.free }

// Assigns returns the names that the script gives values to, when it does nothing else: "a = 1; b = 2".
func (s *Script) Assigns() []string { return s.sets }

// Declares returns the names that the script declares.
func (s *Script) Declares() []string { return s.vars }

// Free returns the names that the expression uses.
func (e *Expr) Free() []string { return e.free }

// Compile compiles a script. Its top-level declarations will land in the scope it is run in.
func Compile(name, src string) (*Script, error) {
	tree, err := parse(name, src)
	if err != nil {
		return nil, err
	}
	d := declarations(tree)
	prog, err := compile(name, wrapScript(src, d))
	if err != nil {
		return nil, err
	}
	return &Script{program: program{prog, plain(tree)}, vars: d.all(), sets: assigned(tree), free: free(tree)}, nil
}

// CompileExpr compiles an expression.
func CompileExpr(src string) *Expr {
	e := &Expr{Source: src}
	tree, err := parse("", "(\n"+src+"\n)")
	if err == nil && len(tree.Body) != 1 {
		err = fmt.Errorf("%w: not one expression", ErrSource)
	}
	if err == nil {
		e.free, e.plain = free(tree), plain(tree)
		e.prog, err = compile("", "(function(__scope__){with(__scope__){return (\n"+src+"\n)}})")
	}
	e.Err = err
	return e
}

// A Target is a compiled left side of an assignment, or the reason why it does not compile.
type Target struct {
	Expr
	// First is its first name, which has to be declared; Second is the property of First that it names, "" when it names
	// none or computes it.
	First, Second string
}

// CompileTarget compiles an assignment to the left side src, such as "a", "dialog.a" or "a[1]".
func CompileTarget(src string) *Target {
	e := &Target{Expr: Expr{Source: src}}
	tree, err := parse("", "(\n"+src+"\n)")
	if err == nil {
		err = e.root(tree)
	}
	if err == nil {
		e.free, e.plain = free(tree), plain(tree)
		e.prog, err = compile("", "(function(__scope__,__value__){with(__scope__){"+src+"\n=__value__}})")
	}
	e.Err = err
	return e
}

// root finds the first names of a left side.
func (t *Target) root(tree *ast.Program) error {
	x := onlyExpression(tree)
	for {
		switch e := x.(type) {
		case *ast.Identifier:
			t.First = e.Name.String()
			return nil
		case *ast.DotExpression:
			x, t.Second = e.Left, e.Identifier.Name.String()
		case *ast.BracketExpression:
			x, t.Second = e.Left, ""
		default:
			return fmt.Errorf("%w: nothing that can be assigned to", ErrSource)
		}
	}
}

// onlyExpression is what a program consists of, nil when that is not one expression.
func onlyExpression(tree *ast.Program) ast.Expression {
	if len(tree.Body) == 1 {
		if s, ok := tree.Body[0].(*ast.ExpressionStatement); ok {
			return s.Expression
		}
	}
	return nil
}

func compile(name, src string) (*goja.Program, error) {
	prog, err := goja.Compile(name, src, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	return prog, nil
}

// parse reads a source by itself, so that it cannot end what is put around it later.
func parse(name, src string) (*ast.Program, error) {
	if err := fits(src); err != nil {
		return nil, err
	}
	tree, err := parser.ParseFile(nil, name, src, 0, parser.WithDisableSourceMaps)
	var list parser.ErrorList
	switch {
	case errors.As(err, &list) && len(list) > 0:
		return nil, fmt.Errorf("%w: %s", ErrSource, list[0].Message)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	if tooDeep(tree) {
		return nil, fmt.Errorf("%w: nested too deeply", ErrSource)
	}
	for _, p := range patterns(tree) {
		if err := safePattern(p.Pattern, p.Flags); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// fits refuses a source whose parsing would need too much stack.
func fits(src string) error {
	if len(src) > MaxSource {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrSource, len(src), MaxSource)
	}
	depth := 0
	for i := range len(src) {
		switch src[i] {
		case '(', '[', '{':
			if depth++; depth > maxNested {
				return fmt.Errorf("%w: nested too deeply", ErrSource)
			}
		case ')', ']', '}':
			depth--
		}
	}
	return nil
}

// safePattern refuses what can only be matched by trying everything.
func safePattern(pattern, flags string) error {
	_, err := parser.TransformRegExp(pattern, strings.Contains(flags, "s"), strings.Contains(flags, "u"))
	if err != nil {
		return fmt.Errorf("%w: regular expression: %w", ErrSource, err)
	}
	return nil
}

// declared are the top-level names of a script.
type declared struct{ vars, funcs, lets []string }

func (d declared) all() []string {
	return append(append(append([]string(nil), d.vars...), d.funcs...), d.lets...)
}

// assigned are the names of a program that only gives values to names; nil for any other one.
func assigned(tree *ast.Program) (list []string) {
	for _, s := range tree.Body {
		if _, empty := s.(*ast.EmptyStatement); empty {
			continue
		}
		x, ok := s.(*ast.ExpressionStatement)
		if !ok {
			return nil
		}
		a, ok := x.Expression.(*ast.AssignExpression)
		if !ok || a.Operator != token.ASSIGN {
			return nil
		}
		name, ok := a.Left.(*ast.Identifier)
		if !ok {
			return nil
		}
		list = append(list, name.Name.String())
	}
	return list
}

func declarations(tree *ast.Program) declared {
	var d declared
	for _, v := range tree.DeclarationList {
		for _, b := range v.List {
			d.vars = append(d.vars, names(b.Target)...)
		}
	}
	for _, s := range tree.Body {
		switch s := s.(type) {
		case *ast.FunctionDeclaration:
			d.funcs = append(d.funcs, s.Function.Name.Name.String())
		case *ast.LexicalDeclaration:
			for _, b := range s.List {
				d.lets = append(d.lets, names(b.Target)...)
			}
		case *ast.ClassDeclaration:
			d.lets = append(d.lets, s.Class.Name.Name.String())
		}
	}
	return d
}

// wrapScript puts a script into a function whose names are looked up in the scope. Functions, which a block keeps to
// itself, are handed out at its beginning, let, const and class at its end.
func wrapScript(src string, d declared) string {
	var b strings.Builder
	b.WriteString("(function(__scope__,__own__){with(__scope__){")
	for _, f := range d.funcs {
		fmt.Fprintf(&b, "__own__.%s=%s;", f, f)
	}
	b.WriteString(src)
	b.WriteString("\n")
	for _, l := range d.lets {
		fmt.Fprintf(&b, ";__own__.%s=%s;", l, l)
	}
	b.WriteString("}})")
	return b.String()
}
