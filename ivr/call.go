package ivr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"hark/im"
	"hark/presence/wire"
)

// A Call is one telephone call on its walk through the dialogue. It belongs to the goroutine of Server.Handle.
type Call struct {
	srv  *Server
	set  Settings
	line Line
	log  *slog.Logger
	lang string
	tree dialogue

	at      state    // where the call is
	node    *node    // the same, declared
	asides  []phrase // said before the next prompt, and in one piece with it
	trouble int      // failures in a row
	spare   spareHash
	keyed   bool // keys came in this state

	user     string // what was keyed at login
	code     string
	tries    int      // refused logins
	guesses  int      // session numbers that did not do without a PIN
	session  *session // nil before login
	over     bool     // the session was ended elsewhere
	loaded   bool     // what waits was fetched, and more is listened for
	queue    queue    // the messages to be read
	people   people
	person   im.Address    // whom the next recording is for
	last     im.Address    // whom the caller dealt with last
	after    state         // where it goes on once the recording is sent or dropped
	rec      *take         // a recording in hand
	drafts   []wire.Unsent // recordings that were left unsent, newest first
	draft    int           // the one that is offered
	resumed  bool          // the caller came back by a session number
	broken   int           // recordings in a row that came to nothing
	page     int           // of the list that is offered
	replies  []reply       // that can be sent by a key
	own      []string      // those of the user's own
	found    []im.Address  // persons that keys may mean
	named    []im.Address  // persons that are told, those who are there first
	there    int           // how many of them are
	spot     int           // the one at hand
	watched  []im.Address  // persons whose coming is to be told
	speed    int           // of reading, in percent; 0 is 100
	change   pinChange
	name     string // that the caller spells for himself
	adopted  state  // where a call that another process left goes on
	noted    spot   // what is kept of the call against a crash
	greeted  bool   // the caller was welcomed back already
	known    string // how the owner of the caller id is called, where that is known
	networks networks
	outbound bool     // Hark made this call
	back     CallBack // the settings that are being changed
	show     im.Show  // the status, while it may be changed; "" when it is not known
	notice   int64    // the message that the notice just spoken is about, 0 for none
}

// newCall prepares a call; nothing has happened on the line yet.
func newCall(s *Server, line Line) *Call {
	c := &Call{srv: s, set: s.Settings.withDefaults(), line: line, lang: s.Language, tree: tree, at: atAnswer}
	c.log = s.logOf(line.ID())
	or(&c.lang, "en")
	return c
}

// logOf is the log of a call.
func (s *Server) logOf(call string) *slog.Logger {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return log.With("call", call)
}

// tree is the dialogue of every call; it is never changed.
var tree = newDialogue()

// run walks from state to state until the call is over. It returns the error that ended it, nil after a goodbye.
func (c *Call) run(ctx context.Context) error {
	for c.at != done {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		c.node = c.tree[c.at]
		if c.srv.trace != nil {
			c.srv.trace(c.line, c.at)
		}
		c.remember()
		next, err := c.node.run(ctx, c)
		if err != nil {
			if next, err = c.recoverFrom(ctx, err); err != nil {
				return err
			}
		} else {
			c.trouble = 0
		}
		if next, err = c.check(next); err != nil {
			return err
		}
		c.at = next
	}
	return c.line.Hangup(ctx)
}

// check refuses a step that the dialogue does not declare, so that what tests walk is what callers hear.
func (c *Call) check(next state) (state, error) {
	if next == startAgain || next == stay {
		return c.at, nil
	}
	if next != c.at && !c.node.leads(next) {
		return "", fmt.Errorf("ivr: state %s does not lead to %q", c.at, next)
	}
	return next, nil
}

// recoverFrom decides how a call goes on after a failure. It returns an error when it cannot go on.
func (c *Call) recoverFrom(ctx context.Context, err error) (state, error) {
	if ctx.Err() != nil || errors.Is(err, ErrHangup) || errors.Is(err, errSilent) {
		return "", err
	}
	c.log.Warn("trouble in a call", "state", c.at, "err", err)
	c.trouble++
	switch {
	case c.trouble > troubleAllowed:
		return "", err
	case errors.Is(err, errLost):
		c.over = errors.Is(err, errOver)
		return atLost, nil
	case errors.Is(err, ErrLine):
		return c.at, nil
	}
	return atSorry, nil
}

// leave ends the call: what is unfinished is kept, and everything is let go. The line may be gone already.
func (c *Call) leave(ctx context.Context) {
	c.forget(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.set.Farewell)
	defer cancel()
	if c.session != nil {
		if c.session.news.found() {
			c.takeOver()
		}
		c.keepHeard(ctx)
		c.keepPlace(ctx)
		c.keepRecording(ctx)
		c.session.close()
	}
	c.rec.remove()
}

// apologise ends a call after a fault of ours.
func (c *Call) apologise(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("panic while apologising", "panic", fmt.Sprint(p))
		}
	}()
	if ctx.Err() != nil {
		return
	}
	c.asides = nil
	if err := c.play(ctx, say("sorry.end")); err == nil {
		_ = c.line.Hangup(ctx)
	}
}

// keepHeard acknowledges what was heard last.
func (c *Call) keepHeard(ctx context.Context) {
	if !c.loaded {
		return
	}
	if err := c.acknowledge(ctx, c.session.client); err != nil {
		c.log.Warn("last message not acknowledged", "err", err)
	}
}

// keepingPlace stores where the caller is, beside the call, so that the place outlives this process too. The returned
// function ends that and waits for it. A failure is of no account: leave keeps the place once more.
func (c *Call) keepingPlace(ctx context.Context) (stop func()) {
	seq, ms, ok := c.queue.place()
	if !ok {
		return func() {}
	}
	place := wire.PlaceValue{Seq: seq, MS: ms}
	c.queue.placed[place] = true
	client := c.session.client
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = guard(ctx, func(ctx context.Context) error {
			return client.PutState(ctx, wire.Place, "", place)
		})
	}()
	return func() { cancel(); <-ended }
}

// keepPlace stores where in a message the caller was, and forgets an old place when there is none; but not the place that
// another call or the web has kept meanwhile.
func (c *Call) keepPlace(ctx context.Context) {
	q, client := &c.queue, c.session.client
	var err error
	if seq, ms, ok := q.place(); ok {
		err = client.PutState(ctx, wire.Place, "", wire.PlaceValue{Seq: seq, MS: ms})
	} else if len(q.placed) > 0 && q.from.Seq == 0 {
		var kept wire.PlaceValue
		err = client.ChangeState(ctx, wire.Place, "", &kept, func() any {
			if kept.Seq == 0 || q.placed[kept] {
				return nil
			}
			return kept
		})
	}
	if err != nil {
		c.log.Warn("place not kept", "err", err)
	}
}
