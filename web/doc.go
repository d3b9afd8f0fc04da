// Package web is the front door for browsers; it keeps no state.
package web
