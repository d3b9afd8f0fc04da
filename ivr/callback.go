package ivr

import (
	"context"
	"errors"
	"strconv"
	"time"

	"hark/prompts"
)

// ErrTooOften is what CallBacks return when a user may have no more calls made today.
var ErrTooOften = errors.New("ivr: no more calls are made today")

// A CallBack is how a user wants to be called when a message comes.
type CallBack struct {
	Number  string // of the telephone, "" when the user named none
	Proven  bool   // the user's PIN was keyed in a call that Hark made to it
	Testing bool   // that call is still to be made
	On      bool   // it is called when a message comes
	// QuietFrom and QuietTo are hours of the day, 0 to 23, between which it is not called; the same twice is no such time.
	QuietFrom, QuietTo int
	Daily              int // most calls a day
}

// CallBacks keeps at which telephone users want to be called.
type CallBacks interface {
	// CallBack returns what is kept for a user.
	CallBack(ctx context.Context, user string) (CallBack, error)
	// SetCallBack keeps all of it but Number, Proven and Testing.
	SetCallBack(ctx context.Context, user string, b CallBack) error
	// Test has a number called once, when the user has hung up, so that the user can prove it. ErrNoWay, ErrTooOften.
	Test(ctx context.Context, user, number string) error
	// Prove notes that the user's PIN was keyed in a call that Hark made to the number. fresh tells that this was news;
	// the user is called there from then on.
	Prove(ctx context.Context, user, number string) (fresh bool, err error)
	// Deny notes that who answers there is not the user: it is not called again.
	Deny(ctx context.Context, user, number string) error
}

// Ring runs a call that Hark made to a telephone of the user's, from when it was answered; see Handle. Nothing is said of
// any message before the PIN is there. name is how the user is called, "" when that is not known.
func (s *Server) Ring(ctx context.Context, line Line, user, name string) error {
	c := newCall(s, line)
	c.user, c.known, c.outbound = user, name, true
	return c.handle(ctx)
}

// mostDaily is how many calls a day a user can wish for.
const mostDaily = 20

// callBackNodes are calls that Hark makes, and their settings.
func callBackNodes() []*node {
	return []*node{
		{name: atRung, kind: field, run: runField, back: atEnd, help: "callback.help", quiet: true, intro: rungIntro,
			next: []state{atArrive, atAway, atEnd}, said: []string{"callback.for", "callback.denied", "callback.proven"},
			digits: digits{prompt: "callback.pin", max: pinDigits, take: takeRung}},
		{name: atCallBack, kind: menu, run: runMenu, back: atMore, help: "callback.menu.help", quiet: true, intro: callBackIntro,
			said: []string{"callback.none", "callback.testing", "callback.unproven", "callback.on", "callback.off", "callback.silent"},
			keys: []key{
				{press: "1", label: "callback.key.on", do: switchCallBack(true), to: stay, when: isOff},
				{press: "1", label: "callback.key.off", do: switchCallBack(false), to: stay, when: isOn},
				{press: "2", label: "callback.key.number", to: atRingNumber},
				{press: "3", label: "callback.key.quiet", to: atQuiet, when: hasNumber},
				{press: "4", label: "callback.key.daily", to: atDaily, when: hasNumber},
			}},
		{name: atRingNumber, kind: field, run: runField, back: atCallBack, help: "callback.number.help", quiet: true,
			next: []state{atCallBack}, said: []string{"callback.noway", "callback.often"},
			digits: digits{prompt: "callback.number", max: longestNumber, hash: true, take: testNumber, empty: testOwnNumber}},
		{name: atQuiet, kind: field, run: runField, back: atCallBack, help: "callback.quiet.help", quiet: true,
			next: []state{atCallBack}, said: []string{"callback.hour"},
			digits: digits{prompt: "callback.quiet", max: func(Settings) int { return 4 }, exact: true, take: takeQuiet, empty: noQuiet}},
		{name: atDaily, kind: field, run: runField, back: atCallBack, help: "callback.daily.help", quiet: true,
			next: []state{atCallBack}, said: []string{"callback.many"},
			digits: digits{prompt: "callback.daily", max: func(Settings) int { return 2 }, hash: true, take: takeDaily}},
	}
}

func longestNumber(Settings) int { return mostDigits }

func hasCallBacks(c *Call) bool { return c.srv.CallBacks != nil }
func hasNumber(c *Call) bool    { return c.back.Number != "" }
func isOn(c *Call) bool         { return c.back.Proven && c.back.On }
func isOff(c *Call) bool        { return c.back.Proven && !c.back.On }

// rungIntro tells who answers for whom the call is, and no more.
func rungIntro(c *Call) []phrase {
	if c.known == "" {
		return []phrase{say("welcome")}
	}
	return []phrase{say("callback.for", "name", c.known)}
}

// notMe is the key of who answers and is not the user. No PIN is that short.
const notMe = "9"

// takeRung lets the user in, who proves the telephone by that.
func takeRung(ctx context.Context, c *Call, digits string) (state, error) {
	switch {
	case digits == notMe:
		return c.deny(ctx)
	case len(digits) < c.set.PINDigits:
		return help, nil
	}
	next, err := takePIN(ctx, c, digits)
	if next == atNumber { // wrong
		return startAgain, err
	}
	if c.session != nil {
		c.greeted = true
		c.prove(ctx)
	}
	return next, err
}

