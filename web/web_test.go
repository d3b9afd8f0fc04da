package web_test

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/im"
	"hark/presence/presencetest"
	"hark/web"
)

// The whole way, with cookies and without: log in, hear of a message, read it, answer, see it done, leave.
func TestVisit(t *testing.T) {
	for name, cookies := range map[string]bool{"cookies": true, "token in the address": false} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			b := d.browser(t, cookies)
			b.login()
			if b.title() != "No new messages" || (b.token() == "") != cookies {
				t.Errorf("%s, token %q", b.title(), b.token())
			}
			d.receive("Are you coming?", "At eight?\nAt nine?")
			b.follow("Look again")
			if b.title() != "2 new messages" {
				t.Errorf("%s", b.title())
			}
			b.says("Ben", "2 new", "At eight? At nine?")
			b.follow("Ben")
			b.says("Are you coming?", "At eight?\nAt nine?")
			if b.title() != "Ben" {
				t.Errorf("%s", b.title())
			}
			action, fields := b.send("Send", "text", "At eight.\r\nSee you!")
			b.says("Sent.", "You", "At eight.\nSee you!")
			b.post(action, fields) // Reload
			b.says("Sent.")
			b.post(action, fields)
			got := d.XMPP.Received()
			if len(got) != 1 || got[0].Body != "At eight.\nSee you!" || got[0].To != ben {
				t.Errorf("Ben got %+v", got)
			}
			b.follow("Inbox")
			if b.title() != "No new messages" {
				t.Errorf("after the answer: %s", b.title())
			}
			b.says("You: At eight. See you!")
			b.send("Leave, keep the session")
			b.says("stays open")
			d.Until("left", func() bool { return d.Server.Stats().Clients == 0 })
			if s, c := d.Server.Stats(), d.XMPP.Counts(); s.Sessions != 1 || c.Online != 1 {
				t.Errorf("after leaving: %+v, %+v", s, c)
			}
		})
	}
}

// Reading moves nothing; Seen does, for one person at a time.
func TestSeen(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("from Ben")
	carla := im.Address{Network: im.XMPP, ID: "carla@example.org"}
	d.XMPP.Deliver(carla.ID, presencetest.AnaID, "from Carla")
	d.receive("from Ben again")
	for _, href := range []string{"/inbox", "/people", "/with/1", "/with/2", "/inbox", "/with/1?before=3"} {
		b.get(href)
	}
	if w, err := d.Store.Waiting(t.Context(), presencetest.Ana, "web"); w.Count != 3 || err != nil {
		t.Errorf("after looking around %d are waiting, %v", w.Count, err)
	}
	b.get("/with/1")
	action, fields := b.send("Seen")
	if b.title() != "One new message" {
		t.Errorf("Ben's are seen: %s", b.title())
	}
	b.says("carla")
	b.get("/with/1")
	if forms := len(b.all("form")); forms != 1 {
		t.Errorf("%d forms where everything is seen", forms)
	}
	b.get("/with/2")
	b.send("Seen")
	if b.title() != "No new messages" {
		t.Errorf("all are seen: %s", b.title())
	}
	d.receive("new")
	b.post(action, fields) // an old form again
	if b.title() != "One new message" {
		t.Errorf("after an old form: %s", b.title())
	}
	if cursor, err := d.Store.Cursor(t.Context(), presencetest.Ana, "web"); cursor != 3 || err != nil {
		t.Errorf("the cursor is %d, %v", cursor, err)
	}
	if w, err := d.Store.Waiting(t.Context(), presencetest.Ana, "phone"); w.Count != 4 || err != nil {
		t.Errorf("for the telephone %d are waiting, %v", w.Count, err)
	}
}

