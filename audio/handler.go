package audio

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// HandlerConfig says how links are served. Who asks is known by a request's RemoteAddr.
type HandlerConfig struct {
	// Answer is the telephone number that the page offers for an answer, "" for none.
	Answer string
	// Patience is how long a request for a form waits until it has been made; 0 is 20 s.
	Patience time.Duration
}

// Handler serves the store's links: GET and HEAD of the URL's path followed by
//
//	TOKEN                    the page for a browser (also for WAP), the MP3 for everything else
//	TOKEN.mp3 .ogg .wav      the forms, with ranges; ?download=1 asks for a file to be saved
//
// It may stand anywhere in a mux under that path, without StripPrefix. Errors are said in words; an unknown link and a
// bad signature are 404, an expired, revoked or deleted recording is 410.
type Handler struct {
	store  *Store
	cfg    HandlerConfig
	misses misses
}

// NewHandler makes a handler for a store.
func NewHandler(s *Store, cfg HandlerConfig) *Handler {
	setDefault(&cfg.Patience, 20*time.Second)
	return &Handler{store: s, cfg: cfg, misses: misses{now: s.cfg.Now}}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Content-Security-Policy", pageCSP)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.serve(w, r)
	case http.MethodOptions:
		allowPlayers(header)
		header.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	default:
		header.Set("Allow", "GET, HEAD, OPTIONS")
		h.refuse(w, r, http.StatusMethodNotAllowed)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	name, _ := strings.CutPrefix(r.URL.Path, h.store.base.Path)
	token, ext, dotted := strings.Cut(name, ".")
	form := Form(ext)
	if dotted && !form.known() {
		token = "" // no link of ours, but a guess all the same
	}
	rec, status := h.find(r, token)
	if status != http.StatusOK {
		h.refuse(w, r, status)
		return
	}
	want := wanted(r)
	if dotted || want == wantSound {
		h.serveSound(w, r, rec, form)
		return
	}
	w.Header().Set("Vary", vary)
	if ok, err := h.mayHear(r, rec, false); !ok || err != nil {
		h.unavailable(w, r, rec, errOr(err, ErrGone))
		return
	}
	if want == wantWML {
		h.serveDeck(w, r, rec)
		return
	}
	h.servePage(w, r, rec, token)
}

// serveSound counts the play and sends the form, or the ranges of it that were asked for.
func (h *Handler) serveSound(w http.ResponseWriter, r *http.Request, rec Recording, f Form) {
	if f == "" {
		w.Header().Set("Vary", vary)
	}
	if ok, err := h.mayHear(r, rec, !isPreview(r)); !ok || err != nil {
		h.unavailable(w, r, rec, errOr(err, ErrGone))
		return
	}
	o, f, err := h.open(r.Context(), rec, f)
	if err != nil {
		h.unavailable(w, r, rec, err)
		return
	}
	defer o.Close()
	st, done := h.store.follow(r.Context(), rec.key(), o, w)
	defer done()
	header := w.Header()
	allowPlayers(header)
	header.Set("Content-Type", f.Type())
	header.Set("ETag", etag(o.Info()))
	header.Set("Content-Disposition", disposition(r, rec, f))
	http.ServeContent(w, withPlainRange(r, o.Info().Size), "", rec.Created, st)
}

// open opens a form, waiting for it if it is being made. No form at all is the MP3, or the WAV when there is no MP3 to
// be had.
func (h *Handler) open(ctx context.Context, rec Recording, f Form) (Object, Form, error) {
	if f != "" {
		o, err := h.store.openForm(ctx, rec, f, h.cfg.Patience)
		return o, f, err
	}
	o, err := h.store.openForm(ctx, rec, MP3, h.cfg.Patience)
	if err == nil || errors.Is(err, ErrNotFound) || ctx.Err() != nil {
		return o, MP3, err
	}
	o, err = h.store.openForm(ctx, rec, WAV, 0)
	return o, WAV, err
}

// errOr is err, or what it means that there is none.
func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// find looks the token up, and holds up those who guess. Whoever has a link that we signed is not held up by others
// behind the same address.
func (h *Handler) find(r *http.Request, token string) (Recording, int) {
	addr := network(client(r))
	_, signed, _ := h.store.keys.parse(token)
	if !signed && h.misses.over(addr) {
		return Recording{}, http.StatusTooManyRequests
	}
	rec, err := h.store.resolve(r.Context(), token)
	switch {
	case err == nil:
		return rec, http.StatusOK
	case errors.Is(err, ErrGone):
		return rec, http.StatusGone
	case errors.Is(err, ErrNotOurs):
		h.misses.add(addr)
		return rec, http.StatusNotFound
	}
	h.store.cfg.Log.Error("audio: looking up a link", "err", err)
	return rec, http.StatusServiceUnavailable
}

// client is the address of who asks, as RemoteAddr tells.
func client(r *http.Request) netip.Addr {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address is one bucket for all
	return ap.Addr()
}

// vary names what the answer to the bare link hangs on.
const vary = "Accept, User-Agent, Via, X-Wap-Gateway"

// want is what a request is for.
type want int

const (
	wantSound want = iota // the recording itself
	wantHTML              // a page for a browser, or for a preview
	wantWML               // a page for a WAP phone
)

// wanted tells what a request for the bare link is for: a WAP phone names WML in Accept, or comes through a gateway
// that does so for it; a browser names HTML, and everything else wants the sound itself.
func wanted(r *http.Request) want {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	html := strings.Contains(accept, "text/html") || strings.Contains(accept, "application/xhtml+xml")
	switch {
	case strings.Contains(accept, "vnd.wap.wml"), isGateway(r) && !html:
		return wantWML
	case html, isPreviewer(r):
		return wantHTML
	}
	return wantSound
}

// isGateway tells whether a WAP gateway passed the request on.
func isGateway(r *http.Request) bool {
	via := strings.ToLower(strings.Join(r.Header.Values("Via"), ","))
	return r.Header.Get("X-Wap-Gateway") != "" || strings.Contains(via, "wap") || strings.Contains(via, "kannel")
}

// unavailable answers for a recording that is there no more, or cannot be sent.
func (h *Handler) unavailable(w http.ResponseWriter, r *http.Request, rec Recording, err error) {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrGone) {
		h.refuse(w, r, http.StatusGone) // revoked just now
		return
	}
	if r.Context().Err() == nil {
		h.store.cfg.Log.Error("audio: serving", "id", rec.ID, "err", err)
	}
	w.Header().Set("Retry-After", "5")
	h.refuse(w, r, http.StatusServiceUnavailable)
}

// allowPlayers lets scripts of other sites play what they have the link of. The link is the permission.
func allowPlayers(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Range, If-Range")
	h.Set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range, ETag")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// etag is strong: an object's bytes never change under the same key and time.
func etag(i Info) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", i.Key, i.Size, i.Modified.UnixNano()))
	return `"` + nameCode.EncodeToString(sum[:10]) + `"`
}

func disposition(r *http.Request, rec Recording, f Form) string {
	how := "inline"
	if r.URL.Query().Get("download") == "1" {
		how = "attachment"
	}
	return fmt.Sprintf(`%s; filename="voice-message-%s.%s"`, how, rec.Created.Format("2006-01-02-150405"), f)
}
