package web_test

import (
	"bytes"
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

var pathToken = regexp.MustCompile(`/s/([A-Za-z0-9_-]+)/`)

// A crawl through everything, without cookies, in each kind of HTML: no token reaches another host, a Location or the
// log; nor do PIN, session number or what a message says (threat T5).
func TestCrawl(t *testing.T) {
	bed := presencetest.New(t)
	bed.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	log := &journal{}
	handler := slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})
	site := httptest.NewServer((&web.Server{Auth: bed.Accounts, Dialer: bed.Dialer(), Audio: audioBase, Log: slog.New(handler)}).Handler())
	t.Cleanup(site.Close)
	d := &door{Bed: bed, site: site}
	b := d.browser(t, false)
	b.login()
	secrets := []string{presencetest.AnaPIN, sessionNumber.FindString(b.source), "see https://evil.example/x"}
	d.receive("see https://evil.example/x?y=1")
	tokens := map[string]bool{}
	done := map[string]bool{}
	for range 60 {
		for _, m := range pathToken.FindAllStringSubmatch(b.source, -1) {
			tokens[m[1]] = true
		}
		next := b.untried(tokens, done)
		if next == "" {
			break
		}
		b.get(next)
		if b.status >= 500 {
			t.Errorf("%s: %d", next, b.status)
		}
	}
	if len(done) < 8 || len(tokens) < 8 {
		t.Errorf("only %d pages, %d tokens: %v", len(done), len(tokens), done)
	}
	b.get("/s/nonsense/inbox")
	b.post("/s/nonsense/with/1/send", url.Values{"text": {"x"}})
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for token := range tokens {
		if strings.Contains(log.String(), token) {
			t.Error("a token is in the log")
		}
	}
	t.Logf("%d kinds of pages, %d tokens", len(done), len(tokens))
}

// untried is a link that was not followed yet; what leads elsewhere must not hold a token.
func (b *browser) untried(tokens, done map[string]bool) string {
	b.Helper()
	for _, a := range b.all("a") {
		href := attr(a, "href")
		if !strings.HasPrefix(href, "/s/") {
			for token := range tokens {
				if strings.Contains(href, token) {
					b.Errorf("a token is in %s", href)
				}
			}
			if strings.HasPrefix(href, "http") {
				continue
			}
		}
		kind := pathToken.ReplaceAllString(href, "/s/T/")
		if !done[kind] && strings.HasPrefix(href, "/s/") {
			done[kind] = true
			return href
		}
	}
	for _, a := range b.all("a") { // nothing new here: go on from the inbox, once from each page
		if href := attr(a, "href"); text(a) == "Inbox" && strings.HasPrefix(href, "/s/") && !done["from "+b.title()] {
			done["from "+b.title()] = true
			return href
		}
	}
	return ""
}
