package main

import (
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
