package ivr

import (
	"context"
	"time"

	"hark/prompts"
)

// A Dialler is a Line that can ring another telephone and connect the caller with it. Not every Line is one: over FastAGI
// and on a terminal there is no other telephone to be had, so ask with a type assertion.
//
// A Line dials whatever it is told. Whoever fills in an Endpoint has decided that the caller may go there; Trunk.Endpoint
// is what decides it in Hark (T14).
type Dialler interface {
	// Dial rings and returns when the caller is alone again, or was given away. Keys pressed meanwhile are for Listen
	// only. The error is ErrHangup when the caller hangs up, ctx's cause when that ends, ErrLine (wrapped) when the
	// switch fails; the other side is let go of in all of these. That nobody answers is no error but a DialEnd.
	Dial(ctx context.Context, d Dial) (Dialled, error)
}

// A Dial says with whom to connect a caller, and how.
type Dial struct {
	Endpoint string         // in the switch's words: "PJSIP/+4930123@trunk"
	From     string         // the number that the other side is shown; "" is the caller's own
	Connect  time.Duration  // how long it may ring; 0 is 30 s
	Max      time.Duration  // longest connection; 0 is without end
	Ringing  []prompts.Clip // what the caller hears until somebody answers, over and over; nothing is silence
	// Listen is given each key of the caller during the connection; true ends it. nil listens to none.
	Listen func(key byte) bool
	// HandOver gives the caller away: Dial returns as soon as the two are connected, and they stay so after the
	// dialogue has returned, until one of them hangs up. The call's context lasts as long.
	HandOver bool
}

// A DialEnd is how a Dial ended.
type DialEnd string

// The ends of a Dial.
const (
	DialBusy       DialEnd = "busy"
	DialNoAnswer   DialEnd = "noanswer"
	DialCongestion DialEnd = "congestion"  // the network is busy
	DialNoRoute    DialEnd = "noroute"     // the switch has no way there, or there is nobody
	DialKey        DialEnd = "key"         // Listen was satisfied
	DialFar        DialEnd = "far"         // the other side hung up
	DialMax        DialEnd = "max"         // Max was over
	DialHandedOver DialEnd = "handed over" // with HandOver: the two are connected
)

// Dialled is the outcome of a Dial.
type Dialled struct {
	End      DialEnd
	Duration time.Duration // of the connection; 0 when there was none
}
