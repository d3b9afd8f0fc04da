package web

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// An Operator makes the page /admin, which shows what the node does at this moment. It asks for no PIN: its handler belongs
// on a loopback address or a Unix socket, and only there.
type Operator struct {
	// Look gathers what the page shows; it is called at most once in each Every, and only while somebody looks.
	Look  func(context.Context) (Overview, error)
	Every time.Duration // how often the page is renewed; 0 is 2 s
	Name  string        // what the page calls the service; "" is "Hark"
	Log   *slog.Logger  // nil drops the log

	mu   sync.Mutex
	page []byte // the last one
	made time.Time
}

// An Overview is what an operator sees.
type Overview struct {
	Node     string // name of the node
	Sections []Section
}

// A Section is a part of the operator's page: a sentence, a table below it, or both.
type Section struct {
	Title string
	Text  string
	Head  []string
	Rows  [][]string // each as long as Head
}

var (
	//go:embed operator.html
	operatorHTML string
	//go:embed operator.css
	operatorCSS string
	//go:embed operator.js
	operatorScript string

	operatorTemplate = template.Must(template.New("operator").Parse(operatorHTML))
	operatorPolicy   = "default-src 'none'; style-src '" + hash(operatorCSS) + "'; script-src '" + hash(operatorScript) +
		"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Handler returns the operator's door. It is safe for use by many requests, and must be asked for once only.
func (o *Operator) Handler() http.Handler {
	if o.Every == 0 {
		o.Every = 2 * time.Second
	}
	if o.Name == "" {
		o.Name = "Hark"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin", o.show)
	mux.HandleFunc("GET /admin/live", o.live)
	mux.Handle("GET /{$}", http.RedirectHandler("/admin", http.StatusFound))
	return secure(hereOnly(mux))
}

// hereOnly refuses requests under a foreign name, with which another site could make an operator's browser read the page
// (DNS rebinding).
func hereOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
			host = host[:at]
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			http.Error(w, "Use localhost, or the address in numbers.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (o *Operator) show(w http.ResponseWriter, r *http.Request) {
	tables, err := o.tables(r.Context())
	if err != nil {
		o.Log.Warn("web: operator's page not made", "err", err)
		http.Error(w, "Not now; the log says why.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", operatorPolicy)
	err = operatorTemplate.ExecuteTemplate(w, "page", struct {
		Name, Refresh string
		CSS           template.CSS
		Script        template.JS
		Tables        template.HTML // made by the template "tables"
	}{o.Name, fmt.Sprintf("%.0f", max(1, o.Every.Seconds())), template.CSS(operatorCSS), template.JS(operatorScript), template.HTML(tables)})
	if err != nil {
		o.Log.Debug("web: operator's page not written", "err", err)
	}
}

// live sends the tables anew whenever they have changed, as server-sent events with HTML in JSON.
func (o *Operator) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	var last []byte
	for {
		tables, err := o.tables(r.Context())
		if err == nil && !bytes.Equal(tables, last) {
			last, err = tables, o.event(w, tables)
		}
		if err != nil {
			o.Log.Debug("web: operator's stream ended", "err", err)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

func (o *Operator) event(w http.ResponseWriter, tables []byte) error {
	data, err := json.Marshal(string(tables))
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "event: tables\ndata: "+string(data)+"\n\n"); err != nil {
		return err
	}
	return control.Flush()
}

// tables are what the page shows, made anew when they are older than Every.
func (o *Operator) tables(ctx context.Context) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.page != nil && time.Since(o.made) < o.Every {
		return o.page, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeLimit) // it is for others, too
	defer cancel()
	seen, err := o.Look(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := operatorTemplate.ExecuteTemplate(&b, "tables", seen); err != nil {
		return nil, err
	}
	o.page, o.made = b.Bytes(), time.Now()
	return o.page, nil
}
