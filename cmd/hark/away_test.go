package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/internal/xmpppeer"
)

// TestProsodyAway takes the XMPP server away in the middle of a call: the caller is told that the message is kept, and
// the contact gets it, once, when the server is back.
func TestProsodyAway(t *testing.T) {
	p := newPlace(t)
	ana := p.addAccount("Ana")
	p.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@localhost", "--server", p.prosody.Addr)
	defer p.serve()()

	p.script("timeout 40s\nhear %s\npress %s#\nhear %s\npress %s\nhear %s\nhangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"))
	if err := p.prosody.Kill(); err != nil {
		t.Fatal(err)
	}
	p.until("Hark knows that the server is away", func() bool { return strings.Contains(p.log.String(), "external login lost") })
	p.script("timeout 40s\nhear %s\npress %s#\nhear %s\npress %s\nhear %s\npress 2\nhear %s\npress 1#\nhear %s\npress 1\nhear %s\n"+
		"wait 3s\ntone 440 3s\npress #\nhear %s\npress 1\nhear %s\nhangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"), p.prompt("who"),
		p.prompt("who.key.1"), p.prompt("record"), p.prompt("review.key.1"), p.prompt("sent.queued"))

	if err := p.prosody.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ben, err := xmpppeer.Login(ctx, p.prosody.Addr, "ben@localhost", "secret-ben")
	if err != nil {
		t.Fatal(err)
	}
	defer ben.Close()
	select {
	case m := <-ben.Messages():
		if m.Link == "" {
			t.Errorf("Ben got %q without a link", m.Body)
		}
	case <-ctx.Done():
		t.Fatalf("nothing came\n%s", p.log)
	}
	select {
	case m := <-ben.Messages():
		t.Errorf("it came twice: %q", m.Body)
	case <-time.After(2 * time.Second): // what comes twice comes at once: both would be sent by one login
	}
}

// script makes a call of some steps.
func (p *place) script(steps string, args ...any) { p.t.Helper(); p.scriptFrom("", steps, args...) }

// scriptFrom makes a call that shows a caller id.
func (p *place) scriptFrom(caller, steps string, args ...any) {
	p.t.Helper()
	file := filepath.Join(p.dir, "call.txt")
	if err := os.WriteFile(file, fmt.Appendf(nil, steps, args...), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if out, err := p.run("", "call", "--caller", caller, "sip:7000@"+p.asterisk.SIPAddr, file); err != nil {
		p.t.Fatalf("%v\n%s\n%s", err, out, p.log)
	}
}
