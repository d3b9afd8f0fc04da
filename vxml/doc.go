// Package vxml interprets VoiceXML 2.1 on an ivr.Line: the field's standard for telephone dialogues, "DTMF profile". It
// is complete for what a keypad, prompts, recordings and transfers can do; there is no speech recognition.
//
// An Interpreter is made once and handles any number of calls at a time. A document is parsed and compiled when it is
// first fetched, and shared between calls; each call has its own variables, in its own ECMAScript VM.
//
// # How it is built
//
// A document becomes a tree of elements (package xmltree), is checked against the grammar of the language (schema.go), and
// compiled into dialogs, items and actions (build.go, action.go, speech.go). A call runs an execution context per
// application or subdialog (execution.go); a form is interpreted as VoiceXML 2.0, appendix C says (form.go); what is said
// waits in a queue until the caller is listened to (queue.go, collect.go) with the grammars that count then (activate.go).
// Events, jumps and the end of the call travel as Go errors (event.go, catch.go).
//
// # What differs from the specification
//
//   - Grammars are matched against keys only (package srgs). Universal voice commands do not exist.
//   - <initial> throws error.unsupported.initial when no grammar of the form can be answered by keys.
//   - With bargeintype hotword any key interrupts the prompt for a moment; it goes on unless the keys are a whole match.
//   - <log> goes to Interpreter.Watch, never into the program's own log: it may hold what a caller keyed.
//   - Silence at the beginning of a recording is noticed after a multiple of finalsilence near timeout: an ivr.Line knows
//     one silence.
//   - aai of a transfer is computed and goes nowhere.
package vxml
