package ecma

import (
	"slices"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/unistring"
)

// The built-in functions that plain sources may call. None of them takes long, calls another one, or makes more of what it
// is given; tame leaves them as they are. The methods are of texts, numbers and dates, and arrays, which are short in what
// is plain. To have one without calling it is not plain: it could be put elsewhere.
var (
	harmlessFunctions = []string{"Boolean", "Number", "String", "isFinite", "isNaN", "parseFloat", "parseInt"}
	harmlessMath      = []string{"abs", "ceil", "floor", "max", "min", "pow", "random", "round", "sqrt", "trunc"}
	harmlessMethods   = []string{
		"charAt", "charCodeAt", "endsWith", "indexOf", "lastIndexOf", "slice", "startsWith", "substr", "substring",
		"toLowerCase", "toUpperCase", "trim", "toFixed",
		"getDate", "getDay", "getFullYear", "getHours", "getMinutes", "getMonth", "getSeconds", "getTime",
	}
)

// plainCallee tells whether a plain source may call x.
func plainCallee(x ast.Expression) bool {
	switch x := x.(type) {
	case *ast.Identifier:
		return plainExpr(x) || isOneOf(x.Name, harmlessFunctions)
	case *ast.DotExpression:
		if isNamed(x.Left, "Math") {
			return isOneOf(x.Identifier.Name, harmlessMath)
		}
		return plainExpr(x) || isOneOf(x.Identifier.Name, harmlessMethods) && plainExpr(x.Left)
	}
	return plainExpr(x)
}

func isNamed(x ast.Expression, name unistring.String) bool {
	id, ok := x.(*ast.Identifier)
	return ok && id.Name == name
}

func isOneOf(name unistring.String, list []string) bool { return slices.Contains(list, name.String()) }

func plainFunction(f *ast.FunctionLiteral) bool {
	return !f.Async && !f.Generator && (f.Name == nil || plainExpr(f.Name)) &&
		f.ParameterList.Rest == nil && plainBindings(f.ParameterList.List) && plainStatement(f.Body)
}

// plainBindings tells whether what is declared are plain names with plain values.
func plainBindings(list []*ast.Binding) bool {
	for _, b := range list {
		name, ok := b.Target.(*ast.Identifier)
		if !ok || !plainExpr(name) || !plainOrNone(b.Initializer) {
			return false
		}
	}
	return true
}

func plainStatements(list []ast.Statement) bool {
	for _, s := range list {
		if !plainStatement(s) {
			return false
		}
	}
	return true
}

func plainStatement(s ast.Statement) bool {
	switch s := s.(type) {
	case *ast.EmptyStatement, *ast.BranchStatement:
		return true
	case *ast.ExpressionStatement:
		return plainExpr(s.Expression)
	case *ast.BlockStatement:
		return plainStatements(s.List)
	case *ast.VariableStatement:
		return plainBindings(s.List)
	case *ast.LexicalDeclaration:
		return plainBindings(s.List)
	case *ast.FunctionDeclaration:
		return plainFunction(s.Function)
	case *ast.ReturnStatement:
		return plainOrNone(s.Argument)
	case *ast.IfStatement:
		return plainExpr(s.Test) && plainStatement(s.Consequent) && (s.Alternate == nil || plainStatement(s.Alternate))
	case *ast.WhileStatement:
		return plainExpr(s.Test) && plainStatement(s.Body)
	case *ast.ForStatement:
		return plainInitializer(s.Initializer) && plainOrNone(s.Test) && plainOrNone(s.Update) && plainStatement(s.Body)
	}
	return false
}

func plainOrNone(x ast.Expression) bool { return x == nil || plainExpr(x) }

// plainInitializer tells whether the first part of a for statement is plain.
func plainInitializer(i ast.ForLoopInitializer) bool {
	switch i := i.(type) {
	case nil:
		return true
	case *ast.ForLoopInitializerExpression:
		return plainOrNone(i.Expression)
	case *ast.ForLoopInitializerVarDeclList:
		return plainBindings(i.List)
	case *ast.ForLoopInitializerLexicalDecl:
		return plainBindings(i.LexicalDeclaration.List)
	}
	return false
}
