package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newAdmin is a place with a configuration only, whose data folder is not there yet.
func newAdmin(t *testing.T, more string) *place {
	p := &place{t: t, dir: filepath.Join(t.TempDir(), "data")}
	p.config = writeConfig(t, fmt.Sprintf("db = %q\n%s", filepath.Join(p.dir, "hark.db"), more))
	return p
}

// wants runs commands, each of which has to print or fail with some words.
func (p *place) wants(cases map[string]string) {
	p.t.Helper()
	for line, want := range cases {
		out, err := p.run("", strings.Split(line, " ")...)
		if err != nil {
			out += "error: " + err.Error()
		}
		if !strings.Contains(out, want) || strings.HasPrefix(want, "error: ") != (err != nil) {
			p.t.Errorf("hark %s: got %q, want …%s…", line, out, want)
		}
	}
}

// TestBeforeTheFirstStart runs administrators' commands before there is anything: they make the database where it is
// needed, and call nothing an error that is only empty.
func TestBeforeTheFirstStart(t *testing.T) {
	p := newAdmin(t, "")
	p.wants(map[string]string{"check": "database     ok\nsecrets      ok\ncertificates ok\n"})
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("check made the data folder")
	}
	p.wants(map[string]string{
		"audio list":        "EXPIRES\n",
		"audio list --json": "[]\n",
		"audio gc":          "There are no voice messages yet.\n",
		"audio verify":      "There are no voice messages yet.\n",
		"audio show x":      "error: there are no voice messages yet",
		"audio revoke x":    "error: there are no voice messages yet",
	})
	p.wants(map[string]string{"account list --json": "[]\n"})
	p.wants(map[string]string{"audio rotate": "hark.keys.links as soon as the server is restarted", "check": "database     ok\nsecrets      ok\n", "session list": "NETWORKS\n", "session show 1": "error: 1 has no session"})
}

// TestAccountMistakes gives what no account can have, or names accounts that nobody has.
func TestAccountMistakes(t *testing.T) {
	p := newAdmin(t, "[dial]\ntrunks = { \"2\" = \"PJSIP/{number}\" }\n")
	nobody := "error: there is no 1234567; \"hark account list\" shows who is"
	p.wants(map[string]string{
		"account add --name ":                             "error: accounts: this name is empty",
		"account add --name a\x1b[31m":                    "error: accounts: this name is empty",
		"account add --name Ana --language xx":            "error: there is no language \"xx\"; there are de, en",
		"account phone show 1234567":                      nobody,
		"account phone set 1234567 201":                   nobody,
		"account phone drop 1234567":                      nobody,
		"account pin 1234567":                             nobody,
		"account network set 1234567 xmpp a@b.test":       "error: no password was given on standard input",
		"account network set 1234567 icq 99":              "error: \"icq\" is not a network that Hark knows: xmpp",
		"account network set 1234567 xmpp b.test":         "error: im: config: xmpp: \"b.test\" is not an address of the form user@domain",
		"account network set 1234567 xmpp @b.test":        "error: im: config: xmpp: \"@b.test\" is not an address",
		"account network set 1234567 xmpp a@b/r":          "error: im: config: xmpp: \"a@b/r\" has a resource",
		"account network set 1234567 xmpp a@b --server x": "error: im: config: xmpp: server \"x\" is not of the form host:port",
	})
	if out := p.must("", "account", "list", "--json"); out != "[]\n" {
		t.Errorf("there are accounts: %s", out)
	}
	a := p.addAccount("Žofie Ánová-Łuczak 李小龍")
	p.wants(map[string]string{"account list": a.Number + "  Žofie Ánová-Łuczak 李小龍", "account phone show " + a.Number: "is called nowhere"})
}

// TestCheckFinds has the configuration name what is not there, or is no such thing.
func TestCheckFinds(t *testing.T) {
	p := newAdmin(t, "[xmpp]\nca = \"/no/ca.pem\"\n[listen]\ncert = \"/no/cert.pem\"\nkey = \"/no/key.pem\"\n[[number]]\ncalled = \"1\"\nlanguage = \"xx\"\n")
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"hark.db": "this is a letter, and no database", "hark.keys": "hidden"} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.run("", "check")
	if err == nil {
		t.Fatal("all is well")
	}
	for _, want := range []string{
		"texts: number 1: there is no language \"xx\"", "synthesiser: prompts: flite speaks English only; for \"xx\" choose espeak-ng",
		"hark.db is no SQLite database", "secrets: accounts: key file ", "xmpp.ca: open /no/ca.pem", "listen.cert and listen.key: open /no/cert.pem",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not found: %s", want)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Error("a secret is printed")
	}
}

// TestPortTaken starts where another process listens already: it is told at once, before speech is rendered.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, key := range []string{"web", "presence", "admin"} {
		p := newAdmin(t, "[audio]\nurl = \"http://h/a/\"\n[listen]\nweb = \"\"\n")
		config, err := loadConfig(p.config)
		if err != nil {
			t.Fatal(err)
		}
		switch address := taken.Addr().String(); key {
		case "web":
			config.Listen.Web = address
		case "presence":
			config.Listen.Presence = "tls://" + address
		case "admin":
			config.Listen.Admin = address
		}
		err = serve(t.Context(), config, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "listen."+key+": listen tcp") || !strings.Contains(err.Error(), "address already in use") {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := os.Stat(config.Prompts.Cache); err == nil {
			t.Errorf("%s: speech is rendered first", key)
		}
	}
}

// TestStopAtStart asks Hark to stop while it starts: that is no error.
func TestStopAtStart(t *testing.T) {
	p := newAdmin(t, "[listen]\nweb = \"127.0.0.1:0\"\n")
	config, err := loadConfig(p.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	log := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) {
		if strings.Contains(string(b), "database schema brought up to date") {
			stop()
		}
	}), nil))
	if err := serve(ctx, config, log); err != nil || ctx.Err() == nil {
		t.Errorf("got %v, stopped: %v", err, ctx.Err())
	}
}

// writerFunc is a function as an io.Writer.
type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

// TestSessionEndBesideServer ends a session beside the server that has it open: the user can log in again at once.
func TestSessionEndBesideServer(t *testing.T) {
	p := newAdmin(t, fmt.Sprintf("[listen]\nweb = %q\n[prompts]\ncache = %q\n", freeAddress(t), speechFolder(t.TempDir())))
	p.log = &buffer{}
	ana := p.addAccount("Ana")
	defer p.serve()()
	login := func() {
		t.Helper()
		answer, err := http.PostForm("http://"+p.webAddress()+"/login", url.Values{"user": {ana.Number}, "pin": {ana.PIN}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("login: %s", answer.Status)
		}
		if out := p.must("", "session", "list"); !strings.Contains(out, ana.Number) {
			t.Errorf("no session after the login:\n%s", out)
		}
	}
	login()
	p.must("", "session", "end", ana.Number)
	login()
	login()
}
