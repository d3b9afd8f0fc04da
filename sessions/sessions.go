// Package sessions is the Central Session Database: which node owns which user's session, what waits for the user, and
// how far each kind of client has read.
//
// Store is the interface, and this comment is its law; package sessions/sessionstest holds a case for every sentence,
// and every engine passes it.
//
// # Ownership
//
// A node is one presence server. StartNode gives it an incarnation, higher at each start, and a lease that Beat
// renews; leases belong to nodes, never to sessions. A session is owned by the incarnation that claimed it. A claim
// succeeds when nobody owns the session, when its owner released it, when its owner's lease ended more than Grace
// ago, or when the owner is an older incarnation of the claiming node; each success has an epoch exactly one higher
// than the last. A claim on a live owner is *Held, also for the owner itself. Every write carries its epoch and is
// refused with ErrFenced once there is a higher one, so that an owner who does not know yet that he lost the session
// can do no harm.
//
// # Time
//
// All time is the database's. No client's clock has any effect on leases, expiry or retention.
//
// # The message cache
//
// The cache is a log per user, numbered without gaps from 1 in the order of commit. Nothing is popped: a cursor per
// client kind ("phone", "web") says how far that kind has acknowledged. Append and Deliver are idempotent by
// (user, direction, Origin): a known origin gives the number it got the first time. A user's own messages stand in the
// same log (Message.Outgoing), so that a conversation reads in one piece; they never count as waiting. When the network
// reports a message that Hark itself sent (a carbon copy, the archive: same ID, receiver and body), Append knows it too,
// and a Queued one becomes Sent.
//
// Ids are the senders' choice: one longer than MaxID is told from others and not given back.
//
// What retention drops by count or size, or since all have read it, stays known by its origin and id until the age bound is
// over; what is still Queued is never dropped. Dropped gets only what was not read by all.
//
// # Unknown outcomes
//
// When the connection to the database breaks in the middle of a call, the outcome is unknown. Claim reads again and
// compares the session id before it reports a failure; every other write is idempotent and may be repeated. (A SwapState that
// is repeated says ErrChanged, and whoever reads again finds the value there.)
package sessions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/db"
	"hark/im"
)

// Grace is how long after the end of a node's lease its sessions may be taken over. It covers a heartbeat that commits
// while a claim is being decided.
const Grace = 2 * time.Second

// What a Store refuses with. All are compared with errors.Is, but for *Held.
var (
	ErrNotFound = errors.New("sessions: not found")
	// ErrFenced: somebody with a higher epoch owns the session now. The caller must let go of it at once.
	ErrFenced = errors.New("sessions: fenced by a newer owner")
	// ErrLapsed: the node's lease ended or a newer incarnation started. It must call StartNode again.
	ErrLapsed = errors.New("sessions: node lease lapsed")
	// ErrDuplicate: the outgoing message's id was used for another text within 24 hours, or the key opens another session.
	ErrDuplicate = errors.New("sessions: id already used for another message")
	// ErrChanged: the fact is not, or no longer, what the caller took it for.
	ErrChanged = errors.New("sessions: the fact was changed by somebody else")
	// ErrInUse: another process has the (single-node) database open. The text names it.
	ErrInUse = db.ErrInUse
	// ErrTemporary: the database is away, slow or full. Whether a write was carried out is not known.
	ErrTemporary = db.ErrTemporary
)

// Held is Claim's answer when the session has a live owner.
type Held struct{ Owner Record }

// Error names the owner.
func (h *Held) Error() string {
	return fmt.Sprintf("sessions: held by %s (%s), epoch %d", h.Owner.Node, h.Owner.Addr, h.Owner.Epoch)
}

type (
	// Incarnation counts the starts of a node, from 1.
	Incarnation int64
	// Epoch counts the owners of a session, from 1.
	Epoch int64
	// Seq numbers a user's messages, from 1, without gaps.
	Seq int64
)

// A Record is the Session Record: who owns a user's session.
type Record struct {
	User    string // user number
	Session string // opaque id, new whenever a session begins
	Node    string // name of the owning node, "" after a release
	Addr    string // the owner's address as clients dial it, "harks://host:port"
	Inc     Incarnation
	Epoch   Epoch
	Alive   bool      // the owner's lease holds
	Since   time.Time // when the session began
}

// A Node is one presence server as the database sees it.
type Node struct {
	Name       string
	Addr       string
	Inc        Incarnation
	LeaseUntil time.Time
	Alive      bool
	Draining   bool
	Sessions   int // how many it owns
}

// A Grant is a successful Claim.
type Grant struct {
	Epoch   Epoch
	Session string // the session id now in force: the given one, or the existing one on a takeover
	Resumed bool   // the session existed before
}