// A long conversation comes in pages, from the newest back to the first.
func TestOlder(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint("message ", i))
	}
	d.receive(want...)
	b.get("/with/1")
	var got []string
	for {
		var page []string
		for _, p := range b.all("p") {
			if attr(p, "class") == "said" {
				page = append(page, text(p))
			}
		}
		got = append(page, got...)
		if !strings.Contains(b.source, "Older messages") {
			break
		}
		b.follow("Older messages")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestNoSuchPage asks for pages that are not there: the way back into the session is offered, also where it is in the address.
func TestNoSuchPage(t *testing.T) {
	d := openWith(t, nil)
	for _, cookies := range []bool{true, false} {
		b := d.browser(t, cookies)
		b.login()
		b.follow("You")
		base := strings.TrimSuffix(b.at.Path, "/you")
		for path, title := range map[string]string{"/with/99": "No such person", "/nothing": "No such page", "/place": "No such page"} {
			b.get(base + path)
			if b.status != http.StatusNotFound || b.title() != title {
				t.Errorf("%s: %d %s", path, b.status, b.title())
			}
			if cookies && title == "No such page" {
				b.follow("Start")
				b.follow("Back to your messages")
			} else {
				b.follow("Inbox")
			}
			b.says("Everybody")
			base = strings.TrimSuffix(b.at.Path, "/inbox")
		}
	}
	b := d.browser(t, true)
	for _, path := range []string{"/login", "/resume"} {
		b.get(path)
		b.says("Your number", "Session number")
	}
}

func TestLoginRefused(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	var said []string
	for _, user := range []string{presencetest.Ana, "9999999", ""} {
		b.send("Log in", "user", user, "pin", "000000")
		if b.status != http.StatusForbidden {
			t.Errorf("%q: %d", user, b.status)
		}
		if kept := fmt.Sprintf(`name="user" value="%s"`, user); !strings.Contains(b.source, kept) || strings.Contains(b.source, "000000") {
			t.Errorf("%q: the number is not kept, or the PIN is", user)
		}
		b.source = strings.ReplaceAll(b.source, `value="`+user+`"`, "")
		said = append(said, regexp.MustCompile(`Secure|[A-Z0-9]{26}`).ReplaceAllString(b.source, ""))
	}
	if said[0] != said[1] {
		t.Error("an unknown number looks different from a wrong PIN")
	}
	b.get("/inbox")
	b.says("Please log in")
	if b.status != http.StatusForbidden {
		t.Errorf("without a session: %d", b.status)
	}
	b.get("/s/AAAAAAAAAAAAAAAAAAAAAA/inbox")
	b.says("Please log in")
}

var sessionNumber = regexp.MustCompile(`\d{3} \d{3} \d{3}`)

// The session number opens the session from the web, but never without the PIN.
func TestResumeByNumber(t *testing.T) {
	d := open(t)
	first := d.browser(t, true)
	first.login()
	code := sessionNumber.FindString(first.source)
	b := d.browser(t, true)
	b.send("Go on", "code", code, "pin", "")
	b.says("I cannot check that")
	b.send("Go on", "code", code, "pin", "000000")
	b.says("I cannot check that")
	b.send("Go on", "code", code, "pin", presencetest.AnaPIN)
	b.says("Welcome, Ana")
	if fresh := sessionNumber.FindString(b.source); fresh == code || fresh == "" {
		t.Errorf("the session number was %q and is %q", code, fresh)
	}
}

// A token in the address is good for its page and the one before; after Leave no address of the visit is good.
func TestTokenChain(t *testing.T) {
	d := open(t)
	b := d.browser(t, false)
	b.login()
	var tokens []string
	for range 3 {
		tokens = append(tokens, b.token())
		b.follow("Look again")
	}
	b.get("/s/" + tokens[0] + "/inbox")
	b.says("Please log in")
	b.get("/s/" + tokens[2] + "/inbox") // Back
	if b.status != http.StatusOK {
		t.Errorf("one page back: %d", b.status)
	}
	tokens = append(tokens, b.token())
	b.send("Leave, keep the session")
	for _, token := range tokens {
		if b.get("/s/" + token + "/inbox"); b.status != http.StatusForbidden {
			t.Errorf("after leaving a token is good: %d", b.status)
		}
	}
}

func TestLogout(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	b.send("Log out")
	b.says("ended")
	if c := d.XMPP.Counts(); c.Online != 0 || c.Logouts != 1 {
		t.Errorf("%+v", c)
	}
	b.get("/inbox")
	b.says("Please log in")
}

// No link, source or header that leaves the site shows the token, and no link in a message leads away directly.
func TestTokenStaysHere(t *testing.T) {
	d := open(t)
	b := d.browser(t, false)
	b.login()
	d.Online(1)
	d.XMPP.Deliver(ben.ID, presencetest.AnaID, "look: https://evil.example/?a=1&b=<2>, or http://evil.example:80/x. javascript:alert(1)",
		im.Attachment{URL: audioBase + "abc", Type: "audio/mpeg", Seconds: 2.4},
		im.Attachment{URL: "https://evil.example/track.mp3", Type: "audio/mpeg"},
		im.Attachment{URL: "javascript:alert(1)", Type: "audio/mpeg"},
		im.Attachment{URL: "https://im.example.org.evil.example/a/x", Type: "audio/mpeg"})
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
	b.follow("Look again")
	b.says("Voice message")
	b.follow("Ben")
	var outside []string
	for n := range b.page.Descendants() {
		for _, a := range n.Attr {
			if a.Key != "href" && a.Key != "src" && a.Key != "action" {
				continue
			}
			if !strings.HasPrefix(a.Val, "/s/") && !strings.HasPrefix(a.Val, "#") {
				outside = append(outside, a.Val)
			}
			if strings.Contains(a.Val, b.token()) && !strings.HasPrefix(a.Val, "/s/"+b.token()+"/") {
				t.Errorf("the token is in %s", a.Val)
			}
		}
	}
	want := []string{
		"/out?to=https%3A%2F%2Fevil.example%2F%3Fa%3D1%26b%3D", "/out?to=http%3A%2F%2Fevil.example%3A80%2Fx",
		audioBase + "abc", audioBase + "abc", "/out?to=https%3A%2F%2Fevil.example%2Ftrack.mp3",
		"/out?to=https%3A%2F%2Fim.example.org.evil.example%2Fa%2Fx",
	}
	if !slices.Equal(outside, want) {
		t.Errorf("%q", outside)
	}
	b.says("Voice message, 3 s")
	if n := len(b.all("audio")); n != 1 {
		t.Errorf("%d players", n)
	}
	b.get(want[0])
	b.says("https://evil.example/?a=1&b=", "Go there")
	if h := b.header.Get("Referrer-Policy"); h != "no-referrer" || strings.Contains(b.at.String(), "/s/") {
		t.Errorf("the page out at %s: %q", b.at, h)
	}
	for _, bad := range []string{"javascript:alert(1)", "//evil.example", "ftp://x/y", "", "http://"} {
		if b.get("/out?to=" + url.QueryEscape(bad)); b.status != http.StatusNotFound {
			t.Errorf("the page out leads to %q", bad)
		}
	}
}

func TestHeaders(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	check := func() {
		t.Helper()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got := b.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", b.at, name, got)
			}
		}
		policy := b.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "media-src 'self' https://im.example.org blob:;", "script-src 'self';"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy is %q", b.at, policy)
			}
		}
		for _, script := range b.all("script") {
			if !strings.HasPrefix(attr(script, "src"), "/page.js?") || attr(script, "integrity") == "" || script.FirstChild != nil {
				t.Errorf("%s: a script that is not ours", b.at)
			}
		}
		if len(b.all("img")) > 0 || strings.Contains(b.source, " style=") {
			t.Errorf("%s: a script, image or style", b.at)
		}
	}
	check()
	for _, c := range b.header["Set-Cookie"] {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || strings.Contains(c, "Secure") {
			t.Errorf("cookie %s", c)
		}
	}
	b.login()
	check()
	if cookies := strings.Join(b.header["Set-Cookie"], "|"); !strings.Contains(cookies, "hark=") || strings.Count(cookies, "HttpOnly; SameSite=Lax") != 2 {
		t.Errorf("%s", cookies)
	}
	for _, href := range []string{"/inbox", "/people", "/nowhere", "/with/99", "/with/x"} {
		b.get(href)
		check()
	}
	if b.status != http.StatusNotFound {
		t.Errorf("nobody: %d", b.status)
	}
}

