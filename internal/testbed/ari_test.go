package testbed

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// An ariApp is a small application on ARI: enough to see that the modules and folders are all there.
type ariApp struct {
	t    *testing.T
	a    *Asterisk
	conn *websocket.Conn
}

func newARIApp(t *testing.T, a *Asterisk) *ariApp {
	t.Helper()
	query := url.Values{"app": {"hark"}, "api_key": {a.ARIUser + ":" + a.ARIPassword}}
	conn, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(a.ARIURL, "http")+"/events?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		resp.Body.Close()
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &ariApp{t: t, a: a, conn: conn}
}

// post asks ARI for something and fails the test unless it is done.
func (app *ariApp) post(path string, query url.Values) {
	app.t.Helper()
	if query == nil {
		query = url.Values{}
	}
	query.Set("api_key", app.a.ARIUser+":"+app.a.ARIPassword)
	resp, err := http.Post(app.a.ARIURL+path+"?"+query.Encode(), "", nil)
	if err != nil {
		app.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		body, _ := io.ReadAll(resp.Body)
		app.t.Fatalf("POST %s: %s: %s", path, resp.Status, body)
	}
}

// An ariEvent is what the test needs of an event.
type ariEvent struct {
	Type    string
	Channel struct{ ID string }
}

// await reads events until one of the type comes; one that tells of a failure ends the test.
func (app *ariApp) await(kind string) ariEvent {
	app.t.Helper()
	ctx, cancel := context.WithTimeout(app.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, text, err := app.conn.Read(ctx)
		if err != nil {
			app.t.Fatalf("waiting for %s: %v", kind, err)
		}
		var event ariEvent
		if err := json.Unmarshal(text, &event); err != nil {
			app.t.Fatal(err)
		}
		if event.Type == kind {
			if strings.Contains(string(text), `"state":"failed"`) {
				app.t.Fatalf("%s", text)
			}
			return event
		}
	}
}

// TestAsteriskGivesTheCallToHark plays the part of Hark: it answers, plays, records and hangs up.
func TestAsteriskGivesTheCallToHark(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{})
	app := newARIApp(t, a)
	var heard sound
	called := make(chan error, 1)
	go func() {
		var err error
		heard, err = listen(t.Context(), a.SIPAddr, a.Number)
		called <- err
	}()

	channel := "/channels/" + app.await("StasisStart").Channel.ID
	app.post(channel+"/answer", nil)
	app.post(channel+"/play", url.Values{"media": {"sound:beep"}})
	app.await("PlaybackFinished")
	app.post(channel+"/record", url.Values{"name": {"x"}, "format": {"wav"}, "maxDurationSeconds": {"1"}, "beep": {"true"}})
	app.await("RecordingFinished")
	app.post(channel+"/continue", url.Values{"context": {"hark"}, "extension": {a.Number}, "label": {"sorry"}})
	if err := <-called; err != nil {
		t.Fatal(err)
	}
	if heard.loud < 100 {
		t.Errorf("%+v: want the beeps and the fallback", heard)
	}
	if _, err := os.Stat(filepath.Join(a.SpoolDir, "recording", "x.wav")); err != nil {
		t.Error(err)
	}
}
