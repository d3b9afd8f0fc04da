package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	pageTemplate = template.Must(template.New("page").Parse(pageHTML))
	styleHash    = func() string {
		sum := sha256.Sum256([]byte(pageCSS))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

// writeHTML writes a page as XHTML Basic 1.1 that old browsers can show. rich adds what browsers of today understand on
// top of it. media is where sound may come from, besides this host.
func writeHTML(w http.ResponseWriter, p Page, name, media string, rich bool) error {
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, struct {
		Page
		Name string
		CSS  template.CSS
		Rich bool
	}{p, name, template.CSS(pageCSS), rich})
	if err != nil {
		return fmt.Errorf("web: page %q: %w", p.Title, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(body.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; media-src 'self' "+media+
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, err = body.WriteTo(w)
	return err
}

// secure sets the headers that every answer has.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
