package presence

import (
	"context"
	"encoding/json"
	"fmt"

	"hark/im"
	"hark/presence/wire"
)

// statusKey is where the user's own availability is kept.
const statusKey = "status"

// maxStatusText is the longest status text in bytes.
const maxStatusText = 500

// setStatus carries out STATUS.
func (c *conn) setStatus(ctx context.Context, req wire.StatusRequest) (result, error) {
	switch req.Show {
	case im.Available, im.Away, im.Busy, im.Invisible:
	default:
		return result{}, badArgument("show is available, away, busy or invisible")
	}
	if len(req.Text) > maxStatusText {
		return result{}, refuse(wire.TooLong, "", "the status text is too long")
	}
	raw, err := json.Marshal(req)
	if err != nil {
		return result{}, err
	}
	if err := c.server.Sessions.SetState(ctx, c.session.user, statusKey, raw); err != nil {
		return result{}, err
	}
	var online []im.Conn
	err = c.session.ask(func() {
		c.session.status = req
		online = c.session.online()
	})
	if err != nil {
		return result{}, err
	}
	for _, conn := range online {
		if err := conn.SetPresence(ctx, im.Presence{Show: req.Show, Text: req.Text}); err != nil {
			c.log.Info("presence: availability not published", "err", err)
		}
	}
	return result{}, nil
}

// online lists the live connections. Only the session's goroutine calls it.
func (s *Session) online() []im.Conn {
	var list []im.Conn
	for _, u := range s.uplinks {
		if u.conn != nil {
			list = append(list, u.conn)
		}
	}
	return list
}

// savedStatus is the availability the user set last; at first he is available.
func (s *Server) savedStatus(ctx context.Context, user string) (wire.StatusRequest, error) {
	status := wire.StatusRequest{Show: im.Available}
	raw, err := s.Sessions.GetState(ctx, user, statusKey)
	if err != nil || raw == nil {
		return status, err
	}
	if err := json.Unmarshal(raw, &status); err != nil {
		return status, fmt.Errorf("presence: stored status: %w", err)
	}
	return status, nil
}

// presence takes in somebody's availability and tells the clients. Only the session's goroutine calls it.
func (s *Session) presence(u *uplink, p im.Presence) {
	p.Text = cleanText(p.Text, maxStatusText)
	if p.Show == im.Offline {
		delete(u.present, p.From)
	} else {
		if u.present == nil {
			u.present = make(map[im.Address]im.Presence)
		}
		u.present[p.From] = p
	}
	s.tell(wire.Presence, p)
}

// typing carries out TYPING; where the network cannot, nothing happens.
func (c *conn) typing(ctx context.Context, req wire.TypingRequest) (result, error) {
	u, err := c.networkOf(req.To)
	if err != nil {
		return result{}, err
	}
	var conn im.Conn
	if err := c.session.ask(func() { conn = u.conn }); err != nil {
		return result{}, err
	}
	if typer, ok := conn.(im.Typer); ok {
		if err := typer.SetTyping(ctx, req.To, req.On); err != nil {
			c.log.Debug("presence: typing not told", "err", err)
		}
	}
	return result{}, nil
}

// networks carries out NETWORKS.
func (c *conn) networks(ctx context.Context) (result, error) {
	var list []wire.ServiceEvent
	err := c.session.ask(func() { list = c.session.networkStates() })
	return result{payload: wire.NetworksReply{Networks: list}}, err
}
