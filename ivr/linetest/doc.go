// Package linetest has what the tests of every kind of telephone line share: a caller on a real SIP telephone who speaks and
// hears tones, and a call that does what the test says.
package linetest
