package ivr

import (
	"context"
	"errors"

	"hark/accounts"
	"hark/presence/wire"
)

// loginNodes are the steps from the first word to the caller's messages.
func loginNodes() []*node {
	return []*node{
		{name: atAnswer, kind: passing, run: answer, next: []state{atNumber, atKnown, atRung, atArrive}},
		{name: atKnown, kind: field, run: runField, back: atNumber, help: "login.pin.help", quiet: true, intro: knownIntro,
			next:   []state{atArrive, atNumber, atAway, atEnd},
			digits: digits{prompt: "login.known", max: pinDigits, exact: true, take: takeKnown}},
		{name: atNumber, kind: field, run: runField, back: atCode, help: "login.number.help", next: []state{atPIN},
			digits: digits{prompt: "login.number", max: userDigits, hash: true, exact: true, take: takeNumber}},
		{name: atPIN, kind: field, run: runField, back: atNumber, help: "login.pin.help", quiet: true,
			next:   []state{atArrive, atNumber, atAway, atEnd},
			digits: digits{prompt: "login.pin", max: pinDigits, exact: true, take: takePIN}},
		{name: atCode, kind: field, run: runField, back: atNumber, help: "login.code.help",
			next:   []state{atArrive, atCodePIN, atAway, atEnd},
			digits: digits{prompt: "login.code", max: codeDigits, exact: true, take: takeCode}},
		{name: atCodePIN, kind: field, run: runField, back: atCode, help: "login.pin.help", quiet: true,
			next:   []state{atArrive, atCode, atAway, atEnd},
			digits: digits{prompt: "login.pin", max: pinDigits, exact: true, take: takeCodePIN}},
		{name: atAway, kind: menu, run: runMenu, back: atNumber, help: "login.away.help", intro: awayIntro,
			keys: []key{{press: "1", label: "login.away.key.1", to: atNumber}}},
	}
}

func userDigits(s Settings) int { return s.UserDigits }
func codeDigits(s Settings) int { return s.CodeDigits }

// longestPIN bounds a PIN of unknown length, which a pause ends as well as a hash: no prompt asks for one.
const longestPIN = 16

func pinDigits(s Settings) int {
	if s.PINDigits < 0 {
		return longestPIN
	}
	return s.PINDigits
}

// answer takes the call. It renders the first prompt before, so that a Hark without a voice leaves the call to the
// switch.
func answer(ctx context.Context, c *Call) (state, error) {
	hello, err := c.clip(ctx, say("welcome"))
	if err != nil {
		return "", errors.Join(errSilent, err)
	}
	if err := c.line.Answer(ctx); err != nil {
		return "", err
	}
	if c.adopt(ctx) {
		return atArrive, nil
	}
	c.learnPINs(ctx)
	if c.outbound {
		c.useLanguageOf(ctx, c.user)
		c.tell(earcon("hark"))
		return atRung, nil
	}
	c.tell(earcon("hark"), phrase{clip: &hello})
	if c.srv.Callers != nil && c.line.Caller() != "" {
		if user, name, ok := c.srv.Callers.Known(ctx, c.line.Caller()); ok {
			c.user, c.known = user, name
			return atKnown, nil
		}
	}
	return atNumber, nil
}

// knownIntro greets the owner of the caller id, who still has to prove it.
func knownIntro(c *Call) []phrase {
	if c.known == "" {
		return []phrase{say("login.back.unnamed")}
	}
	return []phrase{say("login.back", "name", c.known)}
}

// takeKnown logs the owner of the caller id in, and goes on where that one stopped.
func takeKnown(ctx context.Context, c *Call, pin string) (state, error) {
	next, err := takePIN(ctx, c, pin)
	c.greeted = c.session != nil
	c.resumed = c.session != nil && c.session.Resumed
	return next, err
}

// takeNumber keeps the user number; nothing is checked before the PIN is there too.
func takeNumber(_ context.Context, c *Call, n string) (state, error) {
	c.user = n
	return atPIN, nil
}

// learnPINs finds out once a call how long a PIN is. When that is not to be had, none needs to be that long.
func (c *Call) learnPINs(ctx context.Context) {
	if c.srv.PINs == nil {
		return
	}
	digits, err := c.srv.PINs.PINDigits(ctx)
	if err != nil {
		c.log.Warn("the length of PINs is not known", "err", err)
		digits = -1
	}
	c.set.PINDigits = digits
}

// takePIN logs in by user number and PIN.
func takePIN(ctx context.Context, c *Call, pin string) (state, error) {
	err := c.await(ctx, func(ctx context.Context) error {
		ticket, err := c.srv.Auth.Authenticate(ctx, accounts.Credentials{
			User: c.user, PIN: pin, Caller: c.line.Caller(), Door: phoneClient,
		})
		if err != nil {
			return err
		}
		client, reply, err := c.srv.Dial.Login(ctx, wire.LoginRequest{
			Ticket: ticket, Client: phoneClient, Caller: c.line.Caller(),
		})
		return c.admit(client, reply, err)
	})
	return c.verdict(ctx, err, atNumber)
}

// takeCode resumes by session number alone, which works from the telephone that it was given to. Otherwise, and after
// too many wrong ones, the PIN is asked for, with no word about why.
func takeCode(ctx context.Context, c *Call, code string) (state, error) {
	c.code = code
	if c.line.Caller() == "" || c.guesses >= c.set.Tries {
		return atCodePIN, nil
	}
	err := c.resume(ctx, wire.ResumeRequest{Code: code, Caller: c.line.Caller(), Client: phoneClient})
	if refused(err) {
		c.guesses++
		return atCodePIN, nil
	}
	return c.verdict(ctx, err, atCode)
}

// takeCodePIN resumes by session number and PIN.
func takeCodePIN(ctx context.Context, c *Call, pin string) (state, error) {
	err := c.resume(ctx, wire.ResumeRequest{Code: c.code, PIN: pin, Caller: c.line.Caller(), Client: phoneClient})
	return c.verdict(ctx, err, atCode)
}

// resume goes on with an earlier session.
func (c *Call) resume(ctx context.Context, r wire.ResumeRequest) error {
	err := c.await(ctx, func(ctx context.Context) error {
		client, reply, err := c.srv.Dial.Resume(ctx, r)
		return c.admit(client, reply, err)
	})
	c.resumed = err == nil
	return err
}

// admit takes over a connection that has just been made.
func (c *Call) admit(client Messenger, reply wire.SessionReply, err error) error {
	if err != nil {
		return err
	}
	c.session = &session{client: client, SessionReply: reply}
	return nil
}

// verdict decides how a login goes on. Every refusal sounds the same, and what was keyed meanwhile is dropped, so that
// numbers keyed in one breath are one try.
func (c *Call) verdict(ctx context.Context, err error, again state) (state, error) {
	switch {
	case err == nil:
		c.user, c.code = c.session.User, ""
		return atArrive, nil
	case ctx.Err() != nil:
		return "", err
	case !errors.Is(err, accounts.ErrRefused) && !refused(err):
		c.log.Error("login cannot be checked", "err", err)
		c.line.Flush()
		return atAway, nil
	}
	c.tries++
	if err := c.play(ctx, say("login.refused")); err != nil {
		return "", err
	}
	c.line.Flush()
	if c.tries < c.set.Tries {
		return again, nil
	}
	return atEnd, nil
}

func awayIntro(*Call) []phrase { return []phrase{say("login.away")} }
