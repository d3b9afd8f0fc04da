package ecma

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
)

// The bounds of what one built-in function may do.
const (
	maxText  = 1 << 20 // length of a string that is made
	maxArray = 200_000 // elements, or characters of a string, that are gone through
)

// absent are names that documents have no use for and that would let a script take memory unseen.
var absent = []string{
	"Reflect", "Proxy", "ArrayBuffer", "SharedArrayBuffer", "DataView", "Int8Array", "Uint8Array",
	"Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array",
	"BigInt64Array", "BigUint64Array", "WeakRef", "FinalizationRegistry", "Promise", "BigInt",
}

// tame takes out, or checks beforehand, the built-in functions that could run without end. It does so once.
func (vm *VM) tame() {
	if vm.tamed {
		return
	}
	vm.tamed = true
	g := vm.rt.GlobalObject()
	vm.hideConstructors()
	for _, name := range absent {
		_ = g.Delete(name)
	}
	_ = g.Set("eval", vm.eval)
	vm.tameFunction(g)
	vm.tameObjects(g)
	vm.tameArrays(g)
	vm.tameStrings(g)
	vm.tamePatterns(g)
	vm.tameJSON(g)
}

// tameFunction puts a constructor in the place of Function that looks at the source first.
func (vm *VM) tameFunction(g *goja.Object) {
	proto := vm.prototype(g, "Function")
	made := vm.rt.ToValue(func(call goja.ConstructorCall) *goja.Object {
		var params []string
		body := ""
		for i, a := range call.Arguments {
			if i == len(call.Arguments)-1 {
				body = a.String()
			} else {
				params = append(params, a.String())
			}
		}
		src := "(function anonymous(" + strings.Join(params, ",") + "\n) {\n" + body + "\n})"
		vm.parsed(src)
		return vm.must(vm.rt.RunString(src)).ToObject(vm.rt)
	}).ToObject(vm.rt)
	_ = made.Set("prototype", proto)
	_ = proto.DefineDataProperty("constructor", made, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = g.Set("Function", made)
}

// codeMakers is a program that lists the prototypes of those constructors.
var codeMakers = sync.OnceValue(func() *goja.Program {
	return goja.MustCompile("", "[(function*(){}).constructor.prototype, (async function(){}).constructor.prototype]", false)
})

// hideConstructors unlinks the constructors that make code of strings.
func (vm *VM) hideConstructors() {
	if list, err := vm.rt.RunProgram(codeMakers()); err == nil {
		for _, i := range []string{"0", "1"} {
			proto := list.ToObject(vm.rt).Get(i).ToObject(vm.rt)
			_ = proto.DefineDataProperty("constructor", goja.Undefined(), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
		}
	}
	proto := vm.prototype(vm.rt.GlobalObject(), "Function")
	vm.wrap(proto, "apply", func(_ Value, args []Value) {
		if len(args) > 1 {
			vm.mustBeShort(args[1])
		}
	})
}

// eval evaluates an expression in the scope of the document, and statements in the outermost one: a script often reads data
// that way, or a variable whose name it computes. It sees no variables of functions.
func (vm *VM) eval(call goja.FunctionCall) Value {
	src, ok := call.Argument(0).Export().(string)
	if !ok {
		return call.Argument(0)
	}
	tree := vm.parsed(src)
	if e := CompileExpr(src); vm.scope != nil && e.Err == nil && onlyExpression(tree) != nil {
		return vm.must(vm.call(e.program, vm.scope))
	}
	return vm.must(vm.rt.RunString(src))
}

// parsed looks at a source that a script made.
func (vm *VM) parsed(src string) *ast.Program {
	tree, err := parse("", src)
	if err != nil {
		panic(vm.rt.NewTypeError("%v", err))
	}
	return tree
}

// must throws an error on into the script.
func (vm *VM) must(v Value, err error) Value {
	if err != nil {
		panic(err)
	}
	return v
}

// prototype is the prototype object of a constructor.
func (vm *VM) prototype(g *goja.Object, name string) *goja.Object {
	return g.Get(name).ToObject(vm.rt).Get("prototype").ToObject(vm.rt)
}

// wrap puts a check in front of a method.
func (vm *VM) wrap(proto *goja.Object, name string, check func(this Value, args []Value)) {
	f, ok := goja.AssertFunction(proto.Get(name))
	if !ok {
		return
	}
	_ = proto.DefineDataProperty(name, vm.rt.ToValue(func(call goja.FunctionCall) Value {
		check(call.This, call.Arguments)
		return vm.must(f(call.This, call.Arguments...))
	}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// refuse throws an error into the script.
func (vm *VM) refuse() { panic(vm.rt.NewTypeError("too large")) }

// mustBeShort refuses a string or an array, or something like it, that is too long.
func (vm *VM) mustBeShort(v Value) {
	if s, ok := v.(goja.String); ok && s.Length() > maxArray {
		vm.refuse()
	}
	if o, ok := v.(*goja.Object); ok {
		if n := o.Get("length"); n != nil && n.ToInteger() > maxArray {
			vm.refuse()
		}
	}
}

// tameObjects keeps Object's own functions from long strings, each character of which is a property to them.
func (vm *VM) tameObjects(g *goja.Object) {
	object := g.Get("Object").ToObject(vm.rt)
	for _, name := range object.GetOwnPropertyNames() {
		vm.wrap(object, name, func(_ Value, args []Value) {
			for _, arg := range args {
				vm.mustBeShort(arg)
			}
		})
	}
}

func (vm *VM) tameArrays(g *goja.Object) {
	proto := vm.prototype(g, "Array")
	for _, name := range proto.GetOwnPropertyNames() {
		if slices.Contains([]string{"constructor", "join", "push", "pop", "length"}, name) {
			continue
		}
		vm.wrap(proto, name, func(this Value, _ []Value) { vm.mustBeShort(this) })
	}
	vm.wrap(proto, "join", func(this Value, args []Value) {
		vm.mustBeShort(this)
		left := maxText
		vm.measure(this, &left, 0)
		if o, ok := this.(*goja.Object); ok && len(args) > 0 {
			vm.mustFit(o.Get("length"), args[0])
		}
	})
	vm.wrap(proto, "concat", func(this Value, args []Value) {
		left := int64(maxArray)
		for _, part := range append(args, this) {
			if o, ok := part.(*goja.Object); ok && o.Get("length") != nil {
				left -= o.Get("length").ToInteger()
			}
		}
		if left < 0 {
			vm.refuse()
		}
	})
	vm.wrap(proto, "toLocaleString", func(this Value, _ []Value) {
		left := maxText
		vm.measure(this, &left, 0)
	})
	vm.wrap(proto, "flat", func(this Value, _ []Value) {
		left := maxArray
		vm.countItems(this, &left, 0)
	})
	vm.wrap(g.Get("Array").ToObject(vm.rt), "from", func(_ Value, args []Value) {
		if len(args) > 0 {
			vm.mustBeShort(args[0])
		}
	})
}

// countItems counts the elements of arrays in an array, and refuses more than left: an array may hold another one many times.
func (vm *VM) countItems(v Value, left *int, level int) {
	if *left--; *left < 0 || level > maxLevels {
		vm.refuse()
	}
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		return
	}
	for i := range o.Get("length").ToInteger() {
		if item := o.Get(strconv.FormatInt(i, 10)); item != nil {
			vm.countItems(item, left, level+1)
		}
	}
}

// mustFit refuses a string that would be n times as long as another one.
func (vm *VM) mustFit(n, text Value) {
	if n != nil && n.ToFloat()*math.Max(1, float64(len(text.String()))) > maxText {
		vm.refuse()
	}
}

func (vm *VM) tameStrings(g *goja.Object) {
	proto := vm.prototype(g, "String")
	vm.wrap(proto, "repeat", func(this Value, args []Value) {
		if len(args) > 0 {
			vm.mustFit(args[0], this)
		}
	})
	for _, name := range []string{"padStart", "padEnd"} {
		vm.wrap(proto, name, func(_ Value, args []Value) {
			if len(args) > 0 && args[0].ToFloat() > maxText {
				vm.refuse()
			}
		})
	}
	for _, name := range []string{"replace", "replaceAll"} {
		vm.wrap(proto, name, func(this Value, args []Value) {
			if len(args) > 1 {
				vm.mustFit(vm.rt.ToValue(len(this.String())), args[1])
			}
		})
	}
	for _, name := range []string{"split", "match", "matchAll", "search", "localeCompare", "normalize"} {
		vm.wrap(proto, name, func(this Value, _ []Value) { vm.mustBeShort(this) })
	}
	vm.tameIterator(proto)
	vm.wrap(g.Get("String").ToObject(vm.rt), "raw", func(_ Value, args []Value) {
		if len(args) > 0 {
			vm.mustBeShort(args[0].ToObject(vm.rt).Get("raw"))
		}
	})
	vm.wrap(proto, "concat", func(_ Value, args []Value) {
		left := maxText
		for _, a := range args {
			vm.measure(a, &left, 0)
		}
	})
}

// tameIterator lets strings be gone through character by character, as Array.from, Set and [...s] do, only if they are short.
func (vm *VM) tameIterator(proto *goja.Object) {
	iterate, ok := goja.AssertFunction(proto.GetSymbol(goja.SymIterator))
	if !ok {
		return
	}
	_ = proto.DefineDataPropertySymbol(goja.SymIterator, vm.rt.ToValue(func(call goja.FunctionCall) Value {
		vm.mustBeShort(call.This)
		v, err := iterate(call.This)
		if err != nil {
			panic(err)
		}
		return v
	}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// tamePatterns refuses regular expressions that can only be matched by trying everything, wherever one is made of text.
func (vm *VM) tamePatterns(g *goja.Object) {
	old := g.Get("RegExp").ToObject(vm.rt)
	check := func(pattern, flags Value) {
		if _, object := pattern.(*goja.Object); object || goja.IsUndefined(pattern) {
			return
		}
		f := ""
		if !goja.IsUndefined(flags) {
			f = flags.String()
		}
		if err := safePattern(pattern.String(), f); err != nil {
			panic(vm.rt.NewTypeError("%v", err))
		}
	}
	made := vm.rt.ToValue(func(call goja.ConstructorCall) *goja.Object {
		check(call.Argument(0), call.Argument(1))
		o, err := vm.rt.New(old, call.Arguments...)
		if err != nil {
			panic(err)
		}
		return o
	}).ToObject(vm.rt)
	proto := old.Get("prototype").ToObject(vm.rt)
	_ = made.Set("prototype", proto)
	_ = proto.DefineDataProperty("constructor", made, goja.FLAG_TRUE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = proto.Delete("compile")
	_ = g.Set("RegExp", made)
	for _, name := range []string{"match", "matchAll", "search"} {
		vm.wrap(vm.prototype(g, "String"), name, func(_ Value, args []Value) {
			if len(args) > 0 {
				check(args[0], goja.Undefined())
			}
		})
	}
}

func (vm *VM) tameJSON(g *goja.Object) {
	vm.wrap(g.Get("JSON").ToObject(vm.rt), "parse", func(_ Value, args []Value) {
		if len(args) > 0 {
			vm.mustBeShort(args[0])
		}
	})
	vm.wrap(g.Get("JSON").ToObject(vm.rt), "stringify", func(_ Value, args []Value) {
		left := maxText
		if len(args) > 0 {
			vm.measure(args[0], &left, 0)
		}
	})
}

// measure counts how long a value is as text, about, and refuses one that is longer than left.
func (vm *VM) measure(v Value, left *int, level int) {
	if level > maxLevels {
		vm.refuse()
	}
	*left -= maxText / maxArray // what looking at it costs
	o, ok := v.(*goja.Object)
	if !ok {
		if s, text := v.(goja.String); text {
			*left -= s.Length()
		}
		if *left < 0 {
			vm.refuse()
		}
		return
	}
	for _, key := range o.Keys() {
		*left -= len(key)
		if item := o.Get(key); item != nil {
			vm.measure(item, left, level+1)
		}
	}
}
