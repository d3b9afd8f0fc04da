package ivr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"hark/accounts"
)

// A Server holds what every call needs. Its fields are set before the first call and not changed afterwards; Handle
// may be called from any number of goroutines.
type Server struct {
	Auth       accounts.Authenticator
	Dial       Dialer
	Voice      Voice
	Recordings Recordings
	Log        *slog.Logger // nil logs nothing
	Language   string       // of the prompts; "" is "en"
	Languages  []string     // that callers may choose: those with texts and a voice; nil does not offer any
	Profiles   Profiles     // nil: callers cannot change their PIN, and their language is not kept
	Phones     Phones       // nil: no user can be rung up
	CallBacks  CallBacks    // nil: Hark calls nobody back
	Memory     Memory       // nil: a call that outlives this process begins anew at the next one
	Callers    Callers      // nil: nobody is known by the caller id
	PINs       PINs         // nil: every PIN has Settings.PINDigits
	Settings   Settings

	trace func(line Line, at state) // for tests: called on entering a state
}

// Settings are the times and lengths of the dialogue. A zero field has the default that its comment names.
type Settings struct {
	MenuFirst    time.Duration // wait for the key of a menu: 5 s
	FieldFirst   time.Duration // wait for the first digit of a number: 8 s
	Between      time.Duration // wait between two digits: 3 s
	Trail        time.Duration // wait for the hash behind a number that is whole, where a prompt asks for it: 700 ms
	Letter       time.Duration // without a key, ends a letter that is spelled: 1 s
	OptionPause  time.Duration // between the options of a menu with more than three: 600 ms
	Quiet        time.Duration // between two messages that are read: 1.2 s
	Silence      time.Duration // ends a recording: 4 s
	MaxRecording time.Duration // 180 s
	Tick         time.Duration // before the end of MaxRecording, the caller is warned of it: 10 s
	MinRecording time.Duration // less is "too short", and dropped at hang-up: 2 s
	Seek         time.Duration // a step back or forward in a voice message: 5 s
	OneMoment    time.Duration // a wait longer than this is explained: 2 s
	Patience     time.Duration // a wait longer than this is given up: 10 s
	Reconnect    time.Duration // how long a lost presence server is tried for: 5 s
	Ring         time.Duration // how long somebody else's telephone rings: 30 s
	Talk         time.Duration // longest connection with somebody else: 1 h
	Farewell     time.Duration // how long keeping draft and place may take after the hang-up: 5 s
	UserDigits   int           // length of a user number: 7
	PINDigits    int           // length of a PIN, which then needs no hash: 6; negative when it differs, and a hash or a pause ends it
	CodeDigits   int           // length of a session number: 9
	Tries        int           // failed logins until the call ends: 3
}

// withDefaults fills the zero fields.
func (s Settings) withDefaults() Settings {
	or(&s.MenuFirst, 5*time.Second)
	or(&s.FieldFirst, 8*time.Second)
	or(&s.Between, 3*time.Second)
	or(&s.Trail, 700*time.Millisecond)
	or(&s.Letter, time.Second)
	or(&s.OptionPause, 600*time.Millisecond)
	or(&s.Quiet, 1200*time.Millisecond)
	or(&s.Silence, 4*time.Second)
	or(&s.MaxRecording, 180*time.Second)
	or(&s.Tick, 10*time.Second)
	or(&s.MinRecording, 2*time.Second)
	or(&s.Seek, 5*time.Second)
	or(&s.OneMoment, 2*time.Second)
	or(&s.Patience, 10*time.Second)
	or(&s.Reconnect, 5*time.Second)
	or(&s.Ring, 30*time.Second)
	or(&s.Talk, time.Hour)
	or(&s.Farewell, 5*time.Second)
	or(&s.UserDigits, 7)
	or(&s.PINDigits, 6)
	or(&s.CodeDigits, 9)
	or(&s.Tries, 3)
	return s
}

// or sets *field to def when it is zero.
func or[T comparable](field *T, def T) {
	var zero T
	if *field == zero {
		*field = def
	}
}

// errSilent is why a call is refused before it is answered: not even the first prompt can be spoken.
var errSilent = errors.New("ivr: no voice to speak with")

// Handle runs one call to its end and returns when nothing of it runs any more. It answers the line and hangs it up.
//
// ctx ends with cause ErrHangup when the caller hangs up, which is no error; with any other cause when the call must
// stop, and that cause is returned. The caller's session at the presence server outlives the call in every case, and
// so do the place in the messages and a recording that was not sent.
//
// When the line was never answered, because not even the first prompt can be spoken, Handle returns an error and has
// not touched the line: the switch can then play what it has for that case.
func (s *Server) Handle(ctx context.Context, line Line) error { return newCall(s, line).handle(ctx) }

// handle runs the call; see Server.Handle.
func (c *Call) handle(ctx context.Context) (err error) {
	defer c.leave(ctx)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ivr: panic in state %s: %v", c.at, p)
			c.log.Error("panic in a call", "state", c.at, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			c.apologise(ctx)
		}
	}()
	err = c.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, ErrHangup) {
		return nil
	}
	return err
}
