// Package ivr is the telephone's dialogue: what a caller hears and what keys do.
//
// A call is a walk over small state functions, each func(ctx, *Call) (state, error); menus, keys and prompts are
// declared as data, so that tests walk the whole tree. The telephone itself is a Line, implemented by ivr/stasis
// (Asterisk over ARI), ivr/console (a terminal) and ivr/ivrtest (a script).
package ivr
