package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/xmpppeer"
	"hark/vxml/sound"
)

// The voice message of these tests climbs by one step a second, so that what is heard tells where in it one is.
const (
	stairs    = 9 // seconds
	firstStep = 400.0
	oneStep   = 50.0 // Hz
)

// TestPlaceAcrossDoors leaves a voice message in the middle of a real call, goes on at the same second in a browser, and
// from where the browser stopped back on the telephone.
func TestPlaceAcrossDoors(t *testing.T) {
	p := newPlace(t)
	ana, carla := p.addAccount("Ana"), p.addAccount("Carla")
	defer p.serve()()
	speech := p.soundFile("stairs.wav", stair(0, stairs))
	p.script("timeout 60s\n%s\nhear %s\npress 2\nhear %s\npress %s#\nhear %s\npress 1\nhear %s\nwait 3s\nspeak %s\npress #\nhear %s\npress 1\nhear %s\nhangup\n",
		p.login(carla), p.prompt("home.none"), p.prompt("who"), ana.Number, p.prompt("who.key.1"), p.prompt("record"), speech, p.prompt("review.key.1"), p.prompt("sent"))

	heard := p.listens(ana, p.soundFile("third.wav", stair(2, 1)))
	left := heard[len(heard)-1]

	b := newSurfer(t, p)
	b.post("/login", url.Values{"user": {ana.Number}, "pin": {ana.PIN}})
	b.get(b.find(`<a href="([^"]+)">Go on where you stopped: Carla</a>`))
	at, err := strconv.ParseFloat(b.find(`<audio [^>]*src="[^"]+#t=([0-9.]+)"`), 64)
	if err != nil || math.Abs(at-left) > 1 {
		t.Errorf("%.1f s were heard on the telephone, and the browser goes on at %.1f s, %v", left, at, err)
	}
	b.post("/place", url.Values{"seq": {b.find(`data-seq="(\d+)"`)}, "ms": {"6000"}})

	heard = p.listens(ana, p.soundFile("eighth.wav", stair(7, 1)))
	if math.Abs(heard[0]-6) > 1 {
		t.Errorf("the browser stopped at 6 s, and the telephone goes on at %.1f s", heard[0])
	}
}

// stair is some steps of the message, one a second.
func stair(from, steps int) []int16 {
	var all []int16
	for k := from; k < from+steps; k++ {
		all = append(all, sipphone.Tone(firstStep+oneStep*float64(k), time.Second)...)
	}
	return all
}

func (p *place) soundFile(name string, samples []int16) string {
	p.t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.WriteFile(file, sound.WAV(samples), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

// login are the steps of a call by which a user logs in.
func (p *place) login(a account) string {
	return fmt.Sprintf("hear %s\npress %s#\nhear %s\npress %s", p.prompt("login.number"), a.Number, p.prompt("login.pin"), a.PIN)
}

// listens has a user hear new messages until a sound comes, and hang up. It returns at which seconds of the message the
// call was, from the first to the last that was heard of it.
func (p *place) listens(a account, until string) (seconds []float64) {
	p.t.Helper()
	record := filepath.Join(p.dir, "heard.wav")
	script := fmt.Sprintf("timeout 60s\n%s\npress 1\nhear-file %s\nhangup\n", p.login(a), until)
	if out, err := p.run(script, "call", "--record", record, "sip:7000@"+p.asterisk.SIPAddr); err != nil {
		p.t.Fatalf("%v\n%s\n%s", err, out, p.log)
	}
	file, err := os.ReadFile(record)
	if err != nil {
		p.t.Fatal(err)
	}
	samples, err := sound.Decode(file, "")
	if err != nil {
		p.t.Fatal(err)
	}
	const block = sipphone.Rate / 4
	for ; len(samples) >= block; samples = samples[block:] {
		hz, share := sipphone.ToneFrequency(samples[:block], sipphone.Rate)
		if step := (hz - firstStep) / oneStep; share > 0.9 && math.Abs(step-math.Round(step)) < 0.1 && step > -0.1 && step < stairs {
			seconds = append(seconds, math.Round(step)+0.5)
		}
	}
	if len(seconds) == 0 {
		p.t.Fatal("nothing was heard of the message")
	}
	return seconds
}

// A surfer is a browser with cookies.
type surfer struct {
	t      *testing.T
	site   string
	client *http.Client
	page   string
}

var webListen = regexp.MustCompile(`(?m)^web = "(.*)"$`)

// webAddress is where the web door of a place listens.
func (p *place) webAddress() string {
	p.t.Helper()
	text, err := os.ReadFile(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	return webListen.FindStringSubmatch(string(text))[1]
}

func newSurfer(t *testing.T, p *place) *surfer {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &surfer{t: t, site: "http://" + p.webAddress(), client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	t.Cleanup(b.client.CloseIdleConnections)
	b.get("/")
	return b
}

func (b *surfer) get(href string) { b.t.Helper(); b.ask(http.MethodGet, href, nil) }

func (b *surfer) post(action string, form url.Values) {
	b.t.Helper()
	b.ask(http.MethodPost, action, form)
}

func (b *surfer) ask(method, href string, form url.Values) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site+href, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (test)")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		b.t.Fatalf("%s %s: %s, %v\n%s", method, href, answer.Status, err, text)
	}
	if answer.StatusCode == http.StatusOK { // what has no content leaves the page as it is
		b.page = string(text)
	}
}

// find is what a pattern's brackets hold on the page.
func (b *surfer) find(pattern string) string {
	b.t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(b.page)
	if found == nil {
		b.t.Fatalf("the page has no %s:\n%s", pattern, b.page)
	}
	return html.UnescapeString(found[1])
}

// TestVoiceXMLWeb uses the web door as any VoiceXML gateway would, with Hark's own interpreter and a real call: log in,
// hear a message, answer by voice. The answer reaches an ordinary XMPP client as a link.
func TestVoiceXMLWeb(t *testing.T) {
	p := newPlace(t)
	ana := p.addAccount("Ana")
	p.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@localhost", "--server", p.prosody.Addr)
	p.append("[[number]]\ncalled = \"7000\"\ndialogue = \"voicexml\"\npage = \"http://%s/?as=vxml\"\n", p.webAddress())
	defer p.serve()()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ben, err := xmpppeer.Login(ctx, p.prosody.Addr, "ben@localhost", "secret-ben")
	if err != nil {
		t.Fatal(err)
	}
	defer ben.Close()
	if err := ben.Say(ctx, "ana@localhost", "m1", "The train leaves at ten past five."); err != nil {
		t.Fatal(err)
	}
	p.script("timeout 60s\npress 1\nhear Your number, then the hash key.\npress %s#\nhear PIN, then the hash key.\npress %s#\n"+
		"hear 2: Leave, keep the session.\npress 1\nhear 1: Answer by voice.\npress 1\nhear Speak after the tone, then press hash. It is sent as a recording.\n"+
		"wait 5s\nspeak %s\npress #\nhear To send, press 1. To hear it, 2. To record again, 3. To drop it, 4.\npress 1\nhear 1: Answer by voice.\nhangup\n",
		ana.Number, ana.PIN, p.soundFile("speech.wav", sipphone.Tone(500, 3*time.Second)))
	select {
	case m := <-ben.Messages():
		if m.Link == "" || m.Link != m.Body {
			t.Errorf("Ben got %q", m.Body)
		}
	case <-ctx.Done():
		t.Fatalf("Ben got nothing\n%s", p.log)
	}
}
