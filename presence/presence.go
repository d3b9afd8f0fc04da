// Package presence holds the IM session objects and serves them to thin clients.
//
// A Server owns one Session per user who has logged in; the Session holds the live logins at the external IM services
// and outlives every client. A Client is the thin client's side: the telephone (package ivr) and the web door hold one,
// always over the wire protocol of package presence/wire, in one process over net.Pipe.
package presence
