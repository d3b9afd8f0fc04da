package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A webReader is a browser that knows neither cookies nor scripts: it has the page and its links, and nothing else.
type webReader struct {
	site  string
	agent string // what it calls itself, "" for nothing in particular
	page  string
}

// get follows a link; accept is what the browser says that it reads.
func (b *webReader) get(ctx context.Context, href, accept string) error {
	return b.ask(ctx, "GET", href, accept, nil)
}

// post sends a form.
func (b *webReader) post(ctx context.Context, action string, form url.Values) error {
	return b.ask(ctx, "POST", action, "text/html", form)
}

func (b *webReader) ask(ctx context.Context, method, href, accept string, form url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, b.site+href, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", accept)
	if b.agent != "" {
		req.Header.Set("User-Agent", b.agent)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the web front answered %s", resp.Status)
	}
	b.page = string(page)
	return err
}

// link finds the address that the words of a link lead to.
func (b *webReader) link(words string) (string, error) {
	found := regexp.MustCompile(`<a [^>]*href="([^"]+)"[^>]*>` + regexp.QuoteMeta(words) + `</a>`).FindStringSubmatch(b.page)
	if found == nil {
		return "", fmt.Errorf("the page has no link %q", words)
	}
	return html.UnescapeString(found[1]), nil
}

// follow goes where a link leads.
func (b *webReader) follow(ctx context.Context, words, accept string) error {
	href, err := b.link(words)
	if err != nil {
		return err
	}
	return b.get(ctx, href, accept)
}

var (
	markupTags   = regexp.MustCompile(`(?s)<style.*?</style>|<!DOCTYPE[^>]*>|<title>.*?</title>|<[^>]+>`)
	sessionToken = regexp.MustCompile(`/s/[A-Z0-9]+/`)
)

// words are the lines that one reads on the page.
func (b *webReader) words() (lines []string) {
	for line := range strings.Lines(html.UnescapeString(markupTags.ReplaceAllString(b.page, "\n"))) {
		if line = strings.TrimSpace(line); line != "" && line != "·" {
			lines = append(lines, line)
		}
	}
	return lines
}

// anaOnTheWeb ends the demo where the call ended: the same session as a page and as a WML deck.
func (p *play) anaOnTheWeb(ctx context.Context) error {
	p.scene("Ana hangs up and goes on in a browser without cookies and script, by the same session number")
	b := &webReader{site: "http://" + p.web}
	if err := b.post(ctx, "/resume", url.Values{"code": {p.session}, "pin": {p.ana.PIN}}); err != nil {
		return err
	}
	if err := b.follow(ctx, "ben@localhost", "text/html"); err != nil {
		if err := b.follow(ctx, "ben", "text/html"); err != nil {
			return fmt.Errorf("%w; it says %q", err, b.words())
		}
	}
	p.tell("Ana", "🖥  reads: %s", strings.Join(b.words(), " | "))
	if !strings.Contains(html.UnescapeString(b.page), benAnswers) {
		return errors.New("what Ben wrote is not on the page")
	}
	back := b.page
	if err := b.follow(ctx, "Look again", "text/vnd.wap.wml"); err != nil {
		return err
	}
	if !strings.Contains(b.page, "DTD WML 1.1") || !strings.Contains(html.UnescapeString(b.page), benAnswers) {
		return fmt.Errorf("that is no WML deck with what Ben wrote:\n%s", b.page)
	}
	p.tell("Ana", "📱 and on a WAP phone, %d bytes of WML:", len(b.page))
	for line := range strings.Lines(sessionToken.ReplaceAllString(b.page, "/s/…/")) {
		p.tell("", "%s", strings.TrimRight(line, "\n"))
	}
	deck := b.page
	b.page = back // the way back leads over the page before
	return p.pictures(ctx, b, deck)
}