// A Message is one entry of a user's log.
type Message struct {
	Seq Seq `json:"seq"`
	im.Message
	// State is how far an outgoing message has come; "" for incoming ones.
	State  im.DeliveryState `json:"state,omitempty"`
	Reason string           `json:"reason,omitempty"`
	Stored time.Time        `json:"-"`
	Size   int              `json:"-"` // bytes it takes in the retention's count
	// Age is for how long it has been stored, by the database's clock; only Pending tells it.
	Age time.Duration `json:"-"`
}

// A Key opens a session without number and PIN. Only a keyed hash of it is stored.
type Key struct {
	Hash   string // of the secret; computed by the presence server, never the secret itself
	Kind   string // "token" (128 bits, web) or "code" (9 digits, phone)
	Client string // the client kind it was made for: "phone", "web"
	Caller string // caller id that a code is bound to, or ""
}

// A NewKey is a key that is to be put. It lapses Idle after its last use, and Absolute after it was made, whichever is
// first. Of its kind and client, the last Keep keys (this one among them) hold.
type NewKey struct {
	Key
	Idle, Absolute time.Duration
	Keep           int
}

// Dropped tells how many incoming messages retention removed that a client kind had not acknowledged, and up to which
// number. It is zero again once the client kind has acknowledged a later one.
type Dropped struct {
	Count int
	Upto  Seq
}

// Waiting is what waits for a client kind.
type Waiting struct {
	Count   int // incoming messages after the cursor
	Last    Seq // number of the newest incoming message, 0 when there is none
	Dropped Dropped
}

// A Query selects messages of one user's log; the zero Query is all of them. Results are in order of Seq.
type Query struct {
	After  Seq        // only later ones
	Before Seq        // only earlier ones when not 0; the last Max before it
	Max    int        // at most this many; 0 is 100, the ceiling is 500
	With   im.Address // only those from or to this address, when not zero
	Text   string     // only those whose body contains this text, without regard to case
	In     bool       // only incoming ones
	Latest bool       // only the newest one with each person, of the log's last 500; the last Max of those
}

// Retention bounds a user's log.
type Retention struct {
	Age   time.Duration // 0 is 30 days
	Read  time.Duration // of messages that every kind of client which ever acknowledged one has acknowledged; 0 is 7 days
	Count int           // 0 is 1,000
	Bytes int64         // 0 is 1 MiB
}

// A Change tells a node that something happened that it did not do itself.
type Change struct {
	User   string // whose log or record changed; "" for Resync
	Resync bool   // anything may have changed: look at everything you own
}

// A Batch is what a network brought at once.
type Batch struct {
	Messages []im.Message
	// Resume is the state from which the connection to Network goes on; nil leaves it as it is.
	Network string
	Resume  im.Resume
	// Visible, if not nil, is called with the messages' numbers as soon as Waiting counts them, before Append returns. It must
	// not wait. A power cut can undo what is visible, as long as Append has not returned.
	Visible func([]Seq)
}

