package presencetest

import (
	"context"

	"hark/im"
	"hark/sessions"
)

// Local is the network between Hark users, on the store alone.
type Local struct {
	Store    sessions.Store
	Accounts *Accounts // tells what senders are called
}

// Network implements im.Service.
func (l *Local) Network() string { return im.Hark }

// Open implements im.Service.
func (l *Local) Open(ctx context.Context, a im.Account, _ im.Resume, sink im.Sink) (im.Conn, error) {
	name, err := l.Accounts.Name(ctx, a.User)
	if err != nil {
		return nil, &im.Error{Class: im.Config, Err: err}
	}
	sink.Event(im.Event{Pos: 1, Body: im.Synced{}})
	return &localConn{store: l.Store, from: a.Address(), name: name, sink: sink}, nil
}

type localConn struct {
	store sessions.Store
	from  im.Address
	name  string
	sink  im.Sink
}

// Send implements im.Conn.
func (c *localConn) Send(ctx context.Context, m im.Outgoing) error {
	_, err := c.store.Deliver(ctx, m.To.ID, im.Message{
		Origin: c.from.String() + "/" + m.ID, ID: m.ID, From: c.from, Name: c.name, To: m.To, Body: m.Body, Attachments: m.Attachments,
	})
	if err != nil {
		return &im.Error{Class: im.Network, Err: err}
	}
	c.sink.Event(im.Event{Pos: 2, Body: im.Delivery{ID: m.ID, State: im.Delivered}})
	return nil
}

// SetPresence, Ack, Close and Resume implement im.Conn; there is nothing behind them.
func (c *localConn) SetPresence(context.Context, im.Presence) error { return nil }
func (c *localConn) Ack(im.Position)                                {}
func (c *localConn) Close(context.Context, im.CloseMode) error      { return nil }
func (c *localConn) Resume() im.Resume                              { return nil }
