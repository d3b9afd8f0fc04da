package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hark/im"
	"hark/presence/presencetest"
)

// The stream says that there is something new, and nothing else; it ends with the browser.
func TestLive(t *testing.T) {
	d := open(t)
	impatient := httptest.NewUnstartedServer(d.site.Config.Handler)
	impatient.Config.ReadTimeout = 50 * time.Millisecond
	impatient.Start()
	t.Cleanup(impatient.Close)
	d.site = impatient
	b := d.browser(t, true)
	b.get("/live")
	if b.status != http.StatusNoContent || b.source != "" {
		t.Errorf("without a session: %d %q", b.status, b.source)
	}
	b.get("/")
	b.login()
	d.Online(1)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, "GET", d.site.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("%d %s", resp.StatusCode, kind)
	}
	asked := time.Now()
	d.Until("the time for a request is over", func() bool { return time.Since(asked) > 200*time.Millisecond })
	if d.Server.Stats().Clients != 1 {
		t.Error("the stream ended with the time for a request")
	}
	d.receive("a secret")
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != "event: new" {
		if strings.Contains(lines.Text(), "secret") {
			t.Errorf("the stream says %q", lines.Text())
		}
	}
	if lines.Err() != nil {
		t.Error(lines.Err())
	}
	leave()
	d.Until("left", func() bool { return d.Server.Stats().Clients == 0 })
}

// tone is a WAV file of one second.
func tone() []byte {
	samples := make([]int16, 16000)
	for i := range samples {
		samples[i] = int16((i % 40) * 400)
	}
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*len(samples)))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(16000), uint32(32000), uint16(2), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*len(samples)))
	binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// A recording is sent once, however often it comes; what is no sound is refused in words.
func TestVoice(t *testing.T) {
	d := openWithAudio(t)
	b := d.browser(t, true)
	b.login()
	d.receive("Are you coming?")
	b.get("/with/1")
	put := func(once string, body []byte) int {
		t.Helper()
		resp, err := b.client.Post(d.site.URL+"/with/1/voice?once="+once, "audio/wav", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	for range 3 {
		if status := put("ONCE1", tone()); status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
	got := d.XMPP.Received()
	if len(got) != 1 || len(got[0].Attachments) != 1 || got[0].Body != got[0].Attachments[0].URL {
		t.Fatalf("Ben got %+v", got)
	}
	resp, err := b.client.Get(got[0].Body + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the link gives %d", resp.StatusCode)
	}
	for name, c := range map[string]struct {
		once string
		body []byte
		want int
	}{
		"no sound":       {"ONCE2", []byte("<html>"), http.StatusConflict},
		"too long":       {"ONCE3", make([]byte, 19<<20), http.StatusConflict},
		"without number": {"", tone(), http.StatusBadRequest},
	} {
		if status := put(c.once, c.body); status != c.want {
			t.Errorf("%s: %d", name, status)
		}
	}
	if n := len(d.XMPP.Received()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// Without an audio server no page offers to record.
func TestNoRecordings(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	d.XMPP.Deliver(ben.ID, presencetest.AnaID, "x", im.Attachment{})
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
	b.get("/with/1")
	if strings.Contains(b.source, "data-voice") {
		t.Error("a recorder without an audio server")
	}
	b.post("/with/1/voice?once=X", nil)
	if b.status != http.StatusBadRequest {
		t.Errorf("%d", b.status)
	}
}
