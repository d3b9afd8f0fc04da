// Package dialplan decides which dialogue answers which number, and writes the Asterisk dialplan.
package dialplan
