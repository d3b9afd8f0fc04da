package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
)

// TestKeysAreInNoLog makes real calls with user number, PIN and session number, with Hark's log at its most talkative and
// Asterisk's as asterisk-conf has it: neither holds PIN or session number, and Asterisk's not a single key (T21).
func TestKeysAreInNoLog(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ana := p.addAccount("Ana")
	stop := p.serve()
	defer stop()
	b := newSurfer(t, p)
	b.post("/login", url.Values{"user": {ana.Number}, "pin": {ana.PIN}})
	code := strings.ReplaceAll(b.find(`session number is ([0-9 ]+)\.`), " ", "")
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, ana.PIN)
	p.script("timeout 60s\nhear %s\npress %s#\nhear %s\npress %s\nhear I cannot check that.\npress %s#\nhear %s\npress %s\nhear %s\npress 43\nhear Session\nhangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), wrong, ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"))
	p.script("timeout 60s\nhear %s\npress *%s\nhear Enter your PIN.\npress %s\nhear %s\npress 9\nexpect-hangup\n",
		p.prompt("login.number"), code, ana.PIN, p.prompt("home.none"))
	if err := stop(); err != nil {
		t.Error(err)
	}
	theirs, err := p.asterisk.AllLogs()
	if err != nil || !strings.Contains(theirs, "Stasis") {
		t.Fatalf("Asterisk's log does not tell of the calls: %v\n%s", err, theirs)
	}
	for log, text := range map[string]string{"Hark's": p.log.String(), "Asterisk's": theirs} {
		for kind, secret := range map[string]string{"PIN": ana.PIN, "wrong PIN": wrong, "session number": code} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s is in %s log", kind, log)
			}
		}
	}
	if keys, err := p.asterisk.LoggedKeys(); err != nil || keys != "" {
		t.Errorf("%d keys are in Asterisk's log, %v", len(keys), err)
	}
}

// TestLoggedKeysAreFound shows that the search above is not blind: with the level "dtmf" Asterisk does write keys.
func TestLoggedKeysAreFound(t *testing.T) {
	t.Parallel()
	a := testbed.AsteriskFor(t, testbed.AsteriskOptions{LogLevels: "notice,dtmf"})
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:7000@" + a.SIPAddr}) // the apology answers
	if err != nil {
		t.Fatal(err)
	}
	defer call.Hangup(t.Context())
	if err := call.Press(t.Context(), "2468"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		keys, err := a.LoggedKeys()
		if err == nil && strings.Contains(keys, "8") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Asterisk's log tells of the keys %q, %v", keys, err)
		}
	}
}
