// Package ecma runs the ECMAScript of a VoiceXML document: expressions and scripts in a chain of scopes, within limits.
//
// Expressions and scripts are compiled once and shared between calls; a VM belongs to one call and one goroutine. What a
// script can reach is the language and its scopes, nothing else: no clock but Date, no files, no network.
//
// # Limits
//
// A script that runs too long, or makes the heap grow too much while it runs, is interrupted. The engine cannot be
// interrupted inside of one of its own functions; those whose work can grow without bound (String.prototype.repeat,
// Array.prototype.join and the like) are checked before they begin, typed arrays are taken out, and regular expressions
// with look-ahead or back references, which can take exponential time, are refused. This costs more than making the VM:
// it is done before the first source that is not plain (plain.go).
package ecma
