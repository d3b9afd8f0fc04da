package ecma

import (
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// plain tells whether a source only reads, compares, computes and assigns: it calls nothing, makes no functions, and gets
// at none of the language's own objects or their methods. Most expressions in documents are so. A VM is tamed, which costs
// more than all the rest of a short call, only before it runs the first source that is not.
//
// Everything that is plain is listed here; whatever is not known is not plain.
func plain(tree *ast.Program) bool {
	for _, s := range tree.Body {
		switch s := s.(type) {
		case *ast.EmptyStatement:
		case *ast.ExpressionStatement:
			if !plainExpr(s.Expression) {
				return false
			}
		default:
			return false
		}
	}
	return len(tree.DeclarationList) == 0
}

func plainExpr(x ast.Expression) bool {
	switch x := x.(type) {
	case *ast.StringLiteral, *ast.NumberLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	case *ast.Identifier:
		return !builtIn().globals[x.Name]
	case *ast.DotExpression:
		return !builtIn().members[x.Identifier.Name] && plainExpr(x.Left)
	case *ast.BinaryExpression:
		return x.Operator != token.IN && x.Operator != token.INSTANCEOF && plainExpr(x.Left) && plainExpr(x.Right)
	case *ast.UnaryExpression:
		return x.Operator != token.DELETE && plainExpr(x.Operand)
	case *ast.ConditionalExpression:
		return plainExpr(x.Test) && plainExpr(x.Consequent) && plainExpr(x.Alternate)
	case *ast.AssignExpression:
		return plainTarget(x.Left) && plainExpr(x.Right)
	case *ast.SequenceExpression:
		return plainList(x.Sequence)
	case *ast.ArrayLiteral: // many huge texts in one would become one text when it is compared
		return len(x.Value) == 0
	case *ast.ObjectLiteral:
		return plainObject(x)
	}
	return false
}

func plainList(list []ast.Expression) bool {
	for _, x := range list {
		if !plainExpr(x) {
			return false
		}
	}
	return true
}

// plainTarget tells whether a plain source may assign to x.
func plainTarget(x ast.Expression) bool {
	switch x.(type) {
	case *ast.Identifier, *ast.DotExpression:
		return plainExpr(x)
	}
	return false
}

func plainObject(x *ast.ObjectLiteral) bool {
	for _, p := range x.Value {
		keyed, ok := p.(*ast.PropertyKeyed)
		if !ok || keyed.Computed || keyed.Kind != ast.PropertyKindValue {
			return false
		}
		key, ok := keyed.Key.(*ast.StringLiteral)
		if !ok || builtIn().members[key.Value] || !plainExpr(keyed.Value) {
			return false
		}
	}
	return true
}

// names of the language's own.
type ownNames struct {
	globals map[unistring.String]bool // but for values such as NaN
	members map[unistring.String]bool // of all its objects, but for plain values such as length
}

// builtIn finds the names in a runtime that no document has touched.
var builtIn = sync.OnceValue(func() ownNames {
	names := ownNames{map[unistring.String]bool{}, map[unistring.String]bool{"__proto__": true}}
	rt := goja.New()
	g := rt.GlobalObject()
	for _, name := range g.GetOwnPropertyNames() {
		names.globals[unistring.NewFromString(name)] = !harmless(rt, g, name)
	}
	names.collect(rt, g, map[*goja.Object]bool{})
	delete(names.members, "length") // an accessor of typed arrays alone, which no plain source has
	return names
})

// collect adds the members of an object and of all that it leads to.
func (n ownNames) collect(rt *goja.Runtime, o *goja.Object, seen map[*goja.Object]bool) {
	if o == nil || seen[o] {
		return
	}
	seen[o] = true
	n.collect(rt, o.Prototype(), seen)
	for _, name := range o.GetOwnPropertyNames() {
		if harmless(rt, o, name) {
			continue
		}
		n.members[unistring.NewFromString(name)] = true
		_ = rt.Try(func() {
			if inner, ok := o.Get(name).(*goja.Object); ok {
				n.collect(rt, inner, seen)
			}
		})
	}
}

// harmless tells whether a property is a text, a number, a boolean or undefined: nothing that leads on.
func harmless(rt *goja.Runtime, o *goja.Object, name string) (is bool) {
	_ = rt.Try(func() {
		v := o.Get(name)
		if goja.IsUndefined(v) && o != rt.GlobalObject() {
			return // what an accessor says
		}
		_, object := v.(*goja.Object)
		is = !object && !goja.IsNull(v)
	})
	return is
}
