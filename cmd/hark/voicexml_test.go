package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answeredByPage has the number of the tests answered by a page.
const answeredByPage = "[[number]]\ncalled = \"7000\"\ndialogue = \"voicexml\"\npage = %q\n"

// TestVoiceXMLCall answers a number with one of the example documents, over a real call.
func TestVoiceXMLCall(t *testing.T) {
	p := newPlace(t)
	page, err := filepath.Abs("../../vxml/examples/announcement/main.vxml")
	if err != nil {
		t.Fatal(err)
	}
	p.append(answeredByPage, page)
	defer p.serve()()
	p.script("timeout 40s\nhear Welcome to the city library.\nhear For our opening hours press 1.\npress 0\nexpect-hangup\n")
}

// TestVoiceXMLInformation calls the information line: subdialogs, data and lists, over a real call.
func TestVoiceXMLInformation(t *testing.T) {
	p := newPlace(t)
	page, err := filepath.Abs("../../vxml/examples/information/main.vxml")
	if err != nil {
		t.Fatal(err)
	}
	p.append(answeredByPage, page)
	defer p.serve()()
	p.script("timeout 60s\nhear Please key the three digits of your stop.\npress 101\nhear Tram 4 to the harbour in 3 minutes.\n" +
		"hear For another stop press 1.\npress 2\nhear You asked for 1 stop.\nexpect-hangup\n")
}

// TestVoiceXMLCheck tells what is wrong with a document, with its line.
func TestVoiceXMLCheck(t *testing.T) {
	good := filepath.Join("..", "..", "vxml", "examples", "office", "main.vxml")
	bad := filepath.Join(t.TempDir(), "bad.vxml")
	if err := os.WriteFile(bad, []byte("<?xml version=\"1.0\"?>\n<vxml version=\"2.1\" xmlns=\"http://www.w3.org/2001/vxml\">\n<form>\n<blok/>\n</form>\n</vxml>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, config: "unused"}
	if out := p.must("", "vxml", "check", good); !strings.Contains(out, "can be run") {
		t.Errorf("a good document: %s", out)
	}
	if out, err := p.run("", "vxml", "check", bad); err == nil || !strings.Contains(out, bad+":4:") {
		t.Errorf("a bad document: %v\n%s", err, out)
	}
}

// TestPageURL names pages in every way that people do; the address is the one that links within the page lead to.
func TestPageURL(t *testing.T) {
	for page, want := range map[string][2]string{
		"/srv/a/../b/x.vxml":               {"file:///srv/b/x.vxml", "file:///srv/b/"},
		"/srv/a b#1%?.vxml":                {"file:///srv/a%20b%231%25%3F.vxml", "file:///srv/"},
		"file:///srv/a/../b/x.vxml":        {"file:///srv/b/x.vxml", "file:///srv/b/"},
		"http://h:80/a/../b/x.vxml?q=/y/z": {"http://h:80/b/x.vxml?q=/y/z", "http://h:80/b/"},
		"http://h":                         {"http://h/", "http://h/"},
	} {
		if got := [2]string{pageURL(page), folderOf(page)}; got != want {
			t.Errorf("%s: got %q, want %q", page, got, want)
		}
	}
}

// TestVoiceXMLRunAbove runs a page that goes to one in the folder above it: only with --allow.
func TestVoiceXMLRunAbove(t *testing.T) {
	folder := t.TempDir()
	write := func(name, block string) {
		path := filepath.Join(folder, name)
		text := `<vxml version="2.1" xmlns="http://www.w3.org/2001/vxml"><form><block>` + block + `</block></form></vxml>`
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("in/first.vxml", `<goto next="../second.vxml"/>`)
	write("second.vxml", `<log>came here</log>`)
	first := filepath.Join(folder, "in", "..", "in", "first.vxml")
	run := func(args ...string) (string, error) {
		var notes strings.Builder
		keys, noKeys := io.Pipe() // the end of the input would hang up
		defer noKeys.Close()
		err := (&program{in: keys, out: io.Discard, errOut: &notes}).run(t.Context(), append([]string{"vxml", "run", "--speed", "50", first}, args...))
		return notes.String(), err
	}
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "neither in the page's folder nor below a base of vxml.allow") {
		t.Errorf("without --allow: %v", err)
	}
	if notes, err := run("--allow", "file://"+folder+"/"); err != nil || !strings.Contains(notes, "came here") {
		t.Errorf("with --allow: %v\n%s", err, notes)
	}
}
