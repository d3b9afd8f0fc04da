package presence

import (
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

const (
	fetchDefault = 20
	fetchMost    = 100
	fetchBytes   = wire.MaxFrame - 1024 // of messages in one answer
)

// fetch carries out FETCH.
func (c *conn) fetch(ctx context.Context, req wire.FetchRequest) (result, error) {
	cursor, err := c.server.Sessions.Cursor(ctx, c.session.user, c.client)
	if err != nil {
		return result{}, err
	}
	found, err := c.server.Sessions.Read(ctx, c.session.user, queryOf(req, cursor))
	if err != nil {
		return result{}, err
	}
	waiting, err := c.waiting(ctx, req, cursor, len(found))
	if err != nil {
		return result{}, err
	}
	names, err := c.session.names()
	if err != nil {
		return result{}, err
	}
	messages := make([]wire.Message, 0, len(found))
	for _, m := range found {
		m.Name = names.of(other(m.Message), m.Name)
		if req.Brief {
			m.Message = brief(m.Message)
		}
		messages = append(messages, wire.Message{Seq: int64(m.Seq), Message: m.Message, State: m.State, Reason: m.Reason})
	}
	fitting, err := fit(messages, req.Before != 0 || req.Latest)
	return result{payload: fetched{fitting, int64(cursor), waiting}}, err
}

// fetched is a wire.FetchReply whose messages are JSON already, which was needed to see how many fit.
type fetched struct {
	Messages []json.RawMessage `json:"messages"`
	Cursor   int64             `json:"cursor"`
	Waiting  int               `json:"waiting"`
}

// brief is a message without what it says.
func brief(m im.Message) im.Message {
	return im.Message{From: m.From, To: m.To, Name: m.Name, Sent: m.Sent, Outgoing: m.Outgoing}
}

// waiting counts the messages after the cursor; a request that has found all of them needs no other look.
func (c *conn) waiting(ctx context.Context, req wire.FetchRequest, cursor sessions.Seq, found int) (int, error) {
	if req.Latest || req.Before != 0 && !req.New {
		return 0, nil // not worth the look: an overview, and who looks back, does not go on from here
	}
	q := queryOf(req, cursor)
	if q.In && q.After == cursor && q.Before == 0 && q.With.IsZero() && q.Text == "" && found < q.Max {
		return found, nil
	}
	w, err := c.server.Sessions.Waiting(ctx, c.session.user, c.client)
	return w.Count, err
}

// queryOf translates a request.
func queryOf(req wire.FetchRequest, cursor sessions.Seq) sessions.Query {
	q := sessions.Query{
		After: sessions.Seq(req.After), Before: sessions.Seq(req.Before), Max: min(req.Max, fetchMost),
		With: req.With, Text: req.Search, Latest: req.Latest,
	}
	if q.Max <= 0 {
		q.Max = fetchDefault
	}
	if req.New {
		q.After, q.In = max(q.After, cursor), true
	}
	return q
}

// other is the other side of a conversation.
func other(m im.Message) im.Address {
	if m.Outgoing {
		return m.To
	}
	return m.From
}

// fit keeps the first messages, or the last, that fit into one frame; always at least one, if need be shortened.
func fit(messages []wire.Message, last bool) ([]json.RawMessage, error) {
	if last {
		slices.Reverse(messages)
	}
	fitting, room := make([]json.RawMessage, 0, len(messages)), fetchBytes
	for i, m := range messages {
		raw, err := wire.Marshal(m)
		if err == nil && i == 0 && len(raw) >= fetchBytes {
			raw, err = wire.Marshal(shorten(m))
		}
		if err != nil {
			return nil, err
		}
		if room -= len(raw) + 1; room < 0 && i > 0 {
			break
		}
		fitting = append(fitting, raw)
	}
	if last {
		slices.Reverse(fitting)
	}
	return fitting, nil
}

// shorten cuts a message that no frame holds, down to what certainly fits.
func shorten(m wire.Message) wire.Message {
	body := m.Body[:min(len(m.Body), 4096)]
	for len(body) > 0 && !utf8.ValidString(body) {
		body = body[:len(body)-1]
	}
	m.Body = body + "…"
	m.Attachments = m.Attachments[:min(len(m.Attachments), 1)]
	m.Origin, m.ReplyTo, m.Choices = "", "", nil
	return m
}
