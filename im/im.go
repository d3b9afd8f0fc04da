// Package im defines the words of instant messaging that every part of Hark shares: addresses, messages, presence,
// and what an external IM service must be able to do.
//
// It is a leaf: it imports nothing of Hark. A service (im/xmpp, im/local, …) implements Service; the session object
// (package presence) is its only caller. im/imtest is the suite that every service passes.
//
// # The life of a connection
//
// Service.Open makes one attempt at one live login. It either returns a Conn that is online, or an *Error whose Class
// says whether trying again by itself can help. From then on everything that happens arrives in order at the Sink:
// messages, delivery reports, roster, presence, and finally one State event that says the connection is over. The
// caller decides about trying again; a service never reconnects behind its caller's back, except where the protocol
// itself resumes a stream inside one Open (then it is Open that does it, with Resume).
//
// # Nothing is acknowledged before it is kept
//
// Each event carries a Position, which only grows. Where the network has acknowledgements of its own (XEP-0198 <a/>,
// Matrix next_batch, a SIP 200), the service sends them only up to the Position that the session has passed to
// Conn.Ack, which it does after the event is on disk. An event may also carry Resume, the durable state from which a
// later Open, on this or on another machine, goes on after exactly this event.
package im

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Networks that Hark knows by name. A network's name is also the scheme of its addresses.
const (
	Hark = "hark" // between Hark users, no external server
	XMPP = "xmpp"
)

// An Address names somebody on a network. Its text form is "network:id": "xmpp:ben@example.org", "hark:4711001".
// The zero Address is nobody.
type Address struct {
	Network string // "xmpp", "hark", …; lower case
	ID      string // in the network's own writing: a bare JID, a user number, …
}

// ParseAddress reads the text form. It fails on a missing network or id, on white space and on control characters.
func ParseAddress(s string) (Address, error) {
	network, id, ok := strings.Cut(s, ":")
	if !ok || network == "" || id == "" {
		return Address{}, fmt.Errorf("im: address %q is not of the form network:id", s)
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return Address{}, fmt.Errorf("im: address %q contains white space or a control character", s)
		}
	}
	return Address{Network: strings.ToLower(network), ID: id}, nil
}

// String returns the text form, or "" for nobody.
func (a Address) String() string {
	if a == (Address{}) {
		return ""
	}
	return a.Network + ":" + a.ID
}

// IsZero tells whether a is nobody.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText implements encoding.TextMarshaler with the text form.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; the empty text is nobody.
func (a *Address) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Address{}
		return nil
	}
	p, err := ParseAddress(string(b))
	if err != nil {
		return err
	}
	*a = p
	return nil
}

// A Message is one instant message, whichever way it travels.
type Message struct {
	// Origin is the network's own stable id of the message (XEP-0359 stanza-id, or sender and id). It is unique per
	// user and direction, so that a message that arrives twice is kept once.
	Origin string `json:"origin,omitempty"`
	// ID is the id that the sender's client chose. A reply or a delivery report refers to it.
	ID   string  `json:"id,omitempty"`
	From Address `json:"from"`
	To   Address `json:"to"`
	// Name is what the receiver calls the other side: roster name, nickname, or "".
	Name string `json:"name,omitempty"`
	// Body is plain text, at most MaxBody bytes of UTF-8. For a voice message it is the link.
	Body        string       `json:"body"`
	Attachments []Attachment `json:"attachments,omitempty"`
	// ReplyTo is the ID of the message this one answers, or "".
	ReplyTo string `json:"replyTo,omitempty"`
	// Sent is the time the network gives, in UTC.
	Sent time.Time `json:"sent"`
	// Outgoing says that the user sent it: through Hark, or from another client of his (carbon copy).
	Outgoing bool `json:"outgoing,omitempty"`
	// Choices are the answers that the message itself offers (XEP-0439); nil when it offers none.
	Choices []Choice `json:"choices,omitempty"`
	// Markable says that the sender wants to know when the message was heard or seen (XEP-0333).
	Markable bool `json:"markable,omitempty"`
}

