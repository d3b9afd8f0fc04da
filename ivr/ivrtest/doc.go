// Package ivrtest is a telephone without a telephone: a Line that a script plays on, a voice that is words only, and
// conversations as text files.
//
// Sound takes as long as it would on a real line. Inside a testing/synctest bubble that time is virtual, so that a
// conversation of minutes is over in milliseconds.
//
// # Conversations
//
// A conversation is a text file, one step in a line; empty lines and lines that begin with # are left out.
//
//	hear TEXT     waits until a prompt that contains TEXT begins
//	listen TEXT   waits until it is over
//	press KEYS    presses keys in one breath
//	say 5s        speaks for so long, once a recording has begun; say FILE speaks a WAV file
//	wait 3s       waits
//	hang up       hangs up and waits until Hark has let go of the call
//	ended         waits until Hark has ended the call by itself
//	call          dials again; call from NUMBER with a caller id
//	never TEXT    nothing heard in the whole conversation may contain TEXT
//
// Every other line is an arrangement, or a question, for the world around the telephone ("message from ben: Hello").
// What is heard is looked for behind what was found last, so the order counts, but not every prompt must be named.
package ivrtest
