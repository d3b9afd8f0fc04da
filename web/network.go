package web

import (
	"context"
	"strings"

	"hark/im"
	"hark/presence/wire"
)

// networkName is what people call a network; the one between our own users has the service's name.
func (s *Server) networkName(network string) string {
	switch network {
	case im.Hark:
		return s.Name
	case im.XMPP:
		return "XMPP"
	case "":
		return ""
	}
	return strings.ToUpper(network[:1]) + network[1:]
}

// login names a login at a network, with the address that the user has there.
func (v *visit) login(n wire.ServiceEvent) string {
	name := v.server.networkName(n.Network)
	if n.Network == im.Hark || n.Address == "" {
		return name
	}
	return name + " (" + n.Address + ")"
}

// network is a line about a login at a network.
func (v *visit) network(n wire.ServiceEvent) Item {
	since := ""
	if !n.Since.IsZero() {
		since = " since " + v.clock(n.Since)
	}
	item := Item{Title: v.login(n)}
	switch n.State {
	case "online":
		item.Note = "connected" + since
	case "connecting":
		item.Note = "connecting …"
	default:
		item.Note = "not connected" + since
	}
	if trouble := v.trouble(n); trouble != "" {
		item.Lines = []Line{{{Text: trouble}}}
	}
	return item
}

// trouble tells why a network is away, and what is to be done; "" when it is not.
func (v *visit) trouble(n wire.ServiceEvent) string {
	switch n.State {
	case "badcredentials":
		return v.login(n) + " refuses your login. Please have the password corrected."
	case "conflict":
		return "Your login at " + v.login(n) + " was taken over by another program. Log in here again to take it back."
	case "retrying", "offline":
		return "Your connection to " + v.login(n) + " is down since " + v.clock(n.Since) + ". What you write is kept and sent later."
	}
	return ""
}

// troubles tells which networks are away.
func (v *visit) troubles(ctx context.Context) (texts []string, err error) {
	networks, err := v.client.Networks(ctx)
	for _, n := range networks {
		if text := v.trouble(n); text != "" {
			texts = append(texts, text)
		}
	}
	return texts, err
}
