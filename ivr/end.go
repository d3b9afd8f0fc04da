package ivr

import (
	"context"
	"time"

	"hark/prompts"
)

// endNodes are the ways in which Hark ends a call.
func endNodes() []*node {
	return []*node{
		{name: atEnd, kind: passing, run: end, next: []state{done}},
		{name: atGiveUp, kind: passing, run: giveUp, next: []state{done}},
		{name: atLost, kind: passing, run: lost, next: []state{done}},
		{name: atSorry, kind: passing, run: sorry, next: []state{atHome, atNumber}},
	}
}

// end says goodbye at the caller's wish, or after too many refused logins.
func end(ctx context.Context, c *Call) (state, error) {
	if c.session == nil {
		bye := say("end.goodbye")
		if c.tries >= c.set.Tries {
			bye = say("login.goodbye")
		}
		return done, c.play(ctx, bye)
	}
	if c.keepRecording(ctx) {
		c.tell(say("end.recording"))
	}
	return done, c.play(ctx, append([]phrase{say("end.place")}, c.goodbye()...)...)
}

// giveUp ends a call in which no good key was heard for long.
func giveUp(ctx context.Context, c *Call) (state, error) {
	if c.session == nil {
		return done, c.play(ctx, c.noLogin())
	}
	if c.keepRecording(ctx) {
		c.tell(say("end.recording"))
	}
	return done, c.play(ctx, append([]phrase{say("giveup")}, c.goodbye()...)...)
}

// noLogin is the last word to who did not log in, and maybe cannot: some telephones send no keys.
func (c *Call) noLogin() phrase {
	switch {
	case c.outbound:
		return say("end.goodbye")
	case c.keyed:
		return say("login.goodbye")
	}
	return say("login.bye")
}

// goodbye is the session number and the last word.
func (c *Call) goodbye() []phrase {
	list := append([]phrase{say("end.code")}, dictated(c.session.Code)...)
	if !c.session.Until.IsZero() {
		list = append(list, say("end.until", "time", prompts.Moment(c.session.Until)))
	}
	return append(list, say("end.goodbye"))
}

// lost ends a call whose presence server is gone, or has no session for it any more. leave tries once more to keep a
// recording in hand; nobody can be told how that came out.
func lost(ctx context.Context, c *Call) (state, error) {
	switch {
	case c.unsent():
		return done, c.play(ctx, say("lost.recording"))
	case c.over:
		return done, c.play(ctx, say("lost.over"))
	}
	return done, c.play(ctx, say("lost"))
}

// sorry goes on after a failure that the caller should know of.
func sorry(_ context.Context, c *Call) (state, error) {
	c.tell(say("sorry"))
	if c.session == nil {
		return atNumber, nil
	}
	return atHome, nil
}

// Between the digits of a number that is to be written down, and between its groups of three.
const (
	digitPause = 150 * time.Millisecond
	groupPause = 500 * time.Millisecond
)

// dictated says a number slowly enough to be written down. Each digit is a prompt of its own, so that nothing has
// to be rendered first.
func dictated(number string) (list []phrase) {
	for i, digit := range number {
		p := say("digit." + string(digit))
		p.pause = digitPause
		if i%3 == 2 {
			p.pause = groupPause
		}
		list = append(list, p)
	}
	return list
}
