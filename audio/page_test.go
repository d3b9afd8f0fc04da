package audio

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPreviewersGetThePage(t *testing.T) {
	_, h, rec, path := served(t, time.Second, Meta{Title: "Hello"})
	for _, agent := range []string{"Slackbot-LinkExpanding 1.0", "WhatsApp/2.23", "TelegramBot (like TwitterBot)", "facebookexternalhit/1.1", "Synapse (bot)"} {
		r := ask(h, "GET", path, "Accept", "*/*", "User-Agent", agent)
		page := string(body(t, r))
		for _, want := range []string{`property="og:title" content="Hello"`, `property="og:audio" content="` + rec.URL + `.mp3"`, `property="og:url" content="` + rec.URL + `"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %s", agent, want)
			}
		}
	}
	if r := ask(h, "GET", path+".mp3", "User-Agent", "WhatsApp/2.23"); r.Header.Get("Content-Type") != "audio/mpeg" {
		t.Errorf("the MP3 itself: %v", r.Header)
	}
}

// TestPageIsSelfContained: it loads nothing but its own sound, and has no script and no style but the one.
func TestPageIsSelfContained(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, time.Second, Meta{Title: `"><script>alert(1)</script>`, From: "{{.}} $(x)"})
	h := NewHandler(s.Store, HandlerConfig{Answer: "+49 30 4711-001"})
	path := strings.TrimPrefix(rec.URL, "http://im.test")
	page := string(body(t, ask(h, "GET", path, "Accept", browser)))
	for _, bad := range []string{"<script", "javascript:", " style=", "onload", "<link", "<img", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	if !strings.Contains(page, `href="tel:&#43;49304711001"`) && !strings.Contains(page, `href="tel:+49304711001"`) {
		t.Error("no telephone number to answer")
	}
	for _, part := range strings.Split(page, `src="`)[1:] {
		if !strings.HasPrefix(part, strings.TrimPrefix(path, "/a/")) {
			t.Errorf("the page loads %.60s", part)
		}
	}
}

// deck is as much of WML as our page has.
type deck struct {
	Card struct {
		Text string `xml:",innerxml"`
	} `xml:"card"`
}

func TestWML(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, time.Second, Meta{Title: strings.Repeat("<$&>", 100), From: "Ana $(p)", Part: true})
	h := NewHandler(s.Store, HandlerConfig{Answer: "030 4711"})
	path := strings.TrimPrefix(rec.URL, "http://im.test")
	for _, accept := range []string{"text/vnd.wap.wml", "application/vnd.wap.wmlc, text/html;q=0.1"} {
		r := ask(h, "GET", path, "Accept", accept)
		b := body(t, r)
		var d deck
		if err := xml.Unmarshal(b, &d); err != nil {
			t.Fatalf("%v in\n%s", err, b)
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/vnd.wap.wml") || len(b) > 1300 {
			t.Errorf("%v, %d bytes", r.Header, len(b))
		}
		for _, want := range []string{"Ana $$(p)", "&lt;$$&amp;&gt;", "wtai://wp/mc;0304711", partWords} {
			if !strings.Contains(d.Card.Text, want) {
				t.Errorf("no %s in %s", want, d.Card.Text)
			}
		}
	}
	if err := s.Revoke(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
	r := ask(h, "GET", path, "Accept", "text/vnd.wap.wml")
	if b := body(t, r); r.StatusCode != 410 || !bytes.Contains(b, []byte("is gone")) || !bytes.Contains(b, []byte("<wml>")) {
		t.Errorf("after Revoke: %s\n%s", r.Status, b)
	}
}

// TestWMLIsValid by the DTD of what all versions of WML share, the deck as well as the words for what is gone.
func TestWMLIsValid(t *testing.T) {
	s := newStore(t, nil)
	rec := s.put(t, time.Second, Meta{Title: "<$&>", From: "Ana $(p)", Part: true})
	h := NewHandler(s.Store, HandlerConfig{Answer: "030 4711"})
	for _, path := range []string{strings.TrimPrefix(rec.URL, "http://im.test"), "/a/nothing"} {
		file := filepath.Join(t.TempDir(), "deck.xml")
		if err := os.WriteFile(file, body(t, ask(h, "GET", path, "Accept", "text/vnd.wap.wml")), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "xmllint", "--nonet", "--noout", "--dtdvalid", "../web/testdata/wml.dtd", file)
	}
}

// FuzzWML: whatever a sender calls himself, the deck stays well-formed and the phone sees no variable.
func FuzzWML(f *testing.F) {
	f.Add("Ana $(p)")
	f.Add("]]>&#0;\xff\ufffe")
	f.Fuzz(func(t *testing.T, s string) {
		out := wmlText(s)
		if strings.Contains(strings.ReplaceAll(out, "$$", ""), "$") {
			t.Errorf("a variable in %q", out)
		}
		d := xml.NewDecoder(strings.NewReader("<p>" + out + "</p>"))
		for depth := 0; ; {
			token, err := d.Token()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatalf("%v in %q", err, out)
			}
			if _, ok := token.(xml.StartElement); ok {
				if depth++; depth > 1 {
					t.Fatalf("an element in %q", out)
				}
			}
		}
	})
}

func TestPlayLimit(t *testing.T) {
	s, h, rec, path := served(t, time.Second, Meta{MaxPlays: 2})
	get := func(agent string, more ...string) int {
		return ask(h, "GET", path+".mp3", append([]string{"User-Agent", agent}, more...)...).StatusCode
	}
	for range 5 { // none of these is a play
		ask(h, "HEAD", path+".mp3", "User-Agent", "x")
		ask(h, "GET", path, "Accept", browser, "User-Agent", "y")
		get("WhatsApp/2")
		get("z", "Range", "bytes=0-1023")
	}
	if page := string(body(t, ask(h, "GET", path, "Accept", browser, "User-Agent", "y"))); !strings.Contains(page, `preload="none"`) {
		t.Error("a browser that only shows the page would fetch the recording, which is a play")
	}
	for i, c := range []struct {
		agent  string
		status int
	}{{"ana", 200}, {"ana", 200}, {"ben", 200}, {"carla", 410}, {"ana", 200}, {"WhatsApp/2", 410}} {
		if got := get(c.agent); got != c.status {
			t.Errorf("step %d, %s: %d, want %d", i, c.agent, got, c.status)
		}
	}
	if got := get("ana", "Range", "bytes=100-200"); got != 206 {
		t.Errorf("a listener seeks: %d", got)
	}
	if r := ask(h, "GET", path, "Accept", browser, "User-Agent", "dora"); r.StatusCode != 410 {
		t.Errorf("the page for one too many: %s", r.Status)
	}
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(t.Context(), rec.ID); err != nil {
		t.Fatal(err)
	}
	if names := s.files(t); len(names) != 0 {
		t.Errorf("Revoke left %v", names)
	}
}

// TestLastPlayIsGivenOnce to one of many who come at the same moment.
func TestLastPlayIsGivenOnce(t *testing.T) {
	s, h, rec, path := served(t, time.Second, Meta{MaxPlays: 1})
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = ask(h, "GET", path+".mp3", "User-Agent", fmt.Sprint("listener ", i)).StatusCode
		})
	}
	wg.Wait()
	n := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d listeners got the only play: %v", n, statuses)
	}
}

func TestWaveform(t *testing.T) {
	if got := waveform([]uint8{0, 50, 100}); got != "M2 31v2M6 17v30M10 2v60" {
		t.Errorf("waveform: %s", got)
	}
	if got := peaks([]int16{0, 100, -200, 50}); !bytes.Equal(got, []byte{0, 50, 100, 25}) {
		t.Errorf("peaks: %v", got)
	}
}
