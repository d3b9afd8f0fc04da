package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hark/internal/testbed"
)

// TestServeACallOverAGI runs the whole program without ARI, on the dialplan that it writes itself, and makes a call:
// number, PIN, main menu, goodbye. The nonce must not reach Hark's log.
func TestServeACallOverAGI(t *testing.T) {
	const nonce = "a-nonce-for-tests-only"
	p := &place{t: t, dir: t.TempDir(), log: &buffer{}}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = p.dir
	}
	p.config = writeConfig(t, fmt.Sprintf("db = %q\n[log]\nlevel = \"debug\"\n[listen]\nweb = %q\nagi = %q\nagi_nonce = %q\n[prompts]\ncache = %q\n",
		filepath.Join(p.dir, "hark.db"), freeAddress(t), freeAddress(t), nonce, filepath.Join(cache, "hark", "speech")))
	plan := p.must("", "dialplan", "--agi")
	p.asterisk = testbed.AsteriskFor(t, testbed.AsteriskOptions{Files: map[string]string{"extensions_hark.conf": plan}})
	ana := p.addAccount("Ana")
	stop := p.serve()
	defer stop()

	script := filepath.Join(p.dir, "call.txt")
	steps := fmt.Sprintf("timeout 40s\nhear %s\npress %s#\nhear %s\npress %s\nhear %s\npress 9\nhear %s\nexpect-hangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"), p.prompt("end.place"))
	if err := os.WriteFile(script, []byte(steps), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := p.run("", "call", "sip:7000@"+p.asterisk.SIPAddr, script)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, p.log)
	}
	if !strings.Contains(p.must("", "session", "list"), ana.Number) {
		t.Error("the session did not outlive the call")
	}
	if err := stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
	for _, secret := range []string{nonce, ana.PIN} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("%q reached the log", secret)
		}
	}
	info, err := os.Stat(filepath.Join(p.dir, "agi"))
	if err != nil || info.Mode().Perm() != 0o770 || info.Mode()&os.ModeSetgid == 0 {
		t.Errorf("the folder for recordings: %v, %v", info, err)
	}
}

// TestDialplanWithoutAGI tells what is missing.
func TestDialplanWithoutAGI(t *testing.T) {
	for config, want := range map[string]string{
		"": "listen.agi must be an address",
		"[listen]\nagi = \"unix:/run/hark/agi.sock\"\nagi_nonce = \"0123456789abcdef\"\n": "listen.agi must be an address",
	} {
		p := &place{t: t, config: writeConfig(t, config)}
		if out, err := p.run("", "dialplan", "--agi"); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: %q, %v", config, out, err)
		}
	}
}
