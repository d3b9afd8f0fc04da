package ecma

import (
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// plain tells whether a source does nothing but read, compare, compute, assign, and call functions of its own or a few that
// are harmless: it gets at none of the language's other objects and methods. Most scripts in documents are so. A VM is
// tamed, which costs more than all the rest of a short call, only before it runs the first source that is not.
//
// Everything that is plain is listed here and in plain_code.go; whatever is not known is not plain. A plain source may run
// without end, or make ever longer texts, but only by its own code, which can be interrupted.
func plain(tree *ast.Program) bool { return plainStatements(tree.Body) }

func plainExpr(x ast.Expression) bool {
	switch x := x.(type) {
	case *ast.StringLiteral, *ast.NumberLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	case *ast.Identifier:
		return !builtIn().globals[x.Name]
	case *ast.DotExpression:
		return !builtIn().members[x.Identifier.Name] && plainExpr(x.Left)
	case *ast.BracketExpression: // a computed name could be that of a method
		_, number := x.Member.(*ast.NumberLiteral)
		return number && plainExpr(x.Left)
	case *ast.BinaryExpression:
		return x.Operator != token.IN && x.Operator != token.INSTANCEOF && plainExpr(x.Left) && plainExpr(x.Right)
	case *ast.UnaryExpression:
		if x.Operator == token.INCREMENT || x.Operator == token.DECREMENT {
			return plainTarget(x.Operand)
		}
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
	case *ast.CallExpression:
		return plainCallee(x.Callee) && plainList(x.ArgumentList)
	case *ast.NewExpression:
		return isNamed(x.Callee, "Date") && plainList(x.ArgumentList)
	case *ast.FunctionLiteral:
		return plainFunction(x)
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

// plainTarget tells whether a plain source may assign to x. The length of an array it may not: an array of a billion
// elements takes minutes to become a text.
func plainTarget(x ast.Expression) bool {
	switch x := x.(type) {
	case *ast.Identifier:
		return plainExpr(x)
	case *ast.DotExpression:
		return x.Identifier.Name != "length" && plainExpr(x)
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
	for o := g; o != nil; o = o.Prototype() { // "constructor" by itself is the global object's, from its prototype
		for _, name := range o.GetOwnPropertyNames() {
			names.globals[unistring.NewFromString(name)] = !harmless(rt, o, name)
		}
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
