// Package fastagi is the telephone over Asterisk's FastAGI, for Asterisks without ARI: the dialplan runs
// AGI(agi://127.0.0.1:4573/hark,NONCE), Asterisk connects to a Server, and each connection is one call, an ivr.Line that
// is given to one Handle. The dialogue and its states are the same as over ARI (package ivr/stasis).
//
// # What speaks to Asterisk
//
// Commands go through github.com/CyCoreSystems/agi, its NewConn and its Command; nothing else of it is used. Quoting and
// the reading of replies are ours: the module's helpers lose digits, take a time-out for an error and do not tell a
// hang-up. A wrapper around the connection hands it one line at a time, since it throws away whatever came behind a line.
//
// AGI runs one command at a time, and drops every key that is pressed while none runs. So there always is one: while keys
// are awaited, and while the dialogue thinks, it is a STREAM FILE of silence, which keeps the packets flowing, ends with
// a key and tells of a hang-up at once. Asterisk ends a STREAM FILE, without a reply, when another command arrives; that
// is how one is interrupted. (WAIT FOR DIGIT can be interrupted too, but each time warns of it in Asterisk's log.)
//
// # Who may connect
//
// FastAGI has no authentication (threat T17). The Server listens on loopback addresses and Unix sockets only, and closes
// every connection that does not show the nonce: as the first argument of AGI(), or in the channel variable HARK_NONCE.
//
// # What is less than over ARI
//
//   - This process dies: its calls are lost. The connection is the call, nobody can adopt it; the caller hears the
//     apology that stands behind AGI() in the dialplan, and goes on with the next call.
//   - Between two clips there can be a gap of a packet (20 ms), since each is a command of its own.
//   - A key that is kept while a prompt plays that cannot be interrupted stops it for a moment: it goes on at the sample
//     where it stopped.
//   - A key that ends in the moment between two commands (a fraction of a millisecond, as long as neither machine is
//     overloaded) is lost.
//   - When a turn is interrupted by something else than a key or a hang-up, Input.At is by our clock and not by Asterisk.
//   - A recording cannot be stopped from here. When the context ends in one by something else than a hang-up, what
//     Asterisk has written so far is returned, and the call is given up.
//   - Nothing is played during a recording: there is no tick before its limit.
//   - Silence that ends a recording counts in whole seconds. Asterisk cuts off all but one second of it, and the last
//     200 ms before a key; the silence is put back, so that lengths are what they are over ARI.
//   - Recordings come through a folder (Server.Recordings) that Asterisk writes and this process reads; over ARI no folder
//     is shared.
//   - Packets flow to the caller in a recording only when Asterisk's own transmit_silence is on.
package fastagi
