package ecma

import (
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

// The reasons for which a script is stopped.
var (
	ErrTime   = errors.New("ecma: the script runs too long")
	ErrMemory = errors.New("ecma: the script uses too much memory")
	// ErrBudget means that all scripts of the VM together ran too long: it does not run any more.
	ErrBudget = errors.New("ecma: the scripts of this call ran too long")
)

// Limits bound what scripts may use. A zero field has the default that its comment names.
type Limits struct {
	Time   time.Duration // of one evaluation: 500 ms
	Total  time.Duration // of all evaluations of one VM: 10 s
	Memory int64         // growth of the heap during one evaluation, in bytes: 64 MiB
	Stack  int           // calls within one another: 500
}

func (l Limits) withDefaults() Limits {
	if l.Time == 0 {
		l.Time = 500 * time.Millisecond
	}
	if l.Total == 0 {
		l.Total = 10 * time.Second
	}
	if l.Memory == 0 {
		l.Memory = 64 << 20
	}
	if l.Stack == 0 {
		l.Stack = 500
	}
	return l
}

// A VM runs the scripts of one call, in one goroutine.
type VM struct {
	rt    *goja.Runtime
	lim   Limits
	spent time.Duration
	busy  bool
	tamed bool  // before the first program that is not plain
	scope Value // in which the program runs
}

// New makes a VM. It holds no resources besides memory.
func New(lim Limits) *VM {
	vm := &VM{rt: goja.New(), lim: lim.withDefaults()}
	vm.rt.SetMaxCallStackSize(vm.lim.Stack)
	return vm
}

// Eval evaluates an expression in a scope.
func (vm *VM) Eval(s *Scope, e *Expr) (Value, error) {
	if e.Err != nil {
		return nil, e.Err
	}
	return vm.call(e.program, s.chain)
}

// Assign gives a value to what CompileTarget compiled.
func (vm *VM) Assign(s *Scope, target *Target, v Value) error {
	if target.Err != nil {
		return target.Err
	}
	_, err := vm.call(target.program, s.chain, v)
	return err
}

// Run runs a script in a scope; what it declares lands there.
func (vm *VM) Run(s *Scope, script *Script) error {
	for _, name := range script.vars {
		if !s.Owns(name) {
			s.Declare(name, goja.Undefined())
		}
	}
	_, err := vm.call(script.program, s.chain, s.own)
	return err
}

// call runs a program that is a function, with arguments, of which the first is the scope.
func (vm *VM) call(p program, args ...Value) (Value, error) {
	if !p.plain {
		vm.tame()
	}
	before := vm.scope
	vm.scope = args[0]
	defer func() { vm.scope = before }()
	return vm.guard(func() (Value, error) {
		f, err := vm.rt.RunProgram(p.prog)
		if err != nil {
			return nil, err
		}
		call, ok := goja.AssertFunction(f)
		if !ok {
			return nil, fmt.Errorf("%w: no function", ErrSource)
		}
		return call(goja.Undefined(), args...)
	})
}

// guard runs f within the limits. What f throws, and a panic of the engine, becomes an error.
func (vm *VM) guard(f func() (Value, error)) (v Value, err error) {
	if vm.busy {
		return f()
	}
	if vm.spent >= vm.lim.Total {
		return nil, ErrBudget
	}
	vm.busy = true
	w := watch(vm)
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, failure(p)
		}
		vm.spent += w.stop()
		vm.rt.ClearInterrupt()
		vm.busy = false
		err = reason(err)
	}()
	return f()
}

// failure makes an error of a panic.
func failure(p any) error {
	if err, ok := p.(error); ok {
		return err
	}
	return fmt.Errorf("ecma: %v", p)
}

// reason takes the limit that was hit out of the engine's error.
func reason(err error) error {
	var stopped *goja.InterruptedError
	if errors.As(err, &stopped) {
		if cause, ok := stopped.Value().(error); ok {
			return cause
		}
	}
	return err
}

