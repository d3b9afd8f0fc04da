package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"hark/im"
	"hark/im/local"
	"hark/ivr"
	"hark/presence/wire"
	"hark/vxml"
)

// The bounds of what one call of a function returns, and of what nobody in particular may send in one call.
const (
	mostMessages = 100
	mostSent     = 5
)

// messages fetches: the new ones, unless new is false; after and before are numbers of messages; with is an address.
func (o *callObjects) messages(ctx context.Context, a arguments) (any, error) {
	r := wire.FetchRequest{
		New: a.yes("new", true), After: a.number("after"), Before: a.number("before"),
		Max: min(int(cmp.Or(a.number("max"), 20)), mostMessages), Search: a.text("search"),
	}
	if with := a.text("with"); with != "" {
		var err error
		if r.With, err = im.ParseAddress(with); err != nil {
			return nil, event(errArgument, "%v", err)
		}
	}
	var reply wire.FetchReply
	err := o.ask(ctx, "messages", func(m ivr.Messenger) (err error) {
		reply, err = m.Fetch(ctx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]any, len(reply.Messages))
	for i, m := range reply.Messages {
		list[i] = o.describe(ctx, m)
	}
	return map[string]any{"list": list, "waiting": reply.Waiting, "cursor": reply.Cursor}, nil
}

// describe is a message as documents see it. voice is for <audio expr>: the recording itself when it is one of ours.
func (o *callObjects) describe(ctx context.Context, m wire.Message) map[string]any {
	d := map[string]any{
		"seq": m.Seq, "id": m.ID, "from": m.From.String(), "name": cmp.Or(m.Name, m.From.ID), "text": m.Body,
		"seconds": 0, "age": int64(max(0, time.Since(m.Sent)).Seconds()), "outgoing": m.Outgoing, "state": string(m.State),
	}
	i := slices.IndexFunc(m.Attachments, im.Attachment.IsAudio)
	if i < 0 {
		return d
	}
	sound := m.Attachments[i]
	wav, length, ours, err := o.recordings.Local(ctx, sound.URL)
	if err != nil || !ours {
		return d // it is told of by its text, which is the link
	}
	d["voice"], d["seconds"] = &vxml.Recording{File: wav, Duration: length}, length.Seconds()
	if d["text"] == sound.URL {
		d["text"] = ""
	}
	return d
}

// heard notes that everything up to the message seq was heard.
func (o *callObjects) heard(ctx context.Context, a arguments) (any, error) {
	seq := a.number("seq")
	if seq <= 0 {
		return nil, event(errArgument, "seq is the number of a message")
	}
	return nil, o.ask(ctx, "heard", func(m ivr.Messenger) error { return m.Ack(ctx, seq) })
}

// contacts lists the people of the caller's roster, those online first.
func (o *callObjects) contacts(ctx context.Context, _ arguments) (any, error) {
	var roster []wire.Contact
	err := o.ask(ctx, "contacts", func(m ivr.Messenger) (err error) {
		roster, err = m.Roster(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]any, len(roster))
	for i, c := range roster {
		list[i] = map[string]any{"address": c.Address.String(), "name": cmp.Or(c.Name, c.Address.ID), "number": c.Number,
			"show": string(c.Show), "online": c.Show != im.Offline, "text": c.Text, "unread": c.Unread}
	}
	return list, nil
}

// status sets the caller's own presence.
func (o *callObjects) status(ctx context.Context, a arguments) (any, error) {
	r := wire.StatusRequest{Show: im.Show(a.text("show")), Text: a.text("text")}
	if !slices.Contains([]im.Show{im.Available, im.Away, im.Busy, im.Invisible}, r.Show) {
		return nil, event(errArgument, "show is available, away, busy or invisible")
	}
	return nil, o.ask(ctx, "status", func(m ivr.Messenger) error { return m.Status(ctx, r) })
}

// place keeps where the caller was, or returns what was kept: seq and ms; seq is 0 when nothing was.
func (o *callObjects) place(ctx context.Context, a arguments) (any, error) {
	at := wire.PlaceValue{Seq: a.number("seq"), MS: a.number("ms")}
	err := o.ask(ctx, "place", func(m ivr.Messenger) error {
		if at.Seq > 0 {
			return m.PutState(ctx, wire.Place, "", at)
		}
		return m.GetState(ctx, wire.Place, "", &at)
	})
	return map[string]any{"seq": at.Seq, "ms": at.MS}, err
}

// A letter is a message that is about to be sent.
type letter struct {
	id    string
	to    im.Address
	text  string
	voice *vxml.Recording
	reply string
}

// send takes to, and text or voice or both. Without a login the message goes to a user of Hark, as from the telephone.
func (o *callObjects) send(ctx context.Context, a arguments) (any, error) {
	l := letter{id: rand.Text(), text: a.text("text"), reply: a.text("reply")}
	l.voice, _ = a["voice"].(*vxml.Recording)
	to := a.text("to")
	if isNumber(to) {
		to = im.Hark + ":" + to
	}
	var err error
	if l.to, err = im.ParseAddress(to); err != nil {
		return nil, event(errArgument, "%v", err)
	}
	if l.text == "" && l.voice == nil || len(l.text) > im.MaxBody {
		return nil, event(errArgument, "there is nothing to send, or too much")
	}
	if o.client == nil {
		return o.sendAsNobody(ctx, l, a.text("name"))
	}
	links, err := o.keep(ctx, l.voice, o.session.User, o.session.Name)
	if err != nil {
		return nil, err
	}
	r := wire.SendRequest{ID: l.id, To: l.to, Body: l.body(links), Attachments: links, ReplyTo: l.reply}
	var reply wire.SendReply
	err = o.ask(ctx, "send", func(m ivr.Messenger) (err error) {
		reply, err = m.Send(ctx, r)
		return err
	})
	return map[string]any{"id": l.id, "state": string(reply.State)}, err
}

func isNumber(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// body is the text, or the link of a voice message.
func (l letter) body(links []im.Attachment) string {
	if l.text == "" {
		return links[0].URL
	}
	return l.text
}

// keep puts a recording into the audio store, on somebody's account.
func (o *callObjects) keep(ctx context.Context, r *vxml.Recording, owner, name string) ([]im.Attachment, error) {
	if r == nil {
		return nil, nil
	}
	if err := o.recordings.Ready(ctx, owner); err != nil {
		o.log.Warn("no room for a recording", "call", o.line.ID(), "err", err)
		return nil, event(errFull, "there is no room for the recording")
	}
	link, err := o.recordings.Put(ctx, r.File, ivr.Note{User: owner, Name: name, Length: r.Duration})
	return []im.Attachment{link}, err
}

// sendAsNobody sends from a telephone whose owner did not log in, to a user of Hark, on whose account a recording is kept.
func (o *callObjects) sendAsNobody(ctx context.Context, l letter, name string) (any, error) {
	if l.to.Network != im.Hark {
		return nil, event(errLogin, "without a login messages go to users of Hark only")
	}
	if o.sent++; o.sent > mostSent {
		return nil, event(errLimit, "at most %d messages a call", mostSent)
	}
	// A number that is not among the allowed ones is looked up all the same: it takes as long, and sounds like one that
	// nobody has (T3).
	_, err := o.directory.Name(ctx, l.to.ID)
	if errors.Is(err, local.ErrUnknown) || err == nil && !o.allowed(l.to.ID) {
		return nil, event(errUnknown, "nobody has that number, or it is not allowed here")
	} else if err != nil {
		return nil, err
	}
	caller := o.line.Caller()
	from := im.Address{Network: "tel", ID: "unknown"}
	if isNumber(strings.TrimPrefix(caller, "+")) {
		from.ID = caller // what the network gave may be anything
	}
	name = cmp.Or(name, from.ID)
	links, err := o.keep(ctx, l.voice, l.to.ID, name)
	if err != nil {
		return nil, err
	}
	err = o.deliver.Deliver(ctx, l.to.ID, im.Message{
		Origin: from.String() + "/" + l.id, ID: l.id, From: from, To: l.to, Name: name,
		Body: l.body(links), Attachments: links, Sent: time.Now().UTC(),
	})
	return map[string]any{"id": l.id, "state": string(im.Sent)}, err
}

// allowed tells whether the configuration lets callers of this number write to a user without a login.
func (o *callObjects) allowed(user string) bool {
	route, _ := o.plan.Choose(o.line.Called())
	return slices.Contains(route.To, user)
}
