// Package presence holds the IM session objects and serves them to thin clients.
//
// A Server owns one Session per user who has logged in; the Session holds the live logins at the external IM services
// and outlives every client. A Client is the thin client's side: the telephone (package ivr) and the web door hold one,
// always over the wire protocol of package presence/wire, in one process over net.Pipe (Server.Pipe).
//
// # Who owns what
//
// Server.Run owns the node: its lease, its sessions, its sweeps. Each client connection has a reader goroutine, which
// also carries out the requests, one after the other, and a writer. Each Session has a mailbox whose functions own its
// state and do no I/O; each external login has one whose functions connect, send and arrange to try again. A mailbox runs
// one function after the other, in a goroutine that ends when it is idle, and so does what writes to the store on the
// session's behalf: a session that waits has no goroutine here.
//
// # What is promised
//
// An inbound message is acknowledged at its network only after it is in the store together with the connection's
// resume state. An outbound message is in the store before the client hears OK. A server whose lease is in doubt stops
// relaying before anybody else can take its sessions over.
package presence