// A Choice is one answer that a message offers to whoever gets it.
type Choice struct {
	Label string `json:"label"` // what is shown or said
	Body  string `json:"body"`  // what is sent when it is chosen
}

// Bounds of what a message may offer: choices, and bytes of a label or body.
const (
	MaxChoices = 9
	MaxChoice  = 200
)

// MaxBody is the longest message body in bytes.
const MaxBody = 16 << 10

// An Attachment is a file that travels as a link inside a message (XEP-0066).
type Attachment struct {
	URL     string  `json:"url"`
	Type    string  `json:"type,omitempty"`    // media type, "audio/mpeg"
	Seconds float64 `json:"seconds,omitempty"` // length of sound, 0 when unknown
	Size    int64   `json:"size,omitempty"`    // bytes, 0 when unknown
	Title   string  `json:"title,omitempty"`
	// Waveform is up to MaxWaveform peaks, each from 0 to 100, of a voice message; nil when unknown. In JSON it is base64.
	Waveform []uint8 `json:"waveform,omitempty"`
}

// MaxWaveform is the largest number of peaks in an Attachment.
const MaxWaveform = 100

// IsWaveform tells whether peaks, which a stranger may have sent, are as Attachment wants them.
func IsWaveform(peaks []uint8) bool {
	return len(peaks) <= MaxWaveform && !slices.ContainsFunc(peaks, func(p uint8) bool { return p > 100 })
}

// IsAudio tells whether the attachment is sound, as far as its media type says.
func (a Attachment) IsAudio() bool { return strings.HasPrefix(a.Type, "audio/") }

// Show is how available somebody is.
type Show string

// The values of Show. Invisible is only ever one's own.
const (
	Available Show = "available"
	Away      Show = "away"
	Busy      Show = "busy"
	Offline   Show = "offline"
	Invisible Show = "invisible"
)

// Presence is somebody's availability, or one's own (then From is zero).
type Presence struct {
	From Address `json:"from"`
	Show Show    `json:"show"`
	Text string  `json:"text,omitempty"` // status text
}

// A Contact is one entry of a roster.
type Contact struct {
	Address Address `json:"address"`
	Name    string  `json:"name,omitempty"`
}

// A Roster replaces what was known of the contacts of one network.
type Roster struct{ Contacts []Contact }

// DeliveryState is how far an outgoing message has come.
type DeliveryState string

// The states of an outgoing message, in order. Failed is final.
const (
	Queued    DeliveryState = "queued"    // kept by Hark, the network is away
	Sent      DeliveryState = "sent"      // the network's server has it
	Delivered DeliveryState = "delivered" // the other side's client has it (XEP-0184)
	Read      DeliveryState = "read"      // the other side has seen it (XEP-0333)
	Failed    DeliveryState = "failed"
)

// A Delivery reports on an outgoing message.
type Delivery struct {
	ID     string        `json:"id"`
	State  DeliveryState `json:"state"`
	Reason string        `json:"reason,omitempty"` // words for the user when Failed
}

// A ChatState says that somebody began or stopped typing (XEP-0085).
type ChatState struct {
	From   Address `json:"from"`
	Typing bool    `json:"typing"`
}

// A State event says that the connection is over; it is the last one of its Conn. Err is nil after Close.
type State struct{ Err *Error }

// Progress says that nothing happened but that Resume moved on: the network waits for an acknowledgement of traffic
// that means nothing to the user. Keep Resume, then Ack, as with any event.
type Progress struct{}

// Synced says, once a connection, that everything that waited at the network when it began has been told.
type Synced struct{}

// An Event is one thing that happened at a network. Body is one of Message, Delivery, Roster, Presence, ChatState,
// Progress, Synced, State.
type Event struct {
	Pos    Position
	Resume Resume // durable state after this event; nil when the event does not change it
	Body   any
}

// Position counts the events of one Conn; it only grows.
type Position uint64

// Resume is what a service needs to go on where a connection was, opaque to everybody else. nil is "from nothing".
type Resume []byte

// A Sink receives the events of a Conn, one at a time, in order, from one goroutine of the service. Event may block:
// that is the back-pressure. It must not call back into the Conn.
type Sink interface{ Event(Event) }

