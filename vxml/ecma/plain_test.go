package ecma

import "testing"

// TestPlain wants what reads, compares and assigns to be plain, and nothing else.
func TestPlain(t *testing.T) {
	for _, src := range []string{
		"a", "a.b.c", "'x' + a", "a == 1 && b != 'x' || !c", "typeof a == 'undefined'", "a ? b : -c", "a.b = c + 1", "n += 1", "n++", "a = 1; b = 2",
		"({x: 1, y: {z: a.length}})", "[]", "undefined", "f$.utterance", "application.lastresult$.interpretation", "null", "true", "",
	} {
		if tree, err := parse("", src); err != nil || !plain(tree) {
			t.Errorf("%s is not plain: %v", src, err)
		}
	}
	for _, src := range append([]string{
		"f()", "new X", "a['b']", "a[b]", "Array", "Object.x", "Math.PI", "JSON", "globalThis", "eval", "this", "a.constructor", "a.__proto__",
		"a.prototype", "'x'.repeat", "a.join", "a.toString", "a.valueOf = b", "({toString: a})", "({['x']: 1})", "({get x() { return 1 }})", "({f() {}})",
		"({__proto__: a})", "[a]", "[a] = b", "({a} = b)", "`x${a}`", "`x`", "/x/", "a?.b", "a ?? f()", "...a", "function f() {}", "() => 1", "var x = 1",
		"let x = 1", "if (a) b", "while (a) b", "delete a.b", "'a' in b", "a instanceof b", "a, f()", "a ? f() : 1", "x = f()", "class A {}",
		"a = Function", "({x: String})", "x.apply", "x.call", "x.caller", "x.raw", "await1 => 2", "import.meta",
	}, hostile...) {
		if tree, err := parse("", src); err == nil && plain(tree) {
			t.Errorf("%s is plain", src[:min(60, len(src))])
		}
	}
}
