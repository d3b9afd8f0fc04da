package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"hark/accounts"
	"hark/presence"
	"hark/presence/wire"
)

// welcome shows the login page, and finds out whether the browser has cookies.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) {
	v := newVisit(s, w, r)
	v.setCookie(probeName, "1", 0)
	page := loginPage("", "")
	if _, err := r.Cookie(cookieName); err == nil {
		page.Links = []Link{{Text: "Back to your messages", Href: "/inbox"}}
	}
	s.show(w, r, page)
}

// loginPage asks for number and PIN, or for a session number. The user number is shown as it was typed; a session number is
// a secret.
func loginPage(notice, user string) Page {
	pin := Field{Kind: PIN, Name: "pin", Label: "PIN", Max: 20}
	return Page{
		Title: "Log in", Notice: notice, Self: "/", Fresh: true,
		Forms: []Form{
			{Action: "/login", Submit: "Log in", Fields: []Field{{Kind: Digits, Name: "user", Label: "Your number", Value: user, Max: 20}, pin}},
			{
				Title: "Go on with a session", Action: "/resume", Submit: "Go on",
				Fields: []Field{{Kind: Digits, Name: "code", Label: "Session number (9 digits)", Max: 20}, pin},
			},
		},
	}
}

// login takes number and PIN.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.begin(w, r, func(ctx context.Context) (*presence.Client, wire.SessionReply, error) {
		ticket, err := s.Auth.Authenticate(ctx, accounts.Credentials{
			User: digits(r.PostFormValue("user")), PIN: digits(r.PostFormValue("pin")), Caller: address(r), Door: client,
		})
		if err != nil {
			return nil, wire.SessionReply{}, err
		}
		return s.Dialer.Login(ctx, wire.LoginRequest{Ticket: ticket, Client: client})
	})
}

// resume takes a session number. It always wants the PIN: an address is no caller id.
func (s *Server) resume(w http.ResponseWriter, r *http.Request) {
	s.begin(w, r, func(ctx context.Context) (*presence.Client, wire.SessionReply, error) {
		req := wire.ResumeRequest{
			Code: digits(r.PostFormValue("code")), PIN: digits(r.PostFormValue("pin")), Caller: address(r), Client: client,
		}
		if req.PIN == "" || req.Code == "" {
			return nil, wire.SessionReply{}, accounts.ErrRefused
		}
		return s.Dialer.Resume(ctx, req)
	})
}

// begin gets into a session and shows the inbox. There is no redirect: it would carry the token in a header.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, in func(context.Context) (*presence.Client, wire.SessionReply, error)) {
	v := newVisit(s, w, r)
	page, err := v.begin(in)
	switch {
	case errors.Is(err, accounts.ErrRefused), presence.HasCode(err, wire.AuthFailed):
		refused := loginPage("I cannot check that. Please try again.", cut(digits(r.PostFormValue("user")), 20))
		refused.Status = http.StatusForbidden
		page = &refused
	case err != nil:
		page = s.problem(w, err)
	}
	s.show(w, r, *page)
}

func (v *visit) begin(in func(context.Context) (*presence.Client, wire.SessionReply, error)) (*Page, error) {
	if err := v.r.ParseForm(); err != nil {
		return nil, errForm
	}
	c, reply, err := in(v.r.Context())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	v.client = c
	v.keepToken(reply.Session)
	page, err := inbox(v.r.Context(), v)
	if err != nil {
		return nil, err
	}
	page.Fresh = true
	page.Notice = "Welcome, " + called(reply.Name) + ". To go on by telephone, your session number is " + spaced(reply.Code) + "."
	return page, nil
}

// called is what somebody without a name is called.
func called(name string) string {
	if name == "" {
		return "caller"
	}
	return name
}

// digits drops what people put between digits.
func digits(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(s)
}

// spaced writes a session number in groups of three.
func spaced(code string) string {
	if len(code) != 9 {
		return code
	}
	return code[:3] + " " + code[3:6] + " " + code[6:]
}
