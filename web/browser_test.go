package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const audioBase = "https://im.example.org/a/"

var ben = im.Address{Network: im.XMPP, ID: "ben@example.org"}

// A door is a web door in front of a whole presence server.
type door struct {
	*presencetest.Bed
	site   *httptest.Server
	phones *telephones
}

func open(t *testing.T) *door { return openWith(t, nil) }

// openWith is open, with a presence server that is changed before it starts.
func openWith(t *testing.T, adjust func(*presence.Server)) *door {
	b := presencetest.Prepare(t)
	b.Adjust = adjust
	b.Start()
	b.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	phones := &telephones{}
	s := &web.Server{Auth: b.Accounts, Accounts: b.Accounts, Dialer: b.Dialer(), Audio: audioBase, Phone: "+49 30 7000",
		Telephones: phones}
	site := httptest.NewServer(s.Handler())
	t.Cleanup(site.Close)
	return &door{Bed: b, site: site, phones: phones}
}

// receive has Ben write to Ana and waits until it is kept.
func (d *door) receive(bodies ...string) {
	d.Helper()
	d.Online(1)
	for _, body := range bodies {
		d.XMPP.Deliver(ben.ID, presencetest.AnaID, body)
	}
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
}

// A browser shows one page at a time.
type browser struct {
	*testing.T
	client *http.Client
	site   string
	at     *url.URL
	status int
	header http.Header
	source string
	page   *html.Node
}

func (d *door) browser(t *testing.T, cookies bool) *browser {
	b := &browser{T: t, client: &http.Client{Transport: &http.Transport{}}, site: d.site.URL}
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.Contains(r.URL.String(), "/s/") {
			t.Errorf("the token stands in a Location: %s", r.URL)
		}
		return nil
	}
	if cookies {
		b.client.Jar, _ = cookiejar.New(nil)
	}
	t.Cleanup(b.client.CloseIdleConnections)
	b.get("/")
	return b
}

func (b *browser) get(href string) {
	b.Helper()
	b.do("GET", href, nil)
}

func (b *browser) post(action string, fields url.Values) {
	b.Helper()
	b.do("POST", action, fields)
}

func (b *browser) do(method, href string, fields url.Values) {
	b.Helper()
	req, err := http.NewRequest(method, b.site+href, strings.NewReader(fields.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (test)")
	if fields != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.at, b.status, b.header, b.source = resp.Request.URL, resp.StatusCode, resp.Header, string(body)
	if b.page, err = html.Parse(strings.NewReader(b.source)); err != nil {
		b.Fatal(err)
	}
	if !strings.Contains(b.header.Get("Content-Type"), "hdml") { // which is not XML
		wellFormed(b.T, b.source)
	}
}

// all lists the elements of a kind.
func (b *browser) all(tag string) (list []*html.Node) {
	for n := range b.page.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			list = append(list, n)
		}
	}
	return list
}

// title is the page's heading.
func (b *browser) title() string {
	b.Helper()
	if h := b.all("h1"); len(h) == 1 {
		return text(h[0])
	}
	b.Fatalf("the page has no heading:\n%s", b.source)
	return ""
}

// follow goes where the link with these words leads.
func (b *browser) follow(words string) {
	b.Helper()
	for _, a := range b.all("a") {
		if text(a) == words {
			b.get(attr(a, "href"))
			return
		}
	}
	b.Fatalf("there is no link %q on %s:\n%s", words, b.at, b.source)
}

// form returns the form whose button says so, with what stands in it.
func (b *browser) form(button string) (action string, fields url.Values) {
	b.Helper()
	for _, f := range b.all("form") {
		fields, found := url.Values{}, false
		for n := range f.Descendants() {
			switch {
			case n.Data == "input" && attr(n, "type") == "submit":
				found = found || attr(n, "value") == button
			case n.Data == "input":
				fields.Set(attr(n, "name"), attr(n, "value"))
			case n.Data == "textarea":
				fields.Set(attr(n, "name"), text(n))
			}
		}
		if found {
			return attr(f, "action"), fields
		}
	}
	b.Fatalf("there is no form %q on %s:\n%s", button, b.at, b.source)
	return "", nil
}

// send fills a form in and sends it.
func (b *browser) send(button string, pairs ...string) (action string, fields url.Values) {
	b.Helper()
	action, fields = b.form(button)
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	b.post(action, fields)
	return action, fields
}

func (b *browser) login() {
	b.Helper()
	b.send("Log in", "user", presencetest.Ana, "pin", presencetest.AnaPIN)
	if b.status != http.StatusOK || !strings.Contains(b.source, "Welcome, Ana") {
		b.Fatalf("not logged in: %d\n%s", b.status, b.source)
	}
}

// says checks that the page contains some words.
func (b *browser) says(words ...string) {
	b.Helper()
	all := text(b.page)
	for _, w := range words {
		if !strings.Contains(all, w) {
			b.Errorf("%s (%d) does not say %q:\n%s", b.at, b.status, w, all)
		}
	}
}

func text(n *html.Node) string {
	var s strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode && d.Parent.Data != "style":
			s.WriteString(d.Data)
		case d.Data == "br":
			s.WriteString("\n")
		}
	}
	return s.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// token finds the session's token in the page's own address or its links.
func (b *browser) token() string {
	for _, a := range b.all("a") {
		if _, rest, ok := strings.Cut(attr(a, "href"), "/s/"); ok {
			token, _, _ := strings.Cut(rest, "/")
			return token
		}
	}
	return ""
}
