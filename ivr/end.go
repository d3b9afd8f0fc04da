package ivr

import (
	"context"
	"strings"

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
		return done, c.play(ctx, say("login.bye"))
	}
	if c.keepRecording(ctx) {
		c.tell(say("end.recording"))
	}
	return done, c.play(ctx, append([]phrase{say("giveup")}, c.goodbye()...)...)
}

// goodbye is the session number and the last word.
func (c *Call) goodbye() []phrase {
	return []phrase{say("end.code", "code", grouped(c.session.Code)), say("end.goodbye")}
}

// lost ends a call whose presence server is gone.
func lost(ctx context.Context, c *Call) (state, error) {
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

// grouped sets a session number in groups of three, as it is spoken.
func grouped(code string) prompts.Digits {
	var groups []string
	for len(code) > 3 {
		groups = append(groups, code[:3])
		code = code[3:]
	}
	return prompts.Digits(strings.Join(append(groups, code), " "))
}
