package web_test

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"hark/presence/presencetest"
)

// A fetcher gets a page with a program of its own, one process a page, without cookies and without script.
type fetcher func(t *testing.T, address string, form url.Values) (page string)

// curl speaks HTTP/1.0.
func curl(t *testing.T, address string, form url.Values) string {
	args := []string{"-0", "-s", "-S", address}
	if form != nil {
		args = append(args, "--data-binary", form.Encode())
	}
	return output(t, "", "curl", args...)
}

// lynx sends forms that stand on its input.
func lynx(t *testing.T, address string, form url.Values) string {
	if form == nil {
		return output(t, "", "lynx", "-source", address)
	}
	return output(t, form.Encode()+"\n---\n", "lynx", "-source", "-post_data", address)
}

// w3m sends forms that stand in a file.
func w3m(t *testing.T, address string, form url.Values) string {
	if form == nil {
		return output(t, "", "w3m", "-no-cookie", "-dump_source", address)
	}
	return output(t, form.Encode(), "w3m", "-no-cookie", "-dump_source", "-post", "/dev/stdin", address)
}

// output runs a program, bounded in time and with a home of its own.
func output(t *testing.T, input, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TERM=dumb"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

// Real old browsers log in, read, answer, send the same form again, and log out.
func TestOldBrowsers(t *testing.T) {
	for name, fetch := range map[string]fetcher{"curl": curl, "lynx": lynx, "w3m": w3m} {
		t.Run(name, func(t *testing.T) {
			need(t, name, name)
			d := open(t)
			b := &browser{T: t, site: d.site.URL}
			load := func(href string, form url.Values) {
				t.Helper()
				b.at, _ = url.Parse(d.site.URL + href)
				b.source = fetch(t, d.site.URL+href, form)
				var err error
				if b.page, err = html.Parse(strings.NewReader(b.source)); err != nil {
					t.Fatal(err)
				}
				wellFormed(t, b.source)
			}
			load("/", nil)
			action, form := b.form("Log in")
			form.Set("user", presencetest.Ana)
			form.Set("pin", presencetest.AnaPIN)
			load(action, form)
			b.says("Welcome, Ana")
			d.receive("Are you coming?")
			load(b.href("Look again"), nil)
			load(b.href("Ben"), nil)
			b.says("Are you coming?")
			action, form = b.form("Send")
			form.Set("text", "From "+name+": 50 % & <more>, 你好")
			load(action, form)
			b.says("Sent.")
			load(action, form)
			if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != form.Get("text") {
				t.Errorf("Ben got %+v", got)
			}
			load(b.href("Inbox"), nil)
			action, form = b.form("Log out")
			load(action, form)
			b.says("ended")
			if c := d.XMPP.Counts(); c.Logouts != 1 {
				t.Errorf("%+v", c)
			}
			if !strings.Contains(b.source, "XHTML Basic 1.1") {
				t.Errorf("%s got what is for browsers of today", name)
			}
		})
	}
}

// href is where the link with these words leads.
func (b *browser) href(words string) string {
	b.Helper()
	for _, a := range b.all("a") {
		if text(a) == words {
			return attr(a, "href")
		}
	}
	b.Fatalf("there is no link %q on %s:\n%s", words, b.at, b.source)
	return ""
}
