package presence

import (
	"context"

	"hark/im"
	"hark/presence/wire"
	"hark/sessions"
)

// mostHeard is how many messages one ACK may call heard.
const mostHeard = 100

// ack carries out ACK: the cursor is durable before OK; markers are sent as well as that goes at the moment.
func (c *conn) ack(ctx context.Context, req wire.AckRequest) (result, error) {
	if len(req.Heard) > mostHeard {
		return result{}, badArgument("at most 100 heard messages at once")
	}
	if err := c.markRead(ctx, req.Heard); err != nil || req.Seq == 0 {
		return result{}, err
	}
	if err := c.server.Sessions.Advance(ctx, c.session.user, c.client, sessions.Seq(req.Seq)); err != nil {
		return result{}, err
	}
	return result{after: func() { c.session.post(c.session.changedLevel) }}, nil
}

// markRead tells the senders who asked for it that their messages were heard or seen (XEP-0333).
func (c *conn) markRead(ctx context.Context, heard []int64) error {
	for _, seq := range heard {
		at := sessions.Seq(seq)
		found, err := c.server.Sessions.Read(ctx, c.session.user, sessions.Query{After: at - 1, Before: at + 1, Max: 1, In: true})
		if err != nil {
			return err
		}
		if len(found) == 0 || !found[0].Markable {
			continue
		}
		if err := c.mark(ctx, found[0].Message); err != nil {
			c.log.Info("presence: marker not sent", "network", found[0].From.Network, "err", err)
		}
	}
	return nil
}

// mark sends one marker where the network is there and knows such a thing.
func (c *conn) mark(ctx context.Context, m im.Message) error {
	var live im.Conn
	err := c.session.ask(func() {
		if u := c.session.uplink(m.From.Network); u != nil {
			live = u.conn
		}
	})
	if marker, ok := live.(im.Marker); ok && err == nil {
		return marker.MarkRead(ctx, m)
	}
	return err
}
