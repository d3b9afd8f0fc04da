package web

import (
	"context"

	"hark/presence/wire"
)

// leave ends the visits but not the session: it goes on receiving, and the telephone can go on with it.
func leave(ctx context.Context, v *visit) (*Page, error) {
	v.spoil(ctx)
	v.setCookie(cookieName, "", -1)
	return &Page{
		Title: "Left open",
		Text:  []string{"Your session stays open and goes on collecting messages. This browser has no way into it any more."},
		Links: []Link{{Text: "Log in", Href: "/"}}, Fresh: true,
	}, nil
}

// spoil makes the tokens that the browser has seen useless, by renewing twice without telling it.
func (v *visit) spoil(ctx context.Context) {
	for range 2 {
		c, reply, err := v.server.Dialer.Resume(ctx, wire.ResumeRequest{Session: v.token, Client: client, Renew: true, Brief: true})
		if err != nil {
			v.server.Log.Warn("web: token not spoiled; it lapses by itself", "err", err)
			return
		}
		v.token = reply.Session
		c.Close()
	}
}

// logout ends the session and the external logins.
func logout(ctx context.Context, v *visit) (*Page, error) {
	if err := v.client.Logout(ctx); err != nil {
		return nil, err
	}
	v.setCookie(cookieName, "", -1)
	return &Page{
		Title: "Logged out",
		Text:  []string{"Your session has ended, and so have your logins at other networks."},
		Links: []Link{{Text: "Log in", Href: "/"}}, Fresh: true,
	}, nil
}

// leaveForms are the two ways out.
func (v *visit) leaveForms() []Form {
	return []Form{
		{Action: v.base + "/leave", Submit: "Leave, keep the session", Quiet: true, Fields: []Field{once()}},
		{Action: v.base + "/logout", Submit: "Log out", Quiet: true, Fields: []Field{once()}},
	}
}