// A form from another site does nothing.
func TestCrossOrigin(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("hello")
	b.follow("Look again")
	b.follow("Ben")
	action, fields := b.form("Send")
	site := d.site.URL
	for i, c := range []struct {
		origin, fetchSite string
		sent              bool
	}{
		{"", "", true}, // a browser of before 2020, lynx, curl
		{"", "same-origin", true},
		{"", "none", true},
		{"", "same-site", false},
		{"", "cross-site", false},
		{site, "", true},
		{site, "same-origin", true},
		{"https://evil.example", "", false},
		{"https://evil.example", "cross-site", false},
		{"null", "cross-site", false},
		{"null", "", false},
	} {
		fields.Set("text", fmt.Sprint("message ", i))
		fields.Set("once", fmt.Sprint("number", i))
		req, err := http.NewRequest("POST", site+action, strings.NewReader(fields.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.fetchSite} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		before := len(d.XMPP.Received())
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if sent := len(d.XMPP.Received()) > before; sent != c.sent || (resp.StatusCode == http.StatusForbidden) == c.sent {
			t.Errorf("Origin %q, Sec-Fetch-Site %q: %d, sent %v", c.origin, c.fetchSite, resp.StatusCode, sent)
		}
	}
}

// Forms that make no sense, or were used already.
func TestBadForms(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("hello")
	b.get("/with/1")
	action, fields := b.form("Send")
	with := func(pairs ...string) url.Values {
		v := url.Values{}
		for name := range fields {
			v.Set(name, fields.Get(name))
		}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	for _, c := range []struct {
		fields url.Values
		status int
		says   string
	}{
		{with("text", " \r\n"), http.StatusConflict, "nothing to send"},
		{with("text", "x", "once", ""), http.StatusBadRequest, "did not arrive whole"},
		{with("text", "x", "once", "a b"), http.StatusBadRequest, "did not arrive whole"},
		{with("text", strings.Repeat("x", 20_000)), http.StatusConflict, "too long"},
		{with("text", "bell\x07 and \x00nul"), http.StatusConflict, "taken out"},
		{with("text", strings.Repeat("x", 200_000)), http.StatusBadRequest, "did not arrive whole"},
		{with("text", "first"), http.StatusOK, "Sent."},
		{with("text", "second"), http.StatusConflict, "used already"},
	} {
		b.post(action, c.fields)
		if b.status != c.status {
			t.Errorf("%.40q: %d", c.fields, b.status)
		}
		b.says(c.says)
	}
	b.send("Send") // the text that was kept, in a fresh form
	if got := d.XMPP.Received(); len(got) != 2 || got[1].Body != "second" {
		t.Errorf("%+v", got)
	}
	b.post("/with/99/send", with("text", "x"))
	if b.status != http.StatusNotFound {
		t.Errorf("to nobody: %d", b.status)
	}
}

// While a network is away the pages say so, and what is written is kept.
func TestNetworkAway(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("hello")
	d.XMPP.Fail(&im.Error{Class: im.Network, Err: errors.New("away")})
	d.Until("noticed", func() bool {
		b.get("/inbox")
		return strings.Contains(b.source, "Your connection to XMPP (ana@example.org) is down since")
	})
	b.follow("You")
	b.says("not connected since", "is down since")
	b.get("/with/1")
	b.send("Send", "text", "later")
	b.says("Kept.", "waiting to be sent")
}

// The presence server is away: the page says so and offers to try again.
func TestPresenceAway(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Stop()
	b.get("/inbox")
	b.says("Nothing is lost")
	if b.status != http.StatusServiceUnavailable || b.header.Get("Retry-After") == "" {
		t.Errorf("%d", b.status)
	}
}

// A browser of 1996: HTTP/1.0, no cookies, no Host, one connection a page.
func TestHTTP10(t *testing.T) {
	d := open(t)
	ask := func(request string) string {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.site.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, request)
		page, err := io.ReadAll(bufio.NewReader(conn))
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	form := url.Values{"user": {presencetest.Ana}, "pin": {presencetest.AnaPIN}}.Encode()
	page := ask(fmt.Sprintf("POST /login HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(form), form))
	href := regexp.MustCompile(`href="(/s/[^"]*/people)"`).FindStringSubmatch(page)
	if !strings.HasPrefix(page, "HTTP/1.0 200") || href == nil {
		t.Fatalf("%s", page)
	}
	if page = ask("GET " + href[1] + " HTTP/1.0\r\n\r\n"); !strings.Contains(page, ">Ben</a>") {
		t.Errorf("%s", page)
	}
}

// An unused session lapses after 10 minutes, in a cookie too.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bed := presencetest.New(t)
		handler := (&web.Server{Auth: bed.Accounts, Dialer: bed.Dialer()}).Handler()
		client := bed.Client()
		defer client.Close()
		ask := func(cookie string) int {
			r := httptest.NewRequest("GET", "/inbox", nil)
			r.Header.Set("Cookie", "hark="+cookie)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w.Code
		}
		_, reply := bed.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		for range 3 {
			time.Sleep(9 * time.Minute)
			if code := ask(reply.Session); code != http.StatusOK {
				t.Errorf("within 10 minutes: %d", code)
			}
		}
		time.Sleep(11 * time.Minute)
		if code := ask(reply.Session); code != http.StatusForbidden {
			t.Errorf("after 11 minutes: %d", code)
		}
	})
}

// wellFormed checks that a page is XML too, so that no markup in it is an accident.
func wellFormed(t testing.TB, page string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(page))
	dec.Entity = xml.HTMLEntity
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%v in\n%s", err, page)
			return
		}
	}
}
