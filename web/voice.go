package web

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"hark/im"
	"hark/presence"
	"hark/presence/wire"
	"hark/vxml/sound"
)

// Recordings keeps what is recorded in a browser. The audio store satisfies it through a few lines of wiring.
type Recordings interface {
	// Put checks and keeps a WAV file (PCM, 16 bit, one channel, 8 to 48 kHz) and returns the link to it, which is
	// valid when Put returns. user is the number of who spoke it, name how he is called, or "".
	Put(ctx context.Context, wav io.Reader, user, name string) (im.Attachment, error)
	// Revoke takes back a link that nobody was told of.
	Revoke(ctx context.Context, url string) error
}

// maxVoice is how many bytes a recording may have: three minutes at 48 kHz.
const maxVoice = 18 << 20

// voiceLimit is for a recording to arrive over a slow line, and to be kept.
const voiceLimit = 3 * time.Minute

// voice sends a recording that the page's script or a voice browser made. The one-time number stands in the address, since the body is the
// sound. The same again sends nothing, and takes its second link back.
func voice(ctx context.Context, v *visit) (*Page, error) {
	person, err := v.findPerson(ctx)
	if err != nil {
		return nil, err
	}
	number := v.r.URL.Query().Get(onceField)
	if v.server.Recordings == nil || number == "" || len(number) > 64 || strings.ContainsFunc(number, notAlphanumeric) {
		return nil, errForm
	}
	wav, err := v.recording()
	if err != nil {
		return nil, err
	}
	link, err := v.server.Recordings.Put(ctx, wav, v.user, v.name)
	if err != nil {
		v.server.Log.Info("web: recording not kept", "err", err)
		return v.again(ctx, person, "", "This recording could not be kept. It may be empty, or too long.")
	}
	reply, err := v.client.Send(ctx, wire.SendRequest{ID: "web-" + number, To: person.Address, Body: link.URL, Attachments: []im.Attachment{link}})
	if err == nil {
		if err := v.markSeen(ctx, person); err != nil {
			return nil, err
		}
		return v.done(ctx, person, outcome(reply.State))
	}
	if err := v.server.Recordings.Revoke(ctx, link.URL); err != nil {
		v.server.Log.Warn("web: link not taken back", "err", err)
	}
	switch {
	case tooFast(err):
		return v.slowDown(ctx, person, "")
	case presence.HasCode(err, wire.Limit):
		return v.done(ctx, person, "This was sent already.")
	}
	return nil, err
}

// soundField is the part of a form in which a voice browser sends what it recorded.
const soundField = "sound"

// recording is the sound in a request: its body, or a file in a form. Voice browsers send whatever coding the telephone
// has (VoiceXML 2.0, appendix E); that is made what Recordings takes.
func (v *visit) recording() (io.Reader, error) {
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return v.r.Body, nil
	}
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, errForm
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, errForm
		}
		if part.FormName() != soundField {
			continue
		}
		file, err := io.ReadAll(part)
		if err != nil {
			return nil, errForm
		}
		samples, err := sound.Decode(file, "")
		if err != nil {
			return nil, errForm
		}
		return bytes.NewReader(sound.WAV(samples)), nil
	}
}

// voiceAction is where a recording is sent; "" when none is taken.
func (v *visit) voiceAction(href string) string {
	if v.server.Recordings == nil || v.markup != html5 && v.markup != vxml {
		return ""
	}
	return href + "/voice"
}

// patient gives a request more time to arrive than the server gives to others, and as much again to be answered.
func patient(d time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Where there is no deadline to be moved, as in a test's recorder, there is none to be feared.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(d))
		_ = control.SetWriteDeadline(time.Now().Add(2 * d))
		next.ServeHTTP(w, r)
	})
}

// bounded bounds the body of a request.
func bounded(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}
