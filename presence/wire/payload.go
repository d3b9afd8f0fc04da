package wire

import (
	"encoding/json"
	"time"

	"hark/im"
)

// The verbs of the client.
const (
	Login    = "LOGIN"
	Resume   = "RESUME"
	Fetch    = "FETCH"
	Ack      = "ACK"
	Send     = "SEND"
	Roster   = "ROSTER"
	Status   = "STATUS"
	Typing   = "TYPING"
	Draft    = "DRAFT"
	Place    = "PLACE"
	State    = "STATE"
	Ping     = "PING"
	Detach   = "DETACH"
	Logout   = "LOGOUT"
	Networks = "NETWORKS"
)

// The events of the server.
const (
	Hello    = "HELLO"
	Exists   = "EXISTS"
	Delivery = "DELIVERY"
	Presence = "PRESENCE"
	Service  = "SERVICE"
	Bye      = "BYE"
)

// The codes of NO and BAD.
const (
	AuthFailed     = "AUTHFAILED"     // user, PIN, ticket, code or token; no further reason is given
	Locked         = "LOCKED"         // argument: seconds
	Expired        = "EXPIRED"        // the session token's time is over
	NoSession      = "NOSESSION"      // the session has ended; log in again
	Referral       = "REFERRAL"       // argument: URL of the node that owns the session
	BadCredentials = "BADCREDENTIALS" // argument: network that refused the user's login
	Unavailable    = "UNAVAILABLE"    // the network is away; the message is queued
	TryLater       = "TRYLATER"       // argument: seconds
	Limit          = "LIMIT"          // too many or too much
	Fenced         = "FENCED"         // this node does not own the session any more
	Changed        = "CHANGED"        // the fact is not what the request took it for
	NotFound       = "NOTFOUND"
	TooLong        = "TOOLONG"
	Syntax         = "SYNTAX"
)

