package presence

import (
	"context"
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
		m.Name = names.of(ctx, other(m.Message), m.Name)
		messages = append(messages, wire.Message{Seq: int64(m.Seq), Message: m.Message, State: m.State, Reason: m.Reason})
	}
	messages, err = fit(messages, req.Before != 0)
	return result{payload: wire.FetchReply{Messages: messages, Cursor: int64(cursor), Waiting: waiting}}, err
}

// waiting counts the messages after the cursor; a request that has found all of them needs no other look.
func (c *conn) waiting(ctx context.Context, req wire.FetchRequest, cursor sessions.Seq, found int) (int, error) {
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
		With: req.With, Text: req.Search,
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
func fit(messages []wire.Message, last bool) ([]wire.Message, error) {
	if last {
		slices.Reverse(messages)
	}
	room := fetchBytes
	for i := range messages {
		size, err := sizeOf(messages[i])
		if err != nil {
			return nil, err
		}
		if room -= size + 1; room >= 0 {
			continue
		}
		if i > 0 {
			messages = messages[:i]
			break
		}
		messages[0] = shorten(messages[0])
		room = 0
	}
	if last {
		slices.Reverse(messages)
	}
	return messages, nil
}

func sizeOf(m wire.Message) (int, error) {
	raw, err := wire.Marshal(m)
	return len(raw), err
}

// shorten cuts a message that no frame holds, down to what certainly fits.
func shorten(m wire.Message) wire.Message {
	body := m.Body[:min(len(m.Body), 4096)]
	for len(body) > 0 && !utf8.ValidString(body) {
		body = body[:len(body)-1]
	}
	m.Body = body + "…"
	m.Attachments = m.Attachments[:min(len(m.Attachments), 1)]
	return m
}