// deny ends a call that went to the wrong one.
func (c *Call) deny(ctx context.Context) (state, error) {
	if c.srv.CallBacks != nil {
		if err := c.srv.CallBacks.Deny(ctx, c.user, c.line.Caller()); err != nil {
			return "", err
		}
	}
	c.tell(say("callback.denied"))
	return atEnd, nil
}

// prove notes that the telephone is the user's.
func (c *Call) prove(ctx context.Context) {
	if c.srv.CallBacks == nil {
		return
	}
	fresh, err := c.srv.CallBacks.Prove(ctx, c.session.User, c.line.Caller())
	if err != nil {
		c.log.Warn("a telephone that was proven is not noted", "err", err)
	} else if fresh {
		c.tell(say("callback.proven"))
	}
}

// openCallBack loads the settings.
func openCallBack(ctx context.Context, c *Call) (state, error) {
	return atCallBack, c.await(ctx, func(ctx context.Context) (err error) {
		c.back, err = c.srv.CallBacks.CallBack(ctx, c.session.User)
		return err
	})
}

// callBackIntro tells what is set.
func callBackIntro(c *Call) []phrase {
	number := prompts.Digits(c.back.Number)
	switch {
	case c.back.Number == "":
		return []phrase{say("callback.none")}
	case c.back.Testing:
		return []phrase{say("callback.testing", "number", number)}
	case !c.back.Proven:
		return []phrase{say("callback.unproven", "number", number)}
	case !c.back.On:
		return []phrase{say("callback.off", "number", number)}
	}
	list := []phrase{say("callback.on", "number", number, "count", c.back.Daily)}
	if c.back.QuietFrom != c.back.QuietTo {
		list = append(list, say("callback.silent", "from", oClock(c.back.QuietFrom), "to", oClock(c.back.QuietTo)))
	}
	return list
}

// oClock is a whole hour of the day.
func oClock(hour int) prompts.Clock {
	return prompts.Clock(time.Date(2000, 1, 1, hour, 0, 0, 0, time.UTC))
}

// switchCallBack makes a step that switches the calls on or off.
func switchCallBack(on bool) step {
	return func(ctx context.Context, c *Call) (state, error) {
		return startAgain, c.setCallBack(ctx, func(b *CallBack) { b.On = on })
	}
}

// setCallBack changes one of the settings. The others are read anew: the web may have changed them since.
func (c *Call) setCallBack(ctx context.Context, change func(*CallBack)) error {
	return c.await(ctx, func(ctx context.Context) error {
		b, err := c.srv.CallBacks.CallBack(ctx, c.session.User)
		if err != nil {
			return err
		}
		change(&b)
		c.back = b
		return c.srv.CallBacks.SetCallBack(ctx, c.session.User, b)
	})
}

// testOwnNumber takes the number that this call comes from.
func testOwnNumber(ctx context.Context, c *Call) (state, error) {
	return testNumber(ctx, c, c.line.Caller())
}

// testNumber has a number called after this call, where the PIN proves it.
func testNumber(ctx context.Context, c *Call, number string) (state, error) {
	err := c.await(ctx, func(ctx context.Context) error { return c.srv.CallBacks.Test(ctx, c.session.User, number) })
	switch {
	case errors.Is(err, ErrNoWay):
		c.tell(say("callback.noway"))
		return stay, nil
	case errors.Is(err, ErrTooOften):
		c.tell(say("callback.often"))
		return atCallBack, nil
	case err != nil:
		return "", err
	}
	return openCallBack(ctx, c)
}

// takeQuiet takes two hours of the day, "2207".
func takeQuiet(ctx context.Context, c *Call, digits string) (state, error) {
	from, _ := strconv.Atoi(digits[:len(digits)/2])
	to, _ := strconv.Atoi(digits[len(digits)/2:])
	if len(digits) != 4 || from > 23 || to > 23 {
		c.tell(say("callback.hour"))
		return stay, nil
	}
	return atCallBack, c.setCallBack(ctx, func(b *CallBack) { b.QuietFrom, b.QuietTo = from, to })
}

// noQuiet lets the user be called at any time.
func noQuiet(ctx context.Context, c *Call) (state, error) {
	return atCallBack, c.setCallBack(ctx, func(b *CallBack) { b.QuietFrom, b.QuietTo = 0, 0 })
}

// takeDaily takes the most calls a day.
func takeDaily(ctx context.Context, c *Call, digits string) (state, error) {
	most, _ := strconv.Atoi(digits)
	if most < 1 || most > mostDaily {
		c.tell(say("callback.many"))
		return stay, nil
	}
	return atCallBack, c.setCallBack(ctx, func(b *CallBack) { b.Daily = most })
}

// Quiet tells whether the time of day is one in which the user is not called.
func (b CallBack) Quiet(now time.Time) bool {
	hour := now.Hour()
	if b.QuietFrom <= b.QuietTo {
		return b.QuietFrom <= hour && hour < b.QuietTo
	}
	return hour >= b.QuietFrom || hour < b.QuietTo
}
