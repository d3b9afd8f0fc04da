package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
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

// TestVoiceXMLMessenger answers a number with the messenger's own pages for voice browsers, as the web door writes them: a
// caller logs in, hears who is there, and writes to somebody.
func TestVoiceXMLMessenger(t *testing.T) {
	p := newPlace(t)
	ana, ben := p.addAccount("Ana"), p.addAccount("Ben")
	p.append(answeredByPage, "http://"+p.web+"/")
	stop := p.serve()
	defer stop()
	_ = ben
	jar, _ := cookiejar.New(nil)
	c := http.Client{Jar: jar}
	get := func(r *http.Request) {
		r.Header.Set("Accept", "application/voicexml+xml")
		resp, err := c.Do(r)
		if err != nil { t.Fatal(err) }
		b, _ := io.ReadAll(resp.Body)
		fmt.Println(resp.StatusCode, resp.Request.URL, string(b))
	}
	r, _ := http.NewRequest("GET", "http://"+p.web+"/", nil)
	get(r)
	r, _ = http.NewRequest("POST", "http://"+p.web+"/login", strings.NewReader("user="+ana.Number+"&pin="+ana.PIN))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	get(r)
	for _, x := range []string{"/", "/messages", "/write", "/people"} {
	r, _ = http.NewRequest("GET", "http://"+p.web+x, nil)
	get(r)
	}
	return
	p.script("timeout 60s\nwait 10s\npress 1\nwait 3s\npress %s#\nwait 3s\npress %s#\nwait 10s\nhangup\n", ana.Number, ana.PIN)
	t.Log(p.log)
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
