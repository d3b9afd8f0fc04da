package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hark/internal/sipphone"
	"hark/internal/xmpppeer"
	"hark/prompts"
)

// What is said and shown in the demo.
const (
	benAsks    = "The train leaves at ten past five."
	benAnswers = "See you at six."
	carlaTone  = 660.0 // Hz, Carla's voice message to Ana
	anaTone    = 440.0 // Ana's answer to Ben
	anaTone2   = 550.0 // Ana's voice message to Carla
)

// A play is the demo on its way.
type play struct {
	*system
	lab        *lab
	voice      voice
	ana, carla user
	ben        *xmpppeer.Peer
	session    string // Ana's session number, as she heard it
	started    time.Time
}

// demo plays the main job from both ends and fails if any step is missing.
func demo(ctx context.Context, l *lab, _ []string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	p := &play{lab: l, started: time.Now()}
	p.scene("Starting Prosody, Asterisk and Hark on loopback")
	if p.system, err = l.start(ctx); err != nil {
		return err
	}
	err = errors.Join(p.perform(ctx), p.stop())
	if err == nil {
		fmt.Fprintf(l.out, "\nEverything happened. Nothing is left running. %v in all.\n", time.Since(p.started).Round(time.Second))
	}
	return err
}

// perform plays the scenes in order.
func (p *play) perform(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return err
	}
	defer p.ben.Close()
	for _, scene := range []func(context.Context) error{
		p.carlaLeavesVoice, p.benWrites, p.anaListensAndAnswers, p.benFollowsLink, p.carlaHears, p.benWritesBack, p.anaGoesOn, p.anaOnTheWeb,
	} {
		if err := scene(ctx); err != nil {
			return fmt.Errorf("%w\n(hark's log is %s; keep it with -keep)", err, p.log)
		}
	}
	return nil
}

func (p *play) scene(title string) {
	fmt.Fprintf(p.lab.out, "\n[%5.1f s] %s\n", time.Since(p.started).Seconds(), title)
}

func (p *play) tell(who, format string, args ...any) {
	fmt.Fprintf(p.lab.out, "  %-6s %s\n", who, fmt.Sprintf(format, args...))
}

// prepare makes the users, and logs Ben in with a client of his own.
func (p *play) prepare(ctx context.Context) (err error) {
	if p.ana, err = p.addUser(ctx, "Ana", "ana@localhost", xmppUsers["ana"]); err != nil {
		return err
	}
	if p.carla, err = p.addUser(ctx, "Carla", "", ""); err != nil {
		return err
	}
	p.tell("", "Ana has user number %s and logs in at the XMPP server as ana@localhost; Carla has %s.", p.ana.Number, p.carla.Number)
	if err := p.startHark(ctx); err != nil {
		return err
	}
	if p.voice, err = newVoice(ctx, speechCache(p.dir)); err != nil {
		return err
	}
	p.ben, err = xmpppeer.Login(ctx, p.prosody.Addr, "ben@localhost", xmppUsers["ben"])
	return err
}

// with runs one call and hangs up after it.
func (p *play) with(ctx context.Context, u user, callerID string, do func(*caller)) error {
	c, err := p.dial(ctx, p.voice, u.Name, callerID, p.lab.out)
	if err != nil {
		return err
	}
	do(c)
	c.hangsUp(ctx)
	return c.err
}

// login keys number and PIN.
func login(ctx context.Context, c *caller, u user) {
	c.hears(ctx, "login.number", nil)
	c.presses(ctx, u.Number+"#", u.Number+" #")
	c.hears(ctx, "login.pin", nil)
	c.presses(ctx, u.PIN, "the PIN")
}

// sendVoice records a tone for somebody by user number, from the main menu.
func sendVoice(ctx context.Context, c *caller, to user, hz float64) {
	c.presses(ctx, "2", "2, to send a message")
	c.hears(ctx, "who", nil)
	c.presses(ctx, to.Number+"#", to.Number+" #")
	c.hears(ctx, "who.key.1", nil)
	c.presses(ctx, "1", "1")
	recordVoice(ctx, c, hz)
}

// recordVoice records a tone and sends it.
func recordVoice(ctx context.Context, c *caller, hz float64) {
	c.records(ctx, hz)
	c.hears(ctx, "review.key.1", nil)
	c.presses(ctx, "1", "1")
	c.hears(ctx, "sent", nil)
}

func (p *play) carlaLeavesVoice(ctx context.Context) error {
	p.scene("Carla calls and sends Ana, who has no session yet, a voice message")
	return p.with(ctx, p.carla, "5550003", func(c *caller) {
		login(ctx, c, p.carla)
		c.hears(ctx, "home.none", nil)
		sendVoice(ctx, c, p.ana, carlaTone)
	})
}

func (p *play) benWrites(ctx context.Context) error {
	p.scene("Ben writes to Ana from an ordinary XMPP client; she is not online")
	p.tell("Ben", "✉  writes %q", benAsks)
	return p.ben.Say(ctx, "ana@localhost", "demo-1", benAsks)
}

func (p *play) anaListensAndAnswers(ctx context.Context) error {
	p.scene("Ana calls, hears both messages, answers Ben by voice, and sends Carla a voice message")
	return p.keep(ctx, p.ana, "5550001", "ana", func(c *caller) {
		login(ctx, c, p.ana)
		c.hears(ctx, "home.new", prompts.Args{"count": 2})
		c.presses(ctx, "1", "1, to hear them")
		c.hearsTone(ctx, carlaTone, 2*time.Second)
		c.hearsText(ctx, benAsks)
		c.presses(ctx, "1", "1, to answer by voice")
		c.records(ctx, anaTone)
		c.hears(ctx, "review.key.1", nil)
		c.presses(ctx, "1", "1")
		c.hears(ctx, "sent", nil)
		c.presses(ctx, "*", "*, for the main menu")
		c.hears(ctx, "home.none", nil)
		c.presses(ctx, "2"+p.carla.Number+"#1", "2 "+p.carla.Number+" # 1, to send Carla a message: keys need not wait for prompts")
		recordVoice(ctx, c, anaTone2)
		p.session = hearsNumber(ctx, c)
	})
}

