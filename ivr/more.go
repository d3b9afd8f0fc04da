package ivr

import (
	"context"
	"errors"
	"slices"

	"hark/accounts"
	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/prompts"
)

// Profiles changes what users may change of their own account by telephone. A Server without one does not offer it.
type Profiles interface {
	// Language is the language that the user chose, "" when none.
	Language(ctx context.Context, user string) (string, error)
	// SetLanguage keeps it.
	SetLanguage(ctx context.Context, user, lang string) error
	// SetPIN gives the user another PIN; it wraps accounts.ErrBadPIN when that is too easy to guess.
	SetPIN(ctx context.Context, user, pin string) error
	// SetName changes what the user is called; it wraps accounts.ErrBadName when that is no name.
	SetName(ctx context.Context, user, name string) error
}

// moreNodes are what is behind "something else".
func moreNodes() []*node {
	languages := list{
		label: "language.key", to: atSettings,
		size: func(c *Call) int { return len(c.srv.Languages) },
		args: func(*Call, int) prompts.Args { return prompts.Args{} },
		lang: func(c *Call, i int) string { return c.srv.Languages[i] },
		take: setLanguage,
	}
	return append(nameNodes(),
		&node{name: atMore, kind: menu, run: runMenu, back: atHome, help: "more.help", next: []state{atReader}, keys: []key{
			{press: "1", label: "more.key.status", do: openStatus, to: atStatus},
			{press: "2", label: "more.key.callback", do: openCallBack, to: atCallBack, when: hasCallBacks},
			{press: "3", label: "more.key.code", do: sayCode, to: stay},
			{press: "4", label: "more.key.settings", to: atSettings},
		}},
		&node{name: atStatus, kind: menu, run: runMenu, back: atMore, help: "status.help", quiet: true, intro: statusIntro,
			said: []string{"status.available", "status.away", "status.busy", "status.invisible"},
			keys: []key{
				{press: "1", label: "status.key.1", do: setStatus(im.Available), to: atMore},
				{press: "2", label: "status.key.2", do: setStatus(im.Away), to: atMore},
				{press: "3", label: "status.key.3", do: setStatus(im.Busy), to: atMore},
				{press: "4", label: "status.key.4", do: setStatus(im.Invisible), to: atMore},
			}},
		&node{name: atSettings, kind: menu, run: runMenu, back: atMore, help: "settings.help", quiet: true, keys: []key{
			{press: "1", label: "settings.key.pin", do: startPIN, to: atNewPIN, when: hasProfiles},
			{press: "2", label: "settings.key.language", do: firstPage, to: atLanguage, when: manyLanguages},
			{press: "3", label: "settings.key.speed", do: setSpeed, to: stay, when: canPace},
			{press: "4", label: "settings.key.name", do: startName, to: atName, when: hasProfiles},
		}},
		&node{name: atLanguage, kind: menu, run: runMenu, back: atSettings, help: "language.help", quiet: true, keys: languages.keys()},
		&node{name: atNewPIN, kind: field, run: runField, back: atSettings, help: "pin.help", quiet: true,
			said: []string{"pin.new", "pin.again"}, next: []state{atNewPIN, atSettings, atEnd},
			digits: digits{prompt: "pin.old", asks: pinQuestion, max: pinDigits, exact: true, take: takeNewPIN}},
	)
}

// sayCode tells the session number.
func sayCode(_ context.Context, c *Call) (state, error) {
	c.tell(append([]phrase{say("end.code")}, dictated(c.session.Code)...)...)
	if !c.session.Until.IsZero() {
		c.tell(say("end.until", "time", prompts.Moment(c.session.Until)))
	}
	return stay, nil
}

// openStatus asks what the status is. A presence server of before cannot tell; then nothing is said of it.
func openStatus(ctx context.Context, c *Call) (state, error) {
	own := wire.StatusRequest{Show: im.Available}
	err := c.ask(ctx, func(ctx context.Context, m Messenger) error {
		return m.GetStates(ctx, map[string]any{wire.Status: &own})
	})
	if presence.HasCode(err, wire.Syntax) {
		own.Show, err = "", nil
	}
	c.show = own.Show
	return atStatus, err
}

// statusIntro tells what the status is.
func statusIntro(c *Call) []phrase {
	switch c.show {
	case im.Available:
		return []phrase{say("status.available")}
	case im.Away:
		return []phrase{say("status.away")}
	case im.Busy:
		return []phrase{say("status.busy")}
	case im.Invisible:
		return []phrase{say("status.invisible")}
	}
	return nil
}

