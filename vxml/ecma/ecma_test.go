package ecma

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scopes makes a VM with two scopes, "document" around "dialog".
func scopes() (*VM, *Scope, *Scope) {
	vm := New(Limits{})
	document := vm.NewScope(nil)
	document.Alias("document")
	return vm, document, vm.NewScope(document)
}

func run(t *testing.T, vm *VM, s *Scope, src string) {
	t.Helper()
	script, err := Compile("", src)
	if err == nil {
		err = vm.Run(s, script)
	}
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
}

func text(t *testing.T, vm *VM, s *Scope, src string) string {
	t.Helper()
	v, err := vm.Eval(s, CompileExpr(src))
	if err != nil {
		return "error"
	}
	out, err := vm.String(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScopes(t *testing.T) {
	vm, document, dialog := scopes()
	run(t, vm, document, `var a = 1, x = 'outer'; function f() { return x } const c = 3; let l = 4; class K {}; var {p, q: [r]} = {p: 5, q: [6]}`)
	run(t, vm, dialog, `var x = 'inner'; a = 2; function g() { return x + f() }; document.fresh = 7`)
	for src, want := range map[string]string{
		"x": "inner", "f()": "outer", "g()": "innerouter", "a": "2", "document.a": "2", "document.x": "outer", "c+l": "7",
		"p+r": "11", "typeof K": "function", "fresh": "7", "typeof nothing": "undefined", "nothing": "error",
		"a == 2 // a comment": "true", "{z: 1}.z": "1", "1;2": "error", "": "error", "__own__": "error",
		"eval('x')": "inner", "eval('({z: 1})').z": "1", "eval('{z: 1}')": "1", "new Function('return typeof x')()": "undefined",
	} {
		if got := text(t, vm, dialog, src); got != want {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
	if dialog.Owns("a") || !dialog.Owns("g") || !document.Owns("f") {
		t.Error("a name landed in the wrong scope")
	}
}

func TestRunAgainKeepsFunctionsApart(t *testing.T) {
	vm, document, dialog := scopes()
	run(t, vm, document, "var n = 1; function f() { return n }")
	run(t, vm, dialog, "var n = 2; function f() { return n * 10 }")
	if got := text(t, vm, dialog, "f() + document.f()"); got != "21" {
		t.Error(got)
	}
}

func TestAssign(t *testing.T) {
	vm, document, dialog := scopes()
	document.Declare("o", vm.Object("a", 1))
	for _, c := range []struct{ target, first, then string }{
		{"o.a", "o", "2"}, {"document.o['a']", "document", "2"}, {"o.b.c", "o", "error"}, {"f()", "", "error"}, {"a b", "", "error"},
	} {
		target := CompileTarget(c.target)
		err := vm.Assign(dialog, target, vm.Value(2))
		if target.First != c.first || (err != nil) != (c.then == "error") {
			t.Errorf("%s: first %q, error %v", c.target, target.First, err)
		}
	}
}

func TestFixedScope(t *testing.T) {
	vm, document, dialog := scopes()
	document.Declare("n", vm.Value(1))
	document.Fix()
	if _, err := vm.Eval(dialog, CompileExpr("n = 2")); err == nil && text(t, vm, dialog, "n") != "1" {
		t.Error("a fixed variable was changed")
	}
}

func TestFree(t *testing.T) {
	for src, want := range map[string]string{
		"a + b.c + d['e'] + f(g)":                      "a b d f g",
		"var x = y; function h(i) { return i + j }":    "j y",
		"({k: v, [w]: 1})":                             "v w",
		"try { q } catch (e) { e; r }":                 "q r",
		"typeof maybe == 'undefined'":                  "",
		"l: for (var i = 0; i < n; i++) { break l }":   "n",
		"list.map(m => m + z)":                         "list z",
		"var {aa, bb: cc} = dd; for (let ee of ff) ee": "dd ff",
	} {
		s, err := Compile("", src)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(s.Free(), func(n string) bool { return n == "bb" })
		if strings.Join(got, " ") != want {
			t.Errorf("%s uses %v, want %s", src, got, want)
		}
	}
}

// endless are scripts that would never end, or eat the memory, by nothing but their own code.
var endless = []string{
	"while (true) {}",
	"(function f() { f() })()",
	"var s = 'x'; while (true) s += s",
	"var o = {}; while (true) o = {a: o}",
	"function f() { for (;;) String(f).charAt(0) } f()",
}

// hostile are scripts that would do so by what the language offers.
var hostile = []string{
	"for (;;) { try { while (true); } catch (e) {} }",
	"function g() { try { g() } finally { g() } } g()",
	"var a = []; while (true) a.push({})",
	"var a = []; a.length = 4294967295; a + ''",
	"var a = []; while (true) a.push(new Array(1000).join('abc'))",
	"'x'.repeat(1e9)", "'x'.padStart(1e9)", "new Array(1e9).join('x')", "new Array(1e9).fill(0)", "Array.from({length: 1e9})",
	"var a = []; a.length = 4294967295; a.indexOf(1)", "[].concat.apply([], {length: 1e9})", "Math.max.apply(null, {length: 1e9})",
	"var s = 'x'.repeat(1e6), a = []; for (var i = 0; i < 1e5; i++) a.push(s); a.join('')",
	"var s = 'x'.repeat(1e6), a = []; for (var i = 0; i < 1e5; i++) a.push(s); JSON.stringify(a)",
	"var s = 'x'.repeat(1e5); s.replace(/x/g, s)",
	"var a = []; a[0] = a; JSON.stringify(a)",
	"Array.from('x'.repeat(1e6))", "[...'x'.repeat(1e6)]", "new Set('x'.repeat(1e6))", "'x'.repeat(1e6).split('')", "'x'.repeat(1e6).match(/x/g)",
	"JSON.parse('['.repeat(1e6))", "String.raw({raw: {length: 1e9}})", "Object.assign({}, 'x'.repeat(1e6))", "Object.keys('x'.repeat(1e6))",
	"var a = []; for (var i = 0; i < 1000; i++) a = [a, a]; a.flat(Infinity)",
	"var a = [1]; for (var i = 0; i < 30; i++) a = [a, a]; a + ''", "var a = [1]; for (var i = 0; i < 30; i++) a = [a, a]; a.toLocaleString()",
	"[].concat.apply([], new Array(2e5).fill(new Array(2e5)))", "for (var a = new Array(2e5).fill(1); ; ) a = a.concat(a)",
	"/(?=a)(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')",
	"new RegExp('(?=a)(a+)+$').test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')",
	"/x/.constructor('(?=a)(a+)+$').test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')",
	"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.match('(?=a)(a+)+$')",
	"eval('/(?=a)(a+)+$/')", "(function(){}).constructor('while(true){}')()", "eval('while(true){}')",
	"function f() { return eval('f()') } f()",
	"({toString: function() { while (true); }}) + ''",
	strings.Repeat("(", 1e5), strings.Repeat("[", 1e5), strings.Repeat("{", 1e5), strings.Repeat("!", 1e5) + "1",
	strings.Repeat("a?", 1e4), "x=" + strings.Repeat("1+", 5e4) + "1;nothing", strings.Repeat("x", MaxSource+1),
}

// TestHostile proves that whatever a document runs ends soon, with an error, also after what is plain.
func TestHostile(t *testing.T) {
	for _, src := range slices.Concat(endless, hostile) {
		t.Run(src[:min(40, len(src))], func(t *testing.T) {
			began := time.Now()
			vm, document, _ := scopes()
			if _, err := vm.Eval(document, CompileExpr("1 + 1")); err != nil || vm.tamed {
				t.Fatalf("%v, tamed %v", err, vm.tamed)
			}
			script, err := Compile("", src)
			if err == nil {
				err = vm.Run(document, script)
			}
			if err == nil {
				t.Error("no error")
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestConversionIsGuarded(t *testing.T) {
	vm, document, _ := scopes()
	v, err := vm.Eval(document, CompileExpr("({toString: function() { while (true); }})"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vm.String(v); !errors.Is(err, ErrTime) {
		t.Errorf("got %v, want ErrTime", err)
	}
	if got := text(t, vm, document, "1+1"); got != "2" {
		t.Errorf("after an interrupt 1+1 is %s", got)
	}
}

func TestBudget(t *testing.T) {
	vm := New(Limits{Time: 20 * time.Millisecond, Total: 50 * time.Millisecond})
	s := vm.NewScope(nil)
	var err error
	for range 10 {
		_, err = vm.Eval(s, CompileExpr("(function() { while (true); })()"))
	}
	if !errors.Is(err, ErrBudget) {
		t.Errorf("got %v, want ErrBudget", err)
	}
}

func TestValues(t *testing.T) {
	vm, document, _ := scopes()
	document.Declare("v", vm.Value(map[string]any{"list": []any{1, "two", nil, true}}))
	document.Declare("w", vm.Wrap(42, "a recording"))
	if got := text(t, vm, document, "v.list.length + v.list[1] + v.list[2] + w"); got != "4twoundefineda recording" {
		t.Error(got)
	}
	if vm.Unwrap(document.Get("w")) != 42 || vm.Unwrap(document.Get("v")) != nil {
		t.Error("Unwrap")
	}
	list, ok := vm.Array(vm.Property(document.Get("v"), "list"))
	if !ok || len(list) != 4 {
		t.Error("Array", list, ok)
	}
	if got := text(t, vm, document, "JSON.stringify([1,{a:'b'}]) + 'a-b'.replace(/-/g, '') + /(\\d+)/.exec('x12')[1] + [3,1,2].sort().join()"); got != `[1,{"a":"b"}]ab121,2,3` {
		t.Error(got)
	}
}

// FuzzCompile proves that no source breaks the compiler, or runs for long.
func FuzzCompile(f *testing.F) {
	for _, src := range slices.Concat(endless, hostile[:5], []string{"var a = 1", "function f() {}", "a.b[c] = {d: e}"}) {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		vm := New(Limits{Time: 50 * time.Millisecond})
		s := vm.NewScope(vm.NewScope(nil))
		if script, err := Compile("", src); err == nil {
			_ = vm.Run(s, script)
		}
		if v, err := vm.Eval(s, CompileExpr(src)); err == nil {
			_, _ = vm.String(v)
		}
		if target := CompileTarget(src); target.Err == nil {
			_ = vm.Assign(s, target, vm.Value("x"))
		}
		vm.lim.Time = time.Minute // on a busy machine also this takes long
		if v, err := vm.Eval(s, CompileExpr("1+1")); err != nil || fmt.Sprint(v) != "2" {
			t.Fatalf("after %q the VM is broken: %v, %v", src, v, err)
		}
	})
}