// String converts a value as the language does, which may run code of the document.
func (vm *VM) String(v Value) (string, error) {
	if v == nil {
		return "undefined", nil
	}
	out, err := vm.guard(func() (Value, error) { return v.ToString(), nil })
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Bool converts a value as the language does.
func (vm *VM) Bool(v Value) bool { return v != nil && v.ToBoolean() }

// Value makes a value of Go's: nil, bool, numbers, string, []any, map[string]any, or a Value.
func (vm *VM) Value(x any) Value {
	switch x := x.(type) {
	case nil:
		return goja.Undefined()
	case Value:
		return x
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = vm.Value(x[i])
		}
		return vm.rt.NewArray(list...)
	case map[string]any:
		o := vm.rt.NewObject()
		for k, v := range x {
			_ = o.Set(k, vm.Value(v))
		}
		return o
	}
	return vm.rt.ToValue(x)
}

// Object makes an object whose properties are in the order given: name, value, name, value.
func (vm *VM) Object(pairs ...any) Value {
	o := vm.rt.NewObject()
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = o.Set(pairs[i].(string), vm.Value(pairs[i+1]))
	}
	return o
}

// Property returns a property of an object, nil when there is none or v is no object.
func (vm *VM) Property(v Value, name string) Value {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	out, err := vm.guard(func() (Value, error) { return o.Get(name), nil })
	if err != nil {
		return nil
	}
	return out
}

// SetProperty sets a property of an object, and does nothing when v is none.
func (vm *VM) SetProperty(v Value, name string, to Value) {
	if o, ok := v.(*goja.Object); ok {
		_, _ = vm.guard(func() (Value, error) { return nil, o.Set(name, to) })
	}
}

// IsObject tells whether a value is an object.
func (vm *VM) IsObject(v Value) bool {
	_, ok := v.(*goja.Object)
	return ok
}

// maxItems is how many elements of an array are read.
const maxItems = 10_000

// Array returns the elements of an array; false when it is none, or a huge one.
func (vm *VM) Array(v Value) ([]Value, bool) {
	o, ok := v.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		return nil, false
	}
	n := o.Get("length").ToInteger()
	if n > maxItems {
		return nil, false
	}
	list := make([]Value, n)
	for i := range list {
		list[i] = vm.Property(o, fmt.Sprint(i))
	}
	return list, true
}

// Wrap keeps a Go value inside of an object that looks like text to scripts; Unwrap finds it again.
func (vm *VM) Wrap(x any, text string) Value {
	o := vm.rt.NewObject()
	_ = o.DefineDataPropertySymbol(vm.hidden(), vm.rt.ToValue(&hidden{x}), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = o.DefineDataProperty("toString", vm.rt.ToValue(func() string { return text }), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return o
}

type hidden struct{ x any }

// hiddenKey is a symbol that no script can get at.
var hiddenKey = goja.NewSymbol("hidden")

func (vm *VM) hidden() *goja.Symbol { return hiddenKey }

// Unwrap returns what Wrap keeps in an object, or nil.
func (vm *VM) Unwrap(v Value) any {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	if in := o.GetSymbol(hiddenKey); in != nil {
		if h, ok := in.Export().(*hidden); ok {
			return h.x
		}
	}
	return nil
}

// Keys returns the names of an object's own properties; nil when v is none.
func (vm *VM) Keys(v Value) []string {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	return o.Keys()
}

// Export makes plain Go values of a value: nil, bool, int64, float64, string, []any or map[string]any. What goes round
// in circles, or is too large, is an error.
func (vm *VM) Export(v Value) (any, error) {
	var out any
	_, err := vm.guard(func() (Value, error) {
		left := maxText
		vm.measure(v, &left, 0)
		out = v.Export()
		return nil, nil
	})
	return out, err
}

// Globals returns the names that every script can use.
func (vm *VM) Globals() []string {
	vm.tame()
	return vm.rt.GlobalObject().GetOwnPropertyNames()
}

// Freeze makes an object, and the objects in it, read-only.
func (vm *VM) Freeze(v Value) {
	o, ok := v.(*goja.Object)
	if !ok {
		return
	}
	freeze, ok := goja.AssertFunction(vm.rt.GlobalObject().Get("Object").ToObject(vm.rt).Get("freeze"))
	if !ok {
		return
	}
	_, _ = freeze(goja.Undefined(), o)
	for _, key := range o.Keys() {
		if inner, ok := o.Get(key).(*goja.Object); ok && inner != o {
			vm.Freeze(inner)
		}
	}
}