// Store is the session database. All methods may be called from any goroutine of any node.
type Store interface {
	// StartNode begins an incarnation of a node; its lease runs for ttl from now. Older incarnations lapse at once.
	// Like StopNode it waits for claims under way that the node makes, or that take a session from it.
	// The single-node engine fails with ErrInUse when another process holds the database.
	StartNode(ctx context.Context, node, addr string, ttl time.Duration) (Incarnation, error)
	// Beat renews the lease. ErrLapsed once it has run out, for ever for that incarnation.
	Beat(ctx context.Context, node string, inc Incarnation, ttl time.Duration) error
	// StopNode gives up the lease at once (planned stop); its sessions can be claimed without waiting.
	StopNode(ctx context.Context, node string, inc Incarnation) error
	// SetDraining marks a node that takes no new sessions.
	SetDraining(ctx context.Context, node string, draining bool) error
	// Nodes lists all nodes that ever started, by name.
	Nodes(ctx context.Context) ([]Node, error)

	// Claim makes the node's incarnation the owner of the user's session, creating it with the given id when there is
	// none or when it has ended. Errors: *Held, ErrLapsed.
	Claim(ctx context.Context, user, session, node string, inc Incarnation) (Grant, error)
	// Lookup returns the record of the user's session, also of a released one (Node ""); ErrNotFound if it has ended
	// or never was.
	Lookup(ctx context.Context, user string) (Record, error)
	// Owned lists the sessions that the node owns in any incarnation, for a restart and for the operator; with node
	// "" all sessions.
	Owned(ctx context.Context, node string) ([]Record, error)
	// Orphans lists up to max sessions whose owner may be replaced now.
	Orphans(ctx context.Context, max int) ([]Record, error)
	// Release gives up ownership; the session goes on without an owner, and its epoch stays. ErrFenced.
	Release(ctx context.Context, user string, epoch Epoch) error
	// Transfer hands the session to another live node with an epoch one higher, which it returns. ErrFenced,
	// ErrLapsed when the target is not alive.
	Transfer(ctx context.Context, user string, epoch Epoch, toNode string) (Epoch, error)
	// End ends the session: its keys are gone and Lookup says ErrNotFound. The log and the state stay, and the epoch
	// goes on from where it was. ErrFenced.
	End(ctx context.Context, user string, epoch Epoch) error

	// PutKeys adds keys that open the user's session, all of them or none. ErrFenced, also when the session has ended;
	// ErrDuplicate when a hash opens another live session (draw another secret).
	PutKeys(ctx context.Context, user string, epoch Epoch, keys ...NewKey) error
	// UseKey returns the record of the session that the key opens, and marks the key as used, unless that was done within
	// the last half minute. ErrNotFound when it is unknown, lapsed, or its session has ended.
	UseKey(ctx context.Context, hash string) (Record, Key, error)
	// DropKey removes a key; an unknown one is no error.
	DropKey(ctx context.Context, hash string) error

	// Append adds what a network brought to the owner's log, in one transaction, and returns the messages' numbers when all
	// of it is on the disk. ErrFenced.
	Append(ctx context.Context, user string, epoch Epoch, b Batch) ([]Seq, error)
	// ResumeState returns what Append or SetResume kept last for the network, once it is on the disk; nil if nothing.
	ResumeState(ctx context.Context, user, network string) (im.Resume, error)
	// SetResume keeps a connection's resume state without a message; nil forgets it. ErrFenced.
	SetResume(ctx context.Context, user string, epoch Epoch, network string, resume im.Resume) error
	// Deliver adds a message between Hark users to the recipient's log. The sender's node calls it without owning the
	// recipient's session; there need not be one. The owner hears of it by Watch.
	Deliver(ctx context.Context, toUser string, m im.Message) (Seq, error)
	// Journal adds an outgoing message in state Queued to the user's own log before it is sent. fresh is false when
	// the id was journalled in the last 24 hours: then seq is the old one. ErrFenced, ErrDuplicate.
	Journal(ctx context.Context, user string, epoch Epoch, m im.Message) (seq Seq, fresh bool, err error)
	// Pending lists the outgoing messages in state Queued, in order, once they are on the disk.
	Pending(ctx context.Context, user string) ([]Message, error)
	// Settle records how far the outgoing message with this id has come; a state never goes backwards. ErrFenced,
	// ErrNotFound.
	Settle(ctx context.Context, user string, epoch Epoch, id string, state im.DeliveryState, reason string) error

	// Read returns messages of a user's log, once they are on the disk.
	Read(ctx context.Context, user string, q Query) ([]Message, error)
	// Waiting tells what waits for the client kind, all of it at one moment.
	Waiting(ctx context.Context, user, client string) (Waiting, error)
	// Unread counts the incoming messages after the cursor of the client kind, by who sent them.
	Unread(ctx context.Context, user, client string) (map[im.Address]int, error)
	// Cursor is the number up to which the client kind has acknowledged, 0 at first.
	Cursor(ctx context.Context, user, client string) (Seq, error)
	// Advance moves the client kind's cursor forward to seq, durably; backwards is a no-op. A seq beyond the log's end
	// is ErrNotFound.
	Advance(ctx context.Context, user, client string, seq Seq) error
	// Retain drops what is beyond the bounds from a user's log ("" is everybody's), and keeps count of what was not read.
	Retain(ctx context.Context, user string, r Retention) (dropped int, err error)
	// Purge removes everything about a user: record, keys, log, state, cursors. The epoch begins anew after it, so it is
	// for users who are gone; a live owner hears of it by Watch and finds all his writes fenced.
	Purge(ctx context.Context, user string) error

	// SetState keeps a small fact of a user (place, draft, quick replies; at most 64 KiB); nil removes it.
	SetState(ctx context.Context, user, key string, value []byte) error
	// SwapState is SetState for who has seen that the fact is old (nil: there is none), in one step, so that of two who change
	// it at once neither loses what the other did. ErrChanged.
	SwapState(ctx context.Context, user, key string, old, value []byte) error
	// GetState returns nil when there is none.
	GetState(ctx context.Context, user, key string) ([]byte, error)
	// GetStates returns those of the keys that there are, in one look.
	GetStates(ctx context.Context, user string, keys ...string) (map[string][]byte, error)

	// Watch tells the node of changes to the users whose sessions it owns that others made, and of sessions that it
	// lost. At least once; changes may be merged; after a gap comes Resync. The channel closes when ctx ends.
	Watch(ctx context.Context, node string) (<-chan Change, error)
	// Close ends all goroutines of the store and waits for them; it does not close the database.
	Close() error
}