// setStatus makes a step that publishes how available the user is.
func setStatus(show im.Show) step {
	return func(ctx context.Context, c *Call) (state, error) {
		err := c.ask(ctx, func(ctx context.Context, m Messenger) error {
			return m.Status(ctx, wire.StatusRequest{Show: show})
		})
		if err == nil {
			c.show = show
			c.tell(statusIntro(c)...)
		}
		return atMore, err
	}
}

func hasProfiles(c *Call) bool   { return c.srv.Profiles != nil }
func manyLanguages(c *Call) bool { return len(c.srv.Languages) > 1 }

func firstPage(_ context.Context, c *Call) (state, error) {
	c.page = 0
	return atLanguage, nil
}

// setLanguage speaks another language from now on, in later calls too.
func setLanguage(ctx context.Context, c *Call, i int) (state, error) {
	c.lang = c.srv.Languages[i]
	c.queue.sound = sound{}
	c.tell(say("language.set"))
	if c.srv.Profiles == nil {
		return atSettings, nil
	}
	err := c.await(ctx, func(ctx context.Context) error {
		return c.srv.Profiles.SetLanguage(ctx, c.session.User, c.lang)
	})
	if err != nil && ctx.Err() == nil {
		c.log.Warn("language not kept", "err", err)
		err = nil
	}
	return atSettings, err
}

// useLanguageOf takes the language of an account, where there is a voice for it.
func (c *Call) useLanguageOf(ctx context.Context, user string) {
	if c.srv.Profiles == nil {
		return
	}
	lang, err := c.srv.Profiles.Language(ctx, user)
	if err != nil {
		c.log.Warn("language not known", "err", err)
	}
	if slices.Contains(c.srv.Languages, lang) {
		c.lang = lang
	}
}

// setSpeed goes on to the next speed.
func setSpeed(ctx context.Context, c *Call) (state, error) {
	_, err := faster(ctx, c)
	return stay, err
}

// A pinChange is how far the change of a PIN has come. Both are forgotten when it is over.
type pinChange struct {
	proven bool   // the old one was right
	first  string // the new one as it was keyed first
}

func startPIN(_ context.Context, c *Call) (state, error) {
	c.change = pinChange{}
	return atNewPIN, nil
}

// pinQuestion is the prompt of the step at hand.
func pinQuestion(c *Call) string {
	switch {
	case !c.change.proven:
		return "pin.old"
	case c.change.first == "":
		return "pin.new"
	}
	return "pin.again"
}

// takeNewPIN takes the old PIN, since a session number opens a session without one, and then the new one twice.
func takeNewPIN(ctx context.Context, c *Call, pin string) (state, error) {
	switch {
	case !c.change.proven:
		return c.provePIN(ctx, pin)
	case len(pin) < c.set.PINDigits:
		return help, nil
	case c.change.first == "":
		c.change.first = pin
		return startAgain, nil
	case c.change.first != pin:
		c.change.first = ""
		c.tell(say("pin.differ"))
		return startAgain, nil
	}
	c.change = pinChange{proven: true}
	err := c.await(ctx, func(ctx context.Context) error { return c.srv.Profiles.SetPIN(ctx, c.session.User, pin) })
	switch {
	case errors.Is(err, accounts.ErrBadPIN):
		c.tell(say("pin.easy"))
		return startAgain, nil
	case err != nil:
		return "", err
	}
	c.change = pinChange{}
	c.tell(say("pin.set"))
	return atSettings, nil
}

// provePIN checks the old PIN; wrong ones count as in a login.
func (c *Call) provePIN(ctx context.Context, pin string) (state, error) {
	err := c.await(ctx, func(ctx context.Context) error {
		_, err := c.srv.Auth.Authenticate(ctx, accounts.Credentials{
			User: c.session.User, PIN: pin, Caller: c.line.Caller(), Door: phoneClient,
		})
		return err
	})
	switch {
	case err == nil:
		c.change.proven = true
		return startAgain, nil
	case !errors.Is(err, accounts.ErrRefused):
		return "", err
	}
	if err := c.play(ctx, say("login.refused")); err != nil {
		return "", err
	}
	c.line.Flush()
	if c.tries++; c.tries < c.set.Tries {
		return startAgain, nil
	}
	return atEnd, nil
}
