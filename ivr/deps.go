package ivr

import (
	"context"
	"errors"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/prompts"
)

// Voice is what the dialogue speaks with. Package prompts satisfies it.
type Voice interface {
	// Text is the text of a prompt with its placeholders filled; it is used where one prompt stands inside another.
	Text(lang, id string, args prompts.Args) (string, error)
	// Say returns the sound of a prompt.
	Say(ctx context.Context, lang, id string, args prompts.Args) (prompts.Clip, error)
	// SayText returns the sound of free text.
	SayText(ctx context.Context, lang, text string) (prompts.Clip, error)
	// Earcon returns one of the short sounds "hark", "message", "voice", "tone", "ring", "tick".
	Earcon(name string) (prompts.Clip, error)
}

// A Note goes with a recording that is to be kept.
type Note struct {
	User   string        // user number of who spoke it
	Name   string        // how that user is called, or ""
	Length time.Duration // as the line recorded it
	Part   bool          // the recording broke off: there may have been more
}

// ErrGone is what Recordings return for a recording that was ours and does not exist any more.
var ErrGone = errors.New("ivr: the recording is gone")

// Recordings keeps what callers record. The audio store satisfies it through a few lines of wiring.
type Recordings interface {
	// Ready tells beforehand whether the user may make a recording; an error when there is no room for it.
	Ready(ctx context.Context, user string) error
	// Put checks, encodes and keeps the WAV file and returns the link to it. When it returns, the file behind the link
	// is on disk and can be read. The given file stays the caller's, who removes it.
	Put(ctx context.Context, file string, n Note) (im.Attachment, error)
	// Local returns the WAV file behind a link of our own, to be played and not to be removed. ok is false, without
	// an error, when the link is somebody else's. ErrGone when it is ours and the recording is not there any more.
	Local(ctx context.Context, url string) (wav string, length time.Duration, ok bool, err error)
	// PutDraft keeps the WAV file without making a link, also when Ready would say no. The file stays the caller's.
	PutDraft(ctx context.Context, file string, n Note) (id string, err error)
	// Draft returns the WAV file of a draft, to be played and not to be removed. ErrGone.
	Draft(ctx context.Context, id string) (wav string, length time.Duration, err error)
	// SendDraft makes a link of a draft, which is then none any more. ErrGone.
	SendDraft(ctx context.Context, id string, n Note) (im.Attachment, error)
	// DropDraft deletes a draft. One that is gone already is no error.
	DropDraft(ctx context.Context, id string) error
}

// Callers tells whose telephone a caller id is. A Server without it asks everybody for the user number.
type Callers interface {
	// Known returns the one user who proved this caller id and has a session that goes on; ok is false when there is
	// none, or more than one. The caller id proves nothing (T2): the PIN is asked for all the same.
	Known(ctx context.Context, caller string) (user, name string, ok bool)
}

// PINs tells how long a PIN is. A Server without it takes Settings.PINDigits for all.
type PINs interface {
	// PINDigits is how many digits every PIN has, or a negative number when that differs between users.
	PINDigits(ctx context.Context) (int, error)
}

// A Messenger is the thin client: one socket to the presence server that holds the caller's session.
// *presence.Client is one.
type Messenger interface {
	Fetch(ctx context.Context, r wire.FetchRequest) (wire.FetchReply, error)
	Ack(ctx context.Context, seq int64) error
	Heard(ctx context.Context, seqs ...int64) error
	Send(ctx context.Context, r wire.SendRequest) (wire.SendReply, error)
	Roster(ctx context.Context) ([]wire.Contact, error)
	Networks(ctx context.Context) ([]wire.ServiceEvent, error)
	Status(ctx context.Context, r wire.StatusRequest) error
	PutState(ctx context.Context, verb, key string, value any) error
	ChangeState(ctx context.Context, verb, key string, value any, change func() any) error
	GetState(ctx context.Context, verb, key string, value any) error
	GetStates(ctx context.Context, values map[string]any) error
	DropState(ctx context.Context, verb, key string) error
	Events() <-chan presence.Event
	Done() <-chan struct{}
	Close() error
}

// A Dialer finds the presence server that holds a caller's session, and logs in there.
type Dialer interface {
	Login(ctx context.Context, r wire.LoginRequest) (Messenger, wire.SessionReply, error)
	Resume(ctx context.Context, r wire.ResumeRequest) (Messenger, wire.SessionReply, error)
}

// PresenceDialer makes a Dialer of package presence's.
func PresenceDialer(d *presence.Dialer) Dialer { return presenceDialer{d} }

type presenceDialer struct{ d *presence.Dialer }

func (p presenceDialer) Login(ctx context.Context, r wire.LoginRequest) (Messenger, wire.SessionReply, error) {
	return messenger(p.d.Login(ctx, r))
}

func (p presenceDialer) Resume(ctx context.Context, r wire.ResumeRequest) (Messenger, wire.SessionReply, error) {
	return messenger(p.d.Resume(ctx, r))
}

// messenger keeps a nil *Client from becoming a Messenger that is not nil.
func messenger(c *presence.Client, reply wire.SessionReply, err error) (Messenger, wire.SessionReply, error) {
	if err != nil {
		return nil, reply, err
	}
	return c, reply, nil
}
