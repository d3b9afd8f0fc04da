// Package ivr is the telephone's dialogue: what a caller hears and what keys do.
//
// # A call
//
// Server.Handle runs one call on a Line, in the goroutine of whoever calls it. The telephone itself is behind Line:
// ivr/stasis (Asterisk over ARI), ivr/console (a terminal), ivr/ivrtest (a script). The caller's session is behind
// Messenger, which *presence.Client is; it outlives the call.
//
// # The dialogue as data
//
// A call walks from state to state. A state is a node in a table (tree.go): what is said on entering, which keys there
// are with the prompt that offers each and the state it leads to, where star goes back to, the help behind 0. Few kinds
// of node do the work: a menu waits for one key (menu.go), a field for a number (field.go), the reader reads while keys
// steer it (reader.go), a recording takes the caller's voice (record.go), and a passing node only decides. What is
// special to a key or a node is a step, func(ctx, *Call) (state, error), a few lines long.
//
// A step may lead only where its node declares: run refuses anything else. So what the tests walk is what callers hear.
// To add to the dialogue, add nodes to the list of a part (loginNodes, homeNodes, …), steps, and prompts to
// prompts/*.toml.
//
// # Turns
//
// All sound of a turn is played in one piece, so that a key interrupts all of it; Call.tell puts something before the
// next prompt ("Sent."). Keys pressed ahead count in every state; they are dropped only between two tries of a login.
// A message that comes while a menu waits is told at once, never in a PIN, a recording or before it is sent.
//
// # What is kept
//
// Whatever ends the call (leave in call.go), the place in the messages and a recording of two seconds or more are kept
// at the presence server. What was heard is acknowledged at once; what was skipped stays new, also when later messages
// were heard.
//
// # Failures
//
// A request to the presence server that meets a dead connection finds the session again and is made once more; whoever
// has to wait for more than two seconds hears "One moment." What cannot be done is said in words, and logged with its
// inside. Digits, numbers, names and texts are never logged.
package ivr
