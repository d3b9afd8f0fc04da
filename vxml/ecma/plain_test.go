package ecma

import "testing"

// TestPlain wants what reads, compares, assigns and calls its own functions to be plain, and nothing else.
func TestPlain(t *testing.T) {
	for _, src := range append([]string{
		"a", "a.b.c", "'x' + a", "a == 1 && b != 'x' || !c", "typeof a == 'undefined'", "a ? b : -c", "a.b = c + 1", "n += 1", "n++", "a = 1; b = 2",
		"({x: 1, y: {z: a.length}})", "[]", "undefined", "f$.utterance", "application.lastresult$.interpretation", "null", "true", "",
		"f()", "a.f(b, 1)", "function ok(n, p) { return n.length + p.length == 11 }", "var x = 1, y", "let x = 1", "if (a) b; else { c }",
		"while (a) b", "for (var i = 0; i < 3; i++) { if (i == 2) break }", "(function(a, b = 1) { return })()", "x = f()", "a ? f() : 1",
		"a[0].b", "Math.floor(a / 2)", "String(a)", "isNaN(a)", "new Date().getHours() < 12", "s.charAt(0).toUpperCase() + s.substring(1)",
		"({f: function() {}})", "function f() { f() }",
	}, endless...) {
		if tree, err := parse("", src); err != nil || !plain(tree) {
			t.Errorf("%s is not plain: %v", src, err)
		}
	}
	for _, src := range append([]string{
		"new X", "a['b']", "a[b]", "a[b + 1]", "a[0] = b", "a.length = 1", "a.length++", "--a.length", "Date.now", "Array", "Object.x", "Math.PI", "JSON", "globalThis", "eval", "this", "a.constructor", "a.__proto__",
		"a.prototype", "'x'.repeat", "a.join", "a.toString", "a.valueOf = b", "({toString: a})", "({['x']: 1})", "({get x() { return 1 }})", "({f() {}})",
		"({__proto__: a})", "[a]", "[a] = b", "({a} = b)", "`x${a}`", "`x`", "/x/", "a?.b", "a ?? f?.()", "...a", "f(...a)", "function* f() {}", "async function f() {}", "function f(...a) {}", "function f([a]) {}", "() => 1",
		"var {x} = y", "let x = []; x[1] = 2", "with (a) b", "for (a in b) c", "for (a of b) c", "try { a } catch (e) {}", "switch (a) {}", "delete a.b", "'a' in b", "a instanceof b", "a, f``", "class A {}", "var Math = a",
		"a = Function", "({x: String})", "x.apply", "x.call", "x.caller", "x.raw", "await1 => 2", "import.meta",
		"constructor", "constructor(a)", "__proto__", "__proto__.a = b", "valueOf()", "toString = f", "hasOwnProperty", "function toString() {}",
		"'x'.charAt", "f = s.slice", "f = parseInt", "parseInt.constructor('')", "Math.constructor(a)", "Math.floor", "Math[0]", "f(String)", "a.split('')",
		"a.concat(a)", "a.push(1)", "a.replace('x', a)", "a.f().constructor", "(function() { return this })()", "function f() { return eval }", "function eval() {}",
	}, hostile...) {
		if tree, err := parse("", src); err == nil && plain(tree) {
			t.Errorf("%s is plain", src[:min(60, len(src))])
		}
	}
}
