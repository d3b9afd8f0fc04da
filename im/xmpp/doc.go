// Package xmpp logs in at XMPP servers (RFC 6120, 6121): an im.Service.
//
// The library mellium.im/xmpp does the negotiation: the stream, STARTTLS, SASL, resource binding. From then on a Conn
// reads and writes its own stream, because it needs three things that the library's Session cannot give: a count of
// every stanza in one place (XEP-0198), a limit on the size and the depth of a stanza, and an idle login that costs no
// more than one goroutine.
//
// # Who does what
//
// One goroutine per Conn, the reader, parses stanzas and turns them into events. It never waits for a write: what is
// to be sent goes to the outbox, which a second goroutine writes while there is anything in it. Events go to the
// inbox, which a third goroutine hands to the sink while there are any. So an idle Conn is one goroutine. When the
// sink blocks, the inbox fills up, the reader stops, and TCP tells the server. While somebody waits for the reply to a
// request the reader goes on nevertheless, so that a sink and a request can never wait for each other.
//
// # Nothing is lost
//
// With stream management the server keeps what it sent until we acknowledge it, and we acknowledge no stanza before
// the session has passed the position of its last event to Ack. What we sent is kept until the server acknowledges it,
// and travels in the resume state. Open with a resume state continues the stream; when the server refuses, the same
// Open logs in afresh, reads the archive (XEP-0313) from the last message it knows, and sends again what the archive
// does not show as sent.
//
// A state that is older than what the server was told was kept is found out by the server's count of our stanzas, which
// is higher then, and the archive is read. ejabberd 23.01 resumes from such a state; if we sent it nothing at all since
// then, nothing shows it, and what it was told was kept stays missing. Hark stores a state before it acknowledges, so
// only a database that was put back brings one. Prosody refuses it.
//
// # What is spoken
//
// XEP-0030 (answers only), 0066, 0085, 0184, 0186, 0198, 0199, 0203, 0280, 0297, 0313, 0333, 0359, 0368, 0439
// (responses), 0440, 0446, 0447, 0461.
package xmpp

// Name spaces of the extensions.
const (
	nsClient    = "jabber:client"
	nsStream    = "http://etherx.jabber.org/streams"
	nsBinding   = "urn:xmpp:sasl-cb:0"
	nsBind      = "urn:ietf:params:xml:ns:xmpp-bind"
	nsStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsRoster    = "jabber:iq:roster"
	nsDisco     = "http://jabber.org/protocol/disco#info"
	nsOOB       = "jabber:x:oob"
	nsStates    = "http://jabber.org/protocol/chatstates"
	nsReceipts  = "urn:xmpp:receipts"
	nsInvisible = "urn:xmpp:invisible:1"
	nsSM        = "urn:xmpp:sm:3"
	nsPing      = "urn:xmpp:ping"
	nsDelay     = "urn:xmpp:delay"
	nsCarbons   = "urn:xmpp:carbons:2"
	nsForward   = "urn:xmpp:forward:0"
	nsMAM       = "urn:xmpp:mam:2"
	nsRSM       = "http://jabber.org/protocol/rsm"
	nsForm      = "jabber:x:data"
	nsMarkers   = "urn:xmpp:chat-markers:0"
	nsSID       = "urn:xmpp:sid:0"
	nsReply     = "urn:xmpp:reply:0"
	nsQuick     = "urn:xmpp:tmp:quick-response"
	nsHints     = "urn:xmpp:hints"
	nsNick      = "http://jabber.org/protocol/nick"
)