// SinkFunc makes a Sink of a function.
type SinkFunc func(Event)

// Event calls f.
func (f SinkFunc) Event(e Event) { f(e) }

// An Account is a user's login at an external service.
type Account struct {
	User     string            // the Hark user number
	Network  string            // the name of the service
	ID       string            // in the network's own writing: a bare JID
	Password string            // never logged
	Server   string            // "host:port" that overrides what the network's own look-up finds, or ""
	Options  map[string]string // what else one service needs
}

// Address is the user's own address at the service.
func (a Account) Address() Address { return Address{Network: a.Network, ID: a.ID} }

// Outgoing is a message on its way out. ID makes it idempotent: sending the same ID again never shows the receiver
// two messages, where the network can tell.
type Outgoing struct {
	ID          string
	To          Address
	Body        string
	Attachments []Attachment
	ReplyTo     string
}

// A Service is an IM network that users log in at.
type Service interface {
	// Network is the name, e.g. "xmpp".
	Network() string
	// Open makes one attempt to log in, resuming from resume when that is not nil and the network still can. ctx
	// bounds the attempt only; the Conn lives until Close or until it breaks. The sink may be called before Open
	// returns. Errors are *Error.
	Open(ctx context.Context, account Account, resume Resume, sink Sink) (Conn, error)
}

// A Conn is one live login. All methods may be called from any goroutine.
type Conn interface {
	// Send hands the message to the network. It returns once the bytes are written; a Delivery event with the same ID
	// and state Sent follows when the server has acknowledged it, where the network does. Errors are *Error: after
	// Network the message may be sent again with the same ID on the next Conn.
	Send(ctx context.Context, m Outgoing) error
	// SetPresence publishes the user's own availability.
	SetPresence(ctx context.Context, p Presence) error
	// Ack says that all events up to and including p are on disk. It does not block.
	Ack(p Position)
	// Close ends the connection. With Keep the login stays at the network where it can (so that Resume works later);
	// with Logout it ends there too. It returns when the sink will not be called any more.
	Close(ctx context.Context, how CloseMode) error
	// Resume returns the state from which a later Open goes on, after the last acknowledged position; nil if none.
	Resume() Resume
}

// CloseMode says what becomes of the login at the network.
type CloseMode int

// The two ways to close.
const (
	Keep   CloseMode = iota // leave the login as it is, to be resumed
	Logout                  // log out
)

// Optional abilities of a Conn, found by type assertion.
type (
	// A Typer can tell the other side that the user is typing.
	Typer interface {
		SetTyping(ctx context.Context, to Address, on bool) error
	}
	// A Marker can tell the other side that a message was heard or seen (XEP-0333).
	Marker interface {
		MarkRead(ctx context.Context, m Message) error
	}
	// A RosterEditor can add and remove contacts.
	RosterEditor interface {
		AddContact(ctx context.Context, c Contact) error
		RemoveContact(ctx context.Context, a Address) error
	}
)

// Class says what kind of failure an Error is, and so what may be done about it.
type Class string

// The classes. Credential, Conflict and Config are never retried without the user or the operator doing something;
// Network and Throttled are retried with back-off; Policy and Protocol are told to the user in words.
const (
	Credential Class = "credential" // the network refused user or password
	Conflict   Class = "conflict"   // the login was taken over by another client
	Config     Class = "config"     // our own settings make it impossible
	Network    Class = "network"    // not reachable, broken off, timed out
	Throttled  Class = "throttled"  // told to slow down; Retry says how long
	Policy     Class = "policy"     // the network refuses this one thing
	Protocol   Class = "protocol"   // the other side did not keep to the protocol
)

// An Error is a failure at a network.
type Error struct {
	Class Class
	Retry time.Duration // how long to wait at least, 0 when unknown
	Err   error         // the inside, for the log; never holds a password or a body
}

// Error returns class and cause.
func (e *Error) Error() string { return fmt.Sprintf("im: %s: %v", e.Class, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable tells whether trying again by itself can help.
func (e *Error) Retryable() bool { return e.Class == Network || e.Class == Throttled }
