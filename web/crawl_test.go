package web_test

import (
	"bytes"
	"html"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"hark/im"
	"hark/presence/presencetest"
	"hark/web"
)

// A journal is a log that a test can read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// A crawl through everything, without cookies, in each markup: no token reaches another host, a Location or the log; nor
// do PIN, session number or what a message says (threat T5).
func TestCrawl(t *testing.T) {
	for _, markup := range []string{"html", "xhtml", "wml", "hdml", "vxml"} {
		t.Run(markup, func(t *testing.T) { crawl(t, markup) })
	}
}

func crawl(t *testing.T, markup string) {
	bed := presencetest.New(t)
	bed.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	log := &journal{}
	handler := slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})
	site := httptest.NewServer((&web.Server{Auth: bed.Accounts, Accounts: bed.Accounts, Dialer: bed.Dialer(), Audio: audioBase, Log: slog.New(handler)}).Handler())
	t.Cleanup(site.Close)
	d := &door{Bed: bed, site: site}
	b := d.browser(t, false)
	b.post("/login?as="+markup, url.Values{"user": {presencetest.Ana}, "pin": {presencetest.AnaPIN}})
	secrets := []string{presencetest.AnaPIN, sessionNumber.FindString(b.source), "see https://evil.example/x"}
	d.receive("see https://evil.example/x?y=1")
	bed.XMPP.Deliver(ben.ID, presencetest.AnaID, audioBase+"abc", im.Attachment{URL: audioBase + "abc", Type: "audio/mpeg", Seconds: 3})
	bed.Until("kept", func() bool { return bed.XMPP.Counts().Unacked == 0 })

	c := crawler{browser: b, tokens: map[string]bool{}, done: map[string]bool{}}
	for range 80 {
		next := c.look()
		if next == "" {
			break
		}
		if b.get(next); b.status >= 400 {
			t.Errorf("%s: %d", next, b.status)
		}
	}
	if len(c.done) < 8 || len(c.tokens) < 8 {
		t.Errorf("only %d pages, %d tokens: %v", len(c.done), len(c.tokens), c.done)
	}
	b.get("/s/nonsense/inbox")
	b.post("/s/nonsense/with/1/send", url.Values{"text": {"x"}})
	for _, secret := range secrets {
		if secret == "" || strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for token := range c.tokens {
		if strings.Contains(log.String(), token) {
			t.Error("a token is in the log")
		}
	}
	t.Logf("%d kinds of pages, %d tokens", len(c.done), len(c.tokens))
}

// A crawler follows every kind of link once.
type crawler struct {
	*browser
	tokens map[string]bool // all that it has seen
	done   map[string]bool // kinds of links, without their tokens
}

var (
	pathToken = regexp.MustCompile(`/s/([A-Za-z0-9_-]+)/`)
	// addresses are all that a page names, links those that one follows with GET.
	addresses = regexp.MustCompile(`(?:href|src|action|onpick|next|expr|DEST)="([^"]*)"`)
	links     = regexp.MustCompile(`(?:<a (?:class="who" )?(?:dir="auto" )?href|<option onpick|<choice dtmf="\d" next|<CE TASK="GO" DEST)="(/[^"]*)"`)
)

// look checks the page, and returns a link that was not followed yet; "" when there is none anywhere.
func (c *crawler) look() string {
	c.Helper()
	for _, m := range pathToken.FindAllStringSubmatch(c.source, -1) {
		c.tokens[m[1]] = true
	}
	for _, m := range addresses.FindAllStringSubmatch(c.source, -1) {
		if strings.HasPrefix(m[1], "/s/") || strings.HasPrefix(m[1], "#") {
			continue
		}
		for token := range c.tokens {
			if strings.Contains(m[1], token) {
				c.Errorf("a token is in %s", m[1])
			}
		}
	}
	inbox := ""
	for _, m := range links.FindAllStringSubmatch(c.source, -1) {
		href := html.UnescapeString(m[1])
		if kind := pathToken.ReplaceAllString(href, "/s/T/"); strings.HasPrefix(href, "/s/") && !c.done[kind] {
			c.done[kind] = true
			return href
		}
		if strings.Contains(href, "/inbox") {
			inbox = href
		}
	}
	if here := "from " + pathToken.ReplaceAllString(c.at.RequestURI(), "/s/T/"); inbox != "" && !c.done[here] { // go on from there
		c.done[here] = true
		return inbox
	}
	return ""
}
