package web_test

import (
	"bytes"
	"encoding/binary"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"hark/presence/presencetest"
)

// muLaw is a WAV file as a voice browser makes it of a telephone call (VoiceXML 2.0, appendix E): µ-law, 8 kHz.
func muLaw(d time.Duration) []byte {
	data := make([]byte, d*8000/time.Second)
	for i := range data {
		data[i] = []byte{0x90, 0xff, 0x10, 0xff}[i/2%4] // a tone of 1 kHz
	}
	var b bytes.Buffer
	write := func(values ...any) {
		for _, v := range values {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				panic(err) // into memory
			}
		}
	}
	write([]byte("RIFF"), uint32(4+8+18+8+len(data)), []byte("WAVEfmt "), uint32(18), uint16(7), uint16(1), uint32(8000), uint32(8000), uint16(1), uint16(8), uint16(0))
	write([]byte("data"), uint32(len(data)), data)
	return b.Bytes()
}

// What a voice browser records is sent as a voice message, once, however often it comes; what is no sound is refused.
func TestVoiceBrowserRecording(t *testing.T) {
	for name, cookies := range map[string]bool{"cookies": true, "token in the address": false} {
		t.Run(name, func(t *testing.T) {
			d := openWithAudio(t)
			b := d.browser(t, cookies)
			b.login()
			d.receive("Are you coming?")
			b.follow("Look again")
			b.follow("Ben")
			action, fields := b.form("Send")
			to := strings.TrimSuffix(action, "/send") + "/voice?once=" + fields.Get("once") + "&upto=" + fields.Get("upto")
			if status, page := b.upload(to, []byte("no sound")); status != http.StatusBadRequest {
				t.Errorf("no sound: %d %s", status, page)
			}
			if status, page := b.upload(to, muLaw(3*time.Second)); status != http.StatusOK || !strings.Contains(page, "Sent.") {
				t.Errorf("%d %s", status, page)
			}
			if _, page := b.upload(to, muLaw(3*time.Second)); !strings.Contains(page, "This was sent already.") {
				t.Errorf("twice: %s", page)
			}
			got := d.XMPP.Received()
			if len(got) != 1 || len(got[0].Attachments) != 1 || got[0].Attachments[0].Seconds != 3 {
				t.Errorf("Ben got %+v", got)
			}
			if w, err := d.Store.Waiting(t.Context(), presencetest.Ana, "web"); w.Count != 0 || err != nil {
				t.Errorf("after the answer %d are waiting, %v", w.Count, err)
			}
		})
	}
}

// upload sends a recording as a file in a form.
func (b *browser) upload(href string, wav []byte) (status int, page string) {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("sound", "rec.wav")
	if err != nil {
		b.Fatal(err)
	}
	part.Write(wav)
	form.Close()
	r, err := http.NewRequest("POST", b.site+href, &body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(answer.Body); err != nil {
		b.Fatal(err)
	}
	return answer.StatusCode, text.String()
}
