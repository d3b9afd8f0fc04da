package ecma

import "github.com/dop251/goja"

// Value is a value of the language.
type Value = goja.Value

// Undefined is the value undefined.
func Undefined() Value { return goja.Undefined() }

// IsUndefined tells whether a value is undefined, or none at all.
func IsUndefined(v Value) bool { return v == nil || goja.IsUndefined(v) }

// A Scope holds variables, and finds those of the scopes around it. Like its VM it belongs to one goroutine.
type Scope struct {
	vm     *VM
	own    *goja.Object // the variables of this scope alone
	chain  *goja.Object // what a name is looked up in
	parent *Scope
	fixed  bool
}

// NewScope makes a scope inside of another one; parent may be nil.
func (vm *VM) NewScope(parent *Scope) *Scope {
	s := &Scope{vm: vm, own: vm.rt.CreateObject(nil), parent: parent}
	s.chain = vm.rt.NewDynamicObject(chain{s})
	return s
}

// Alias makes the scope known under a name ("document"), which does not count among its variables.
func (s *Scope) Alias(name string) {
	_ = s.own.DefineDataProperty(name, s.own, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// Fix makes the scope, and the objects in it, read-only.
func (s *Scope) Fix() {
	s.fixed = true
	s.vm.Freeze(s.own)
}

// Fixed tells whether the scope is read-only.
func (s *Scope) Fixed() bool { return s.fixed }

// Parent is the scope around this one, or nil.
func (s *Scope) Parent() *Scope { return s.parent }

// Declare makes a variable in this scope, or gives a new value to one that is there.
func (s *Scope) Declare(name string, v Value) {
	if v == nil {
		v = goja.Undefined()
	}
	_ = s.own.Set(name, v)
}

// Owns tells whether the variable stands in this very scope.
func (s *Scope) Owns(name string) bool { return s.own.Get(name) != nil }

// Get returns a variable of this very scope, nil when there is none.
func (s *Scope) Get(name string) Value { return s.own.Get(name) }

// Find returns the innermost scope that has the variable, or nil.
func (s *Scope) Find(name string) *Scope {
	for ; s != nil; s = s.parent {
		if s.Owns(name) {
			return s
		}
	}
	return nil
}

// Lookup returns a variable from here outwards, nil when there is none.
func (s *Scope) Lookup(name string) Value {
	if f := s.Find(name); f != nil {
		return f.Get(name)
	}
	return nil
}

// Named returns the scope from here outwards that a value is under its name, or nil.
func (s *Scope) Named(v Value) *Scope {
	for ; s != nil; s = s.parent {
		if v == Value(s.own) {
			return s
		}
	}
	return nil
}

// A chain is a Scope as the engine sees it in a with statement.
type chain struct{ *Scope }

// Get is asked for a variable.
func (c chain) Get(name string) Value { return c.Lookup(name) }

// Set assigns where the variable stands.
func (c chain) Set(name string, v Value) bool {
	f := c.Find(name)
	if f == nil || f.fixed {
		return false
	}
	return f.own.Set(name, v) == nil
}

// Has tells whether a scope has the variable.
func (c chain) Has(name string) bool { return c.Find(name) != nil }

// Delete does nothing: declared variables stay.
func (c chain) Delete(string) bool { return false }

// Keys lists nothing.
func (c chain) Keys() []string { return nil }
