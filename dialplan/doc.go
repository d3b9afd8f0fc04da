// Package dialplan decides which dialogue answers which number, and writes the Asterisk dialplan for that.
//
// A Plan is a list of routes. Choose is asked with the number that a caller dialled; Write makes the file that Asterisk
// includes, in which each number leads to Stasis (or to AGI, for an Asterisk without ARI) and, when nobody is there to take the call, to a spoken apology, and
// nowhere else.
//
// # Toll fraud
//
// A caller must not get out to the telephone network by way of Hark. So no number may be written that could hold more
// than digits, the dialplan written has no Dial, no include and no variable in a place where a caller's text could end
// up, and Escapes proves for any dialplan, one's own additions to it included, that a context leads to nothing that can
// place a call.
package dialplan
