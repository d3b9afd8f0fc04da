package audio

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hark/audio/qr"
)

//go:embed page.css
var pageCSS string

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pageCSP allows nothing but our own sound and our own style sheet, which is named by its hash.
var pageCSP = "default-src 'none'; media-src 'self'; style-src 'sha256-" + hash(pageCSS) + "'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(h[:])
}

// page is what the template sees.
type page struct {
	CSS     template.CSS
	Heading string
	Words   string // instead of a player

	Rec      *Recording
	Link     string // absolute
	Length   string
	Part     string // words, when the recording was cut short
	Sources  []source
	Waveform string // data of an SVG path, 400 wide and 64 high
	QR       string // data of an SVG path
	QRSize   int    // with the quiet zone
	Answer   string // telephone number, for the eye
	Dial     string // and for the tel: link
}

// source is a form as the page offers it.
type source struct{ URL, Ext, Type, Name, Size string }

const partWords = "The recording was cut short."

func (h *Handler) servePage(w http.ResponseWriter, r *http.Request, rec Recording, token string) {
	p := page{
		Heading: rec.heading(), Rec: &rec, Link: h.store.base.JoinPath(token).String(), Length: clock(rec.Duration),
		Sources: h.sources(r.Context(), rec, token), Waveform: waveform(rec.Waveform),
		Answer: h.cfg.Answer, Dial: dialable(h.cfg.Answer),
	}
	if rec.Part {
		p.Part = partWords
	}
	if code, err := qr.Encode(p.Link); err == nil { // a very long host name goes without
		p.QR, p.QRSize = code.Path(), code.Size+2*quietZone
	}
	h.writePage(w, r, http.StatusOK, p)
}

// quietZone is how many modules around a QR code stay light.
const quietZone = 4

// sources names the forms, with their sizes as far as they are known: Ogg Opus has none before it is made.
func (h *Handler) sources(ctx context.Context, rec Recording, token string) []source {
	var all []source
	for _, f := range forms {
		s := source{URL: token + "." + string(f), Ext: string(f), Type: f.Type(), Name: f.title()}
		switch f {
		case WAV:
			s.Size = kilobytes(rec.Bytes)
		case MP3:
			s.Size = kilobytes(rec.Size)
		default:
			if o, err := h.store.backend.Open(ctx, rec.key()+"."+string(f)); err == nil {
				s.Size = kilobytes(o.Info().Size)
				_ = o.Close()
			}
		}
		all = append(all, s)
	}
	return all
}

// title is the form's name for people.
func (f Form) title() string {
	if f == Ogg {
		return "Opus"
	}
	return strings.ToUpper(string(f))
}

func kilobytes(n int64) string { return strconv.FormatInt((n+999)/1000, 10) + " kB" }

// waveform draws the peaks as bars, mirrored at the middle: 400 units wide, 64 high. Silence is a dot.
func waveform(peaks []uint8) string {
	var b strings.Builder
	for i, p := range peaks {
		half := max(1, int(p)*30/100)
		fmt.Fprintf(&b, "M%d %dv%d", 2+i*4, 32-half, 2*half)
	}
	return b.String()
}

// clock writes a length as minutes and whole seconds, as players do.
func clock(d time.Duration) string {
	s := int(d / time.Second)
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

// headings over these words.
var headings = map[int]string{
	http.StatusNotFound:           "No recording here",
	http.StatusGone:               "Gone",
	http.StatusTooManyRequests:    "Please wait",
	http.StatusServiceUnavailable: "Not at this moment",
	http.StatusMethodNotAllowed:   "Only to be listened to",
}

// refuse answers with words: as a page for a browser or a WAP phone, as a line of text for everything else.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Vary", vary)
	w.Header().Set("Cache-Control", "no-store")
	switch wanted(r) {
	case wantHTML:
		h.writePage(w, r, status, page{Heading: headings[status], Words: words[status]})
	case wantWML:
		h.writeDeck(w, r, status, []string{wmlText(words[status])})
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
