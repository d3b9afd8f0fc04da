// Package sipphone is a SIP telephone: it dials or is called, sends keys as RFC 4733 events, speaks sound files into the
// call, keeps what it hears, and recognises known prompts in it.
//
// Tests, the demo, the benches and "hark call" use it. It speaks SIP (RFC 3261) over UDP, and RTP (RFC 3550) with PCMU or
// PCMA and telephone-event. It knows no ICE, no SRTP and no transfer: it is made for a switch that stands near.
package sipphone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Rate is the sample rate of everything that is heard and spoken, in Hz.
const Rate = 8000

var (
	// ErrHungUp is the cause with which a call ends when the other side hangs up.
	ErrHungUp = errors.New("sipphone: the other side hung up")
	// ErrEnded is the cause with which a call ends that we hung up, and what its methods return afterwards.
	ErrEnded = errors.New("sipphone: the call is over")
)

// Options tells whom to call and how.
type Options struct {
	// To is whom to call, as in "sip:7000@127.0.0.1:5060".
	To string
	// CallerID is the number (or name) that the called side sees; "" is "sipphone".
	CallerID string
	// Codec is "pcmu" (the default) or "pcma".
	Codec string
	// Local is the address to call from, "host" or "host:port"; "" is the one that leads to the called side. Only Dial
	// looks at it: a Phone has its own.
	Local string
	// User and Password answer a challenge of the called side (RFC 8760 digest). Without a password a challenge fails.
	User, Password string
	// Quiet sends no silence while there is nothing to say, but for one packet at the start, and tells the beginning and
	// the end of a key once each. Many calls cost less so; NATs, timers and networks that lose packets may mind.
	Quiet bool
	// Lazy lets sound wait for up to 160 ms before it is heard, all but the first packet, and does not measure gaps. Many
	// calls cost less so. It is for IPv4.
	Lazy bool
	// Deaf counts what comes in, but does not keep it.
	Deaf bool
	// Sound, when not nil, is handed each sound packet as it comes in, before anything else happens to it. It is called from
	// the call's own goroutine and must not keep the samples. A Deaf call decodes nothing and does not call it.
	Sound func(at time.Time, samples []int16)
	// Refuse, when not nil, is asked of each call that comes in, with the number that was dialled: 0 answers it, Ringing lets
	// it ring until the other side gives up, any other SIP status refuses it. Only Listen looks at it. Any goroutine may
	// call it.
	Refuse func(number string) (code int)
	// MaxHeard is how much is kept of what is heard, from the start of the call; 0 is 10 minutes.
	MaxHeard time.Duration
	// Log gets the SIP stack's complaints. Never keys. nil discards.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.CallerID == "" {
		o.CallerID = "sipphone"
	}
	if o.MaxHeard <= 0 {
		o.MaxHeard = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Dial calls from a telephone of its own, and returns when the other side has answered. Whoever called Dial must end
// the call with Hangup, also when the other side hung up first. An error that wraps *Refused tells the other side's
// answer; when ctx ends first, the call is cancelled.
func Dial(ctx context.Context, o Options) (*Call, error) {
	o = o.withDefaults()
	local, err := localFor(o.Local, o.To)
	if err != nil {
		return nil, err
	}
	phone, err := NewPhone(PhoneOptions{Local: local, Log: o.Log})
	if err != nil {
		return nil, err
	}
	call, err := phone.Dial(ctx, o)
	if err != nil {
		return nil, errors.Join(err, phone.Close())
	}
	call.ownPhone = phone
	return call, nil
}

// Refused is what the other side said instead of answering.
type Refused struct {
	Code   int // the SIP status
	Reason string
}

// Error tells status and reason.
func (r *Refused) Error() string { return fmt.Sprintf("sipphone: refused: %d %s", r.Code, r.Reason) }

// localFor returns the address to bind: what is asked for, or the one that leads to the called side.
func localFor(local, to string) (string, error) {
	if local != "" {
		return local, nil
	}
	var uri sip.Uri
	if err := sip.ParseUri(to, &uri); err != nil {
		return "", fmt.Errorf("sipphone: %q: %w", to, err)
	}
	conn, err := net.Dial("udp", net.JoinHostPort(uri.Host, "9")) // sends nothing
	if err != nil {
		return "", fmt.Errorf("sipphone: no way to %s: %w", uri.Host, err)
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}
