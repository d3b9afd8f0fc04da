package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hark/accounts"
	"hark/presence"
	"hark/presence/wire"
)

// Authenticator checks number and PIN; accounts.DB is one.
type Authenticator = accounts.Authenticator

// Dialer finds the presence server; *presence.Dialer is one.
type Dialer interface {
	Login(ctx context.Context, req wire.LoginRequest) (*presence.Client, wire.SessionReply, error)
	Resume(ctx context.Context, req wire.ResumeRequest) (*presence.Client, wire.SessionReply, error)
}

// A Server makes the handler of the web door.
type Server struct {
	Auth   Authenticator
	Dialer Dialer
	Log    *slog.Logger // nil drops the log
	// Accounts changes names and PINs; nil lets nobody change them here.
	Accounts Accounts
	// Telephones are called when a message comes; nil calls nobody.
	Telephones Telephones
	Name       string // what the pages call the service; "" is "Hark"
	Phone      string // what to call to hear voice messages, shown where they cannot be played; "" for no number
	Audio      string // URL under which our audio server gives out recordings; only those are played in a page
	// Recordings keeps what is recorded in a browser; nil takes none.
	Recordings Recordings
	Secure     bool           // cookies for HTTPS only, though requests arrive without TLS (behind a proxy)
	Zone       *time.Location // of the times shown; nil is the machine's
}

// client is the client kind of this door: it has a cursor of its own.
const client = "web"

const (
	maxForm   = 128 << 10        // bytes of a form
	timeLimit = 20 * time.Second // for what a request asks of the presence server
)

// Handler returns the web door. It is safe for use by many requests; the limits of threat T23 are the http.Server's.
func (s *Server) Handler() http.Handler {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Name == "" {
		s.Name = "Hark"
	}
	if s.Zone == nil {
		s.Zone = time.Local
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.welcome)
	mux.HandleFunc("GET /login", s.welcome) // where the inbox stands after the login, for whoever types the address again
	mux.HandleFunc("GET /resume", s.welcome)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /resume", s.resume)
	mux.HandleFunc("GET /out", s.out)
	for _, base := range []string{"", "/s/{token}"} {
		mux.HandleFunc("GET "+base+"/inbox", s.visit(inbox))
		mux.HandleFunc("GET "+base+"/people", s.visit(people))
		mux.HandleFunc("GET "+base+"/new", s.visit(newMessage))
		mux.HandleFunc("POST "+base+"/new/number", s.visit(sendToNumber))
		mux.HandleFunc("GET "+base+"/with/{person}", s.visit(conversation))
		mux.HandleFunc("POST "+base+"/with/{person}/send", s.visit(send))
		mux.HandleFunc("POST "+base+"/with/{person}/seen", s.visit(seen))
		mux.HandleFunc("GET "+base+"/search", s.visit(search))
		mux.HandleFunc("GET "+base+"/drafts", s.visit(drafts))
		mux.HandleFunc("POST "+base+"/drafts/send", s.visit(sendDraft))
		mux.HandleFunc("POST "+base+"/drafts/drop", s.visit(dropDraft))
		mux.HandleFunc("POST "+base+"/place", s.visit(putPlace))
		mux.HandleFunc("GET "+base+"/you", s.visit(you))
		mux.HandleFunc("POST "+base+"/you/status", s.visit(status))
		mux.HandleFunc("POST "+base+"/you/replies", s.visit(replies))
		if s.Accounts != nil {
			mux.HandleFunc("GET "+base+"/you/account", s.visitNamed(account))
			mux.HandleFunc("POST "+base+"/you/name", s.visitNamed(setName))
			mux.HandleFunc("POST "+base+"/you/pin", s.visitNamed(setPIN))
		}
		mux.HandleFunc("POST "+base+"/you/number", s.visit(number))
		if s.Telephones != nil {
			mux.HandleFunc("GET "+base+"/you/phone", s.visit(phone))
			mux.HandleFunc("POST "+base+"/you/phone/number", s.visit(phoneNumber))
			mux.HandleFunc("POST "+base+"/you/phone/switch", s.visit(phoneSwitch))
			mux.HandleFunc("POST "+base+"/you/phone/rest", s.visit(phoneRest))
		}
		mux.HandleFunc("POST "+base+"/leave", s.visit(leave))
		mux.HandleFunc("POST "+base+"/logout", s.visit(logout))
	}
	mux.HandleFunc("/", s.nowhere)
	doors := http.NewServeMux()
	doors.Handle("/", bounded(maxForm, limit(timeLimit, mux)))
	spoken := bounded(maxVoice, limit(voiceLimit, patient(voiceLimit, s.visitNamed(voice))))
	doors.Handle("POST /with/{person}/voice", spoken)
	doors.Handle("POST /s/{token}/with/{person}/voice", spoken)
	doors.HandleFunc("GET /page.js", writeScript)
	doors.HandleFunc("GET /live", s.live) // as long as the browser stays
	return secure(http.NewCrossOriginProtection().Handler(doors))
}

// limit bounds how long a request may take.
func limit(d time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// show writes a page in the markup that the request asks for.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p Page) {
	m, asked := choose(r)
	if asked {
		p.sticky(m)
	}
	w.Header().Set("Vary", "Accept, User-Agent, Via, X-WAP-Gateway, Cookie")
	if err := s.write(w, r, p, m); err != nil {
		s.Log.Info("web: page not written", "markup", m, "err", err)
	}
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, p Page, m markup) error {
	switch m {
	case wml:
		return writeSmall(w, r, p, wmlScreen)
	case hdml:
		return writeSmall(w, r, p, hdmlScreen)
	case vxml:
		return writeSmall(w, r, p, vxmlScreen)
	}
	return writeHTML(w, p, s.Name, origin(s.Audio), m == html5)
}

// nowhere answers for a page that there is not. Whoever has a session in the address must not lose it here.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	page := Page{Title: "No such page", Status: http.StatusNotFound, Links: []Link{{Text: "Start", Href: "/"}}}
	if under, ok := strings.CutPrefix(r.URL.Path, "/s/"); ok {
		token, _, _ := strings.Cut(under, "/")
		page.Links = []Link{{Text: "Inbox", Href: "/s/" + url.PathEscape(token) + "/inbox"}}
	}
	s.show(w, r, page)
}

// address is who a browser is, for the account server's counts.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// random draws 128 bits and more, in letters and digits.
func random() string { return rand.Text() }
