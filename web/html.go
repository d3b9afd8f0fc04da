package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"sync"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed player.js
	playerScript string
	//go:embed script.js
	mainScript string

	pageScript   = playerScript + mainScript
	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"key": key}).Parse(pageHTML))
	styleHash    = hash(pageCSS)
	scriptHash   = hash(pageScript)
)

// key is the key of a telephone that picks item number i of a list; "" behind the ninth.
func key(i int) string {
	if i >= 9 {
		return ""
	}
	return fmt.Sprint(i + 1)
}

// writeScript sends the pages' script. Its address changes with it, so that it may be kept.
func writeScript(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	io.WriteString(w, pageScript) // an error is the browser's going away
}

// hash names a style or a script of ours for the content security policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// bodies are the buffers in which pages are made. A page takes several times its size while a buffer grows, and what is
// thrown away at every page makes others wait for the garbage collector.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// writeHTML writes a page as XHTML Basic 1.1 that old browsers can show. rich adds what browsers of today understand on
// top of it. media is where sound may come from, besides this host.
func writeHTML(w http.ResponseWriter, p Page, name, media string, rich bool) error {
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	err := pageTemplate.Execute(body, struct {
		Page      Page // not embedded: a template looks promoted fields up slowly
		Name      string
		CSS       template.CSS
		Version   string
		Integrity string
		Rich      bool
	}{p, name, template.CSS(pageCSS), scriptHash[len(scriptHash)-9 : len(scriptHash)-1], scriptHash, rich})
	if err != nil {
		return fmt.Errorf("web: page %q: %w", p.Title, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(body.Len()))
	script := ""
	if rich {
		script = "; script-src 'self'; connect-src 'self'"
		media += " blob:" // what was just recorded
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash+"'"+script+"; media-src 'self' "+media+
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
