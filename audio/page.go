package audio

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed page.css
var pageCSS string

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pageCSP allows nothing but our own sound and our own style sheet, which is named by its hash.
var pageCSP = fmt.Sprintf("default-src 'none'; media-src 'self'; style-src 'sha256-%s'; base-uri 'none'; "+
	"form-action 'none'; frame-ancestors 'none'", base64.StdEncoding.EncodeToString(sum(pageCSS)))

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// page is what the template sees.
type page struct {
	CSS     template.CSS
	Heading string
	Words   string // instead of a player
	Rec     *Recording
	Token   string
	Length  string
	Sources []source
}

type source struct {
	URL, Type, Name string
	Size            string
}

func (h *Handler) servePage(w http.ResponseWriter, r *http.Request, rec Recording, token string) {
	p := page{Heading: rec.tags().title, Rec: &rec, Token: token, Length: clock(rec.Duration)}
	for _, f := range forms {
		p.Sources = append(p.Sources, source{URL: token + "." + string(f), Type: f.Type(), Name: string(f)})
	}
	h.writePage(w, r, http.StatusOK, p)
}

// clock writes a length as minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// words for whoever gets no recording.
var words = map[int]string{
	http.StatusNotFound:           "There is no recording under this link. Perhaps a part of the link is missing.",
	http.StatusGone:               "This recording is gone. It has expired, or whoever sent it took it back.",
	http.StatusTooManyRequests:    "Too many wrong links came from your address. Try again in a minute.",
	http.StatusServiceUnavailable: "The recording cannot be sent at this moment. Try again in a few seconds.",
	http.StatusMethodNotAllowed:   "A recording can only be listened to.",
}

// refuse answers with words: as a page for a browser, as a line of text for everything else.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Vary", "Accept, User-Agent")
	w.Header().Set("Cache-Control", "no-store")
	switch wanted(r) {
	case wantHTML:
		h.writePage(w, r, status, page{Heading: http.StatusText(status), Words: words[status]})
	default:
		write(w, r, status, "text/plain; charset=utf-8", []byte(words[status]+"\n"))
	}
}

func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.CSS = template.CSS(pageCSS)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		h.store.cfg.Log.Error("audio: the page", "err", err)
		http.Error(w, words[http.StatusServiceUnavailable], http.StatusServiceUnavailable)
		return
	}
	write(w, r, status, "text/html; charset=utf-8", b.Bytes())
}

// write sends a whole answer with its length; to HEAD only the head of it.
func write(w http.ResponseWriter, r *http.Request, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away hears nothing of it
	}
}