// hearsNumber ends the call with 9 and returns the session number that is told then. Each is good for one call.
func hearsNumber(ctx context.Context, c *caller) string {
	c.presses(ctx, "9", "9, to end the call")
	c.hears(ctx, "end.place", nil)
	c.hears(ctx, "end.code", nil)
	from := max(0, len(c.call.Heard())-sipphone.Rate/2) // the first digit may have begun before the word was understood
	c.hears(ctx, "end.goodbye", nil)
	number := c.understandsDigits(ctx, from, 9)
	c.ends(ctx)
	return number
}

// benFollowsLink shows that the link holds what Ana spoke.
func (p *play) benFollowsLink(ctx context.Context) error {
	p.scene("Ben's client gets the link and follows it over HTTP")
	m, err := p.nextForBen(ctx)
	if err != nil {
		return err
	}
	link := m.Link
	if link == "" {
		return fmt.Errorf("the message to Ben has no link: %q", m.Body)
	}
	p.tell("Ben", "✉  receives from %s: %s", m.From.Bare(), m.Body)
	if err := p.showPage(ctx, link); err != nil {
		return err
	}
	return p.measure(ctx, link)
}

// showPage shows the page behind a link, in which there must be a player with all forms.
func (p *play) showPage(ctx context.Context, link string) error {
	page, kind, err := fetch(ctx, link, "text/html")
	if err != nil {
		return err
	}
	shown, err := readPage(page)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(kind, "text/html") || shown.sources != 3 {
		return fmt.Errorf("the link shows no player with three forms but %s with %d", kind, shown.sources)
	}
	p.tell("Ben", "🔗 opens it in a browser, and sees a page of %d bytes:", len(page))
	for _, line := range shown.lines {
		p.tell("", "   ┃ %s", line)
	}
	return nil
}

// measure decodes the MP3 behind a link and compares it with what was spoken.
func (p *play) measure(ctx context.Context, link string) error {
	file, kind, err := fetch(ctx, link, "")
	if err != nil {
		return err
	}
	samples, rate, err := decodeMP3(file)
	if err != nil {
		return fmt.Errorf("%s is no MP3: %w", kind, err)
	}
	hz, _ := sipphone.ToneFrequency(samples, rate)
	took := length(samples, rate)
	p.tell("Ben", "🔗 downloads %s, %d bytes: %.2f s, a tone of %.1f Hz", kind, len(file), took.Seconds(), hz)
	if !near(hz, anaTone) || took < 2800*time.Millisecond || took > 3300*time.Millisecond {
		return fmt.Errorf("that is not the %.0f Hz for 3 s that Ana spoke", anaTone)
	}
	return nil
}

// nextForBen is the next message that Ben's client shows.
func (p *play) nextForBen(ctx context.Context) (xmpppeer.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	select {
	case m, ok := <-p.ben.Messages():
		if !ok {
			return m, io.ErrUnexpectedEOF
		}
		return m, nil
	case <-ctx.Done():
		return xmpppeer.Message{}, errors.New("nothing arrived at Ben's")
	}
}

func (p *play) carlaHears(ctx context.Context) error {
	p.scene("Carla calls again and hears Ana's recording itself")
	return p.with(ctx, p.carla, "5550003", func(c *caller) {
		c.presses(ctx, p.carla.Number+"#", p.carla.Number+" #, ahead of the prompts: she knows the way")
		c.presses(ctx, p.carla.PIN, "the PIN")
		c.hears(ctx, "home.new", prompts.Args{"count": 1})
		c.presses(ctx, "1", "1, to hear it")
		c.hearsTone(ctx, anaTone2, 2*time.Second)
	})
}

// benWritesBack shows that hanging up was no logout.
func (p *play) benWritesBack(ctx context.Context) error {
	p.scene("Ana has hung up; Ben writes back, and the XMPP server still has her online")
	p.tell("Ben", "✉  writes %q", benAnswers)
	if err := p.ben.Say(ctx, "ana@localhost", "demo-2", benAnswers); err != nil {
		return err
	}
	history, err := p.prosody.History("ana@localhost")
	if err != nil {
		return err
	}
	p.tell("XMPP", "✉  the server's log: ana@localhost logged in %d×, sessions ended %d×", history.Logins, history.Ended)
	if history.Logins != 1 || history.Ended != 0 {
		return errors.New("the login of Ana did not stay")
	}
	return nil
}

func (p *play) anaGoesOn(ctx context.Context) error {
	p.scene("Ana dials again, keys the session number instead of a PIN, and hears what waited")
	err := p.with(ctx, p.ana, "5550001", func(c *caller) {
		c.hears(ctx, "login.number", nil)
		c.presses(ctx, "*", "*")
		c.hears(ctx, "login.code", nil)
		c.presses(ctx, p.session, p.session+", the session number")
		c.hears(ctx, "home.new", prompts.Args{"count": 1})
		c.presses(ctx, "1", "1, to hear it")
		c.hearsText(ctx, benAnswers)
		p.session = hearsNumber(ctx, c)
	})
	if err != nil {
		return err
	}
	history, err := p.prosody.History("ana@localhost")
	if err == nil && (history.Logins != 1 || history.Ended != 0) {
		err = errors.New("the second call made a new login")
	}
	p.tell("XMPP", "✉  the server's log: ana@localhost logged in %d×: it is the same session", history.Logins)
	return err
}