type (
	// HelloEvent is the greeting.
	HelloEvent struct {
		Node  string   `json:"node"`
		Proto int      `json:"proto"`
		Caps  []string `json:"caps"`
	}
	// LoginRequest is the argument of LOGIN: a ticket, or number and PIN.
	LoginRequest struct {
		Ticket string `json:"ticket,omitempty"`
		User   string `json:"user,omitempty"`
		PIN    string `json:"pin,omitempty"`
		Client string `json:"client,omitempty"` // client kind: "phone" (default), "web"
		Caller string `json:"caller,omitempty"` // caller id to bind the session number to
	}
	// ResumeRequest is the argument of RESUME: the session token; or the session number with PIN or bound caller id.
	ResumeRequest struct {
		Session string `json:"session,omitempty"`
		Renew   bool   `json:"renew,omitempty"`  // give a new session token; the old one opens the session once more
		Number  bool   `json:"number,omitempty"` // with a token: give a session number, too
		Brief   bool   `json:"brief,omitempty"`  // with a token: answer without the name and without how much waits
		Code    string `json:"code,omitempty"`
		PIN     string `json:"pin,omitempty"`
		Caller  string `json:"caller,omitempty"`
		Client  string `json:"client,omitempty"`
	}
	// SessionReply answers LOGIN and RESUME.
	SessionReply struct {
		User    string    `json:"user"`
		Name    string    `json:"name,omitempty"`
		Session string    `json:"session"`        // token for RESUME, 128 bits
		Code    string    `json:"code"`           // session number a caller can key, 9 digits; "" after RESUME by token that did not ask for one
		Until   time.Time `json:"until,omitzero"` // when the session number lapses if it is not used
		Epoch   int64     `json:"epoch"`
		Waiting int       `json:"waiting"`
		Resumed bool      `json:"resumed"`           // the session was alive before this login
		Dropped int       `json:"dropped,omitempty"` // older messages that retention removed unread
	}
	// FetchRequest is the argument of FETCH.
	FetchRequest struct {
		After  int64      `json:"after,omitempty"`
		Before int64      `json:"before,omitempty"`
		Max    int        `json:"max,omitempty"`
		Search string     `json:"search,omitempty"`
		With   im.Address `json:"from,omitzero"`    // the conversation with this address
		New    bool       `json:"new,omitempty"`    // only incoming ones after this client kind's cursor
		Latest bool       `json:"latest,omitempty"` // only the newest one with each person, of the log's last 500
		Brief  bool       `json:"brief,omitempty"`  // without text, attachments and choices: who wrote, and when
	}
	// Message is one entry of FETCH's answer.
	Message struct {
		Seq int64 `json:"seq"`
		im.Message
		State  im.DeliveryState `json:"state,omitempty"`
		Reason string           `json:"reason,omitempty"`
	}
	// FetchReply answers FETCH.
	FetchReply struct {
		Messages []Message `json:"messages"`
		Cursor   int64     `json:"cursor"`  // this client kind's
		Waiting  int       `json:"waiting"` // incoming ones after it; not counted, and 0, for Latest, and for Before without New
	}
	// AckRequest is the argument of ACK: up to where nothing is new any more, and, apart from that, which messages were
	// heard or seen to their end. Their senders are told if they asked for it (XEP-0333), once for each time it is said.
	AckRequest struct {
		Seq   int64   `json:"seq,omitempty"` // 0 leaves the cursor
		Heard []int64 `json:"heard,omitempty"`
	}
	// SendRequest is the argument of SEND.
	SendRequest struct {
		ID          string          `json:"id"`
		To          im.Address      `json:"to"`
		Body        string          `json:"body"`
		Attachments []im.Attachment `json:"attachments,omitempty"`
		ReplyTo     string          `json:"replyTo,omitempty"`
	}
	// SendReply answers SEND.
	SendReply struct {
		Seq   int64            `json:"seq"`
		State im.DeliveryState `json:"state"` // queued when the network is away, else sent or later
	}
	// Contact is one line of ROSTER's answer.
	Contact struct {
		Address im.Address `json:"address"`
		Name    string     `json:"name"`
		Number  int        `json:"number"` // the person's own short number in this user's list, from 1, never reused
		Show    im.Show    `json:"show"`
		Text    string     `json:"text,omitempty"`
		Unread  int        `json:"unread,omitempty"`
	}
	// RosterReply answers ROSTER, online first, then by name.
	RosterReply struct {
		Contacts []Contact `json:"contacts"`
	}
	// StatusRequest is the argument of STATUS, and the fact of that name among those of STATE's Keys.
	StatusRequest struct {
		Show im.Show `json:"show"`
		Text string  `json:"text,omitempty"`
	}
	// TypingRequest is the argument of TYPING.
	TypingRequest struct {
		To im.Address `json:"to"`
		On bool       `json:"on"`
	}
	// StateRequest is the argument of DRAFT, PLACE and STATE: one of put, get, drop. Key names the fact (STATE only);
	// several are had at once by Keys, DRAFT, PLACE and STATUS among them. If is the Tag of the fact that is to be put or
	// dropped: with it only that one is, and CHANGED the answer when it is another by now.
	StateRequest struct {
		Key  string          `json:"key,omitempty"`
		Keys []string        `json:"keys,omitempty"`
		Put  json.RawMessage `json:"put,omitempty"`
		Get  bool            `json:"get,omitempty"`
		Drop bool            `json:"drop,omitempty"`
		If   string          `json:"if,omitempty"`
	}
	// StateReply answers them; Value is null when there is none. Tag names the value, also that there is none; equal values
	// have equal tags. Values are those of Keys that there are.
	StateReply struct {
		Value  json.RawMessage            `json:"value"`
		Tag    string                     `json:"tag,omitempty"`
		Values map[string]json.RawMessage `json:"values,omitempty"`
	}
	// PlaceValue is where a user was: in a message, so many milliseconds into its sound.
	PlaceValue struct {
		Seq int64 `json:"seq"`
		MS  int64 `json:"ms"`
	}
	// DraftValue is a half-made recording or text.
	DraftValue struct {
		To      im.Address `json:"to"`
		Text    string     `json:"text,omitempty"`
		Audio   string     `json:"audio,omitempty"` // id of the kept recording
		Seconds float64    `json:"seconds,omitempty"`
		Made    time.Time  `json:"made"`
	}
	// ExistsEvent is a level: so many messages wait for this client kind.
	ExistsEvent struct {
		Waiting int   `json:"waiting"`
		Last    int64 `json:"last"` // number of the newest message
	}
	// ServiceEvent is the state of one external login.
	ServiceEvent struct {
		Network string    `json:"network"`
		Address string    `json:"address,omitempty"`
		State   string    `json:"state"` // "online", "connecting", "retrying", "badcredentials", "conflict", "offline"
		Since   time.Time `json:"since"` // when it came online, or ceased to be
	}
	// ByeEvent is the server's last word. On the wire it stands in the event's brackets and text, not in JSON.
	ByeEvent struct {
		Code string // REFERRAL, TRYLATER, FENCED, NOSESSION, LIMIT, SYNTAX, or ""
		Arg  string
		Text string
	}
	// NetworksReply answers NETWORKS.
	NetworksReply struct {
		Networks []ServiceEvent `json:"networks"`
	}
)
