package ecma

import (
	"reflect"
	"slices"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// walk visits a syntax tree; visit tells whether to go on below a node. The parser has no visitor of its own.
func walk(v reflect.Value, visit func(node any) bool) {
	switch v.Kind() {
	case reflect.Interface:
		walk(v.Elem(), visit)
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*file.File]() || !visit(v.Interface()) {
			return
		}
		walk(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Struct:
		walkFields(v, visit)
	}
}

func walkFields(v reflect.Value, visit func(node any) bool) {
	for i := range v.NumField() {
		f := v.Field(i)
		if v.Type().Field(i).Name == "DeclarationList" || !f.CanInterface() {
			continue
		}
		if f.Kind() == reflect.Struct && f.CanAddr() {
			if visit(f.Addr().Interface()) {
				walk(f, visit)
			}
			continue
		}
		walk(f, visit)
	}
}

// maxLevels is how deep a syntax tree, or an object, may be.
const maxLevels = 400

// tooDeep tells whether a syntax tree is so deep that compiling it would take too long: the engine goes down again from
// each level of an expression.
func tooDeep(tree *ast.Program) bool {
	level, deepest := 0, 0
	var below func(node any) bool
	below = func(node any) bool {
		level++
		deepest = max(deepest, level)
		if level <= maxLevels {
			walk(reflect.ValueOf(node).Elem(), below)
		}
		level--
		return false
	}
	walk(reflect.ValueOf(tree), below)
	return deepest > maxLevels
}

// patterns lists the regular expressions that stand in a source.
func patterns(tree *ast.Program) []*ast.RegExpLiteral {
	var list []*ast.RegExpLiteral
	walk(reflect.ValueOf(tree), func(node any) bool {
		if r, ok := node.(*ast.RegExpLiteral); ok {
			list = append(list, r)
		}
		return true
	})
	return list
}

// names lists the identifiers in what is declared: one, or those of a pattern.
func names(target any) []string {
	var list []string
	walk(reflect.ValueOf(target), func(node any) bool {
		if id, ok := node.(*ast.Identifier); ok {
			list = append(list, id.Name.String())
		}
		return true
	})
	return list
}

// free lists the names that a source uses and declares nowhere, in any of its functions. That is an approximation for
// finding mistakes: a name declared in one function counts as declared in all.
func free(tree *ast.Program) []string {
	var used, own []string
	var visit func(node any) bool
	below := func(x any) { walk(reflect.ValueOf(x), visit) }
	visit = func(node any) bool {
		switch n := node.(type) {
		case *ast.Identifier:
			used = append(used, n.Name.String())
		case *ast.DotExpression:
			below(n.Left)
			return false
		case *ast.PropertyKeyed:
			if n.Computed {
				below(n.Key)
			}
			below(n.Value)
			return false
		case *ast.UnaryExpression:
			// typeof is how a source asks whether a name is there.
			if _, plain := n.Operand.(*ast.Identifier); plain && n.Operator.String() == "typeof" {
				return false
			}
		case *ast.Binding:
			own = append(own, names(n.Target)...)
		case *ast.FunctionLiteral:
			if n.Name != nil {
				own = append(own, n.Name.Name.String())
			}
		case *ast.ClassLiteral:
			if n.Name != nil {
				own = append(own, n.Name.Name.String())
			}
		case *ast.ForDeclaration:
			own = append(own, names(n.Target)...)
		case *ast.CatchStatement:
			own = append(own, names(n.Parameter)...)
		case *ast.LabelledStatement:
			below(n.Statement)
			return false
		case *ast.BranchStatement:
			return false
		}
		return true
	}
	below(tree)
	slices.Sort(used)
	return slices.DeleteFunc(slices.Compact(used), func(s string) bool {
		return s == "arguments" || slices.Contains(own, s)
	})
}
