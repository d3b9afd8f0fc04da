package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"hark/presence"
	"hark/presence/wire"
)

const (
	cookieName = "hark"       // holds the session token
	probeName  = "hark-probe" // tells that the browser has cookies
)

// A visit is one request within a session.
type visit struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	markup markup
	client *presence.Client
	user   string // number
	named  bool   // the page needs to know what the user is called
	name   string // and this is it; "" when unknown
	token  string // to be used by the next page
	base   string // what the pages' addresses begin with: "" with a cookie, else "/s/TOKEN"
	noted  *notes // nil until they were asked for
	roster []wire.Contact
}

func newVisit(s *Server, w http.ResponseWriter, r *http.Request) *visit {
	m, _ := choose(r)
	return &visit{server: s, w: w, r: r, markup: m}
}

// A handler makes the page of a visit; nil when it has answered itself.
type handler func(ctx context.Context, v *visit) (*Page, error)

// visit resumes the session, runs the handler and leaves the session.
func (s *Server) visit(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { newVisit(s, w, r).answer(h) }
}

// visitNamed is visit for a handler that needs to know what the user is called, which takes a look-up more.
func (s *Server) visitNamed(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := newVisit(s, w, r)
		v.named = true
		v.answer(h)
	}
}

func (v *visit) answer(h handler) {
	page, err := v.run(h)
	if err != nil {
		page = v.server.problem(v.w, err)
		if v.user != "" { // the session is there all the same
			page.Links = []Link{{Text: "Inbox", Href: v.base + "/inbox"}}
		}
	}
	if page != nil {
		v.server.show(v.w, v.r, *page)
	}
}

func (v *visit) run(h handler) (*Page, error) {
	if err := v.enter(); err != nil {
		return nil, err
	}
	defer v.client.Close()
	if err := v.r.ParseForm(); err != nil {
		return nil, errForm
	}
	return h(v.r.Context(), v)
}

// enter resumes the session by the token in the path, or else in the cookie.
func (v *visit) enter() error {
	req := wire.ResumeRequest{Session: v.r.PathValue("token"), Client: client, Brief: !v.named}
	inPath := req.Session != ""
	if inPath {
		req.Renew = true
	} else if c, err := v.r.Cookie(cookieName); err == nil {
		req.Session = c.Value
	}
	if req.Session == "" {
		return errNoToken
	}
	c, reply, err := v.server.Dialer.Resume(v.r.Context(), req)
	if err != nil {
		return err
	}
	v.client, v.token, v.user, v.name = c, reply.Session, reply.User, reply.Name
	if inPath {
		v.base = "/s/" + v.token
	}
	return nil
}

// cookies tells whether the session's token is in a cookie.
func (v *visit) cookies() bool { return v.base == "" }

// keepToken puts the token where the browser keeps it.
func (v *visit) keepToken(token string) {
	v.token = token
	if _, err := v.r.Cookie(probeName); err != nil {
		v.base = "/s/" + token
		return
	}
	v.setCookie(cookieName, token, 0)
	v.setCookie(probeName, "", -1)
}

// setCookie sets a cookie that ends with the browser; age -1 removes it.
func (v *visit) setCookie(name, value string, age int) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: v.server.Secure || v.r.TLS != nil,
	})
}

// What is wrong with a request, apart from what the presence server says.
var (
	errNoToken = errors.New("web: no session")
	errForm    = errors.New("web: malformed form")
	errPerson  = errors.New("web: no such person")
)

// problem makes the page for an error.
func (s *Server) problem(w http.ResponseWriter, err error) *Page {
	start := []Link{{Text: "Log in", Href: "/"}}
	var refusal *presence.Error
	switch {
	case errors.Is(err, errNoToken), presence.HasCode(err, wire.Expired), presence.HasCode(err, wire.NoSession):
		p := loginPage("Please log in. For your safety a session that is not used for a while has to be opened again.", "")
		p.Status = http.StatusForbidden
		return &p
	case errors.Is(err, errForm):
		return &Page{Title: "Not understood", Status: http.StatusBadRequest, Text: []string{"The form did not arrive whole."}, Links: start}
	case errors.Is(err, errPerson):
		return &Page{Title: "No such person", Status: http.StatusNotFound, Links: start}
	case errors.As(err, &refusal) && refusal.Code != wire.TryLater:
		s.Log.Info("web: refused", "code", refusal.Code)
		return &Page{Title: "Not done", Status: http.StatusConflict, Text: []string{sentence(refusal.Text)}, Links: start}
	}
	s.Log.Warn("web: request failed", "err", err)
	w.Header().Set("Retry-After", "5")
	return &Page{
		Title: "Not now", Status: http.StatusServiceUnavailable, Links: start,
		Text: []string{"This does not work at the moment. Nothing is lost. Please try again in a little while."},
	}
}

// sentence makes words of the presence server a sentence.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
