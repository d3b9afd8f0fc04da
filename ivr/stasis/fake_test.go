package stasis

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"hark/ivr/linetest"

	"github.com/coder/websocket"
)

// fakeARI is an ARI that says what the test wants: events that a real Asterisk sends once in a year.
type fakeARI struct {
	*httptest.Server
	mu       sync.Mutex
	events   chan string     // to be sent
	channels map[string]bool // that it says are ours
	asked    []string        // method and path of each request
	filter   string          // the body of the last filter
	version  string
	sockets  int // websockets opened
	drop     chan struct{}
	deaf     bool // no events come on its connections
	closed   chan struct{}
	sending  sync.WaitGroup
}

const fakePassword = "secret"

func newFake(t *testing.T) *fakeARI {
	f := &fakeARI{events: make(chan string), channels: make(map[string]bool), version: "22.10.1", drop: make(chan struct{}), closed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ari/events", f.socket)
	mux.HandleFunc("GET /ari/asterisk/info", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"system":{"version":%q}}`, f.version)
	})
	mux.HandleFunc("GET /ari/applications/hark", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		ids := []string{}
		for id := range f.channels {
			ids = append(ids, id)
		}
		json.NewEncoder(w).Encode(map[string]any{"name": "hark", "channel_ids": ids})
	})
	mux.HandleFunc("PUT /ari/applications/hark/eventFilter", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Allowed []struct{ Type string } }
		json.NewDecoder(r.Body).Decode(&body)
		f.mu.Lock()
		f.filter = fmt.Sprint(body.Allowed)
		f.mu.Unlock()
	})
	mux.HandleFunc("GET /ari/channels/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, channelJSON(r.PathValue("id")))
	})
	mux.HandleFunc("DELETE /ari/channels/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		f.hangup(id)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /ari/events/user/{name}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		deaf := f.deaf
		f.mu.Unlock()
		if !deaf {
			f.send(fmt.Sprintf(`{"type":"ChannelUserevent","eventname":%q,"application":"hark"}`, r.PathValue("name")))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/ari/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	f.Server = httptest.NewServer(f.guard(mux))
	t.Cleanup(func() {
		close(f.closed)
		f.sending.Wait()
		f.Close()
	})
	return f
}

// guard asks for the password and notes each request.
func (f *fakeARI) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != fakePassword {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+strings.TrimPrefix(r.URL.EscapedPath(), "/ari"))
		f.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (f *fakeARI) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	f.mu.Lock()
	f.sockets++
	f.mu.Unlock()
	ctx := conn.CloseRead(r.Context())
	for {
		select {
		case event := <-f.events:
			if conn.Write(ctx, websocket.MessageText, []byte(event)) != nil {
				return
			}
		case <-f.drop:
			return
		case <-f.closed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// begin sends a new call, and hangup the end of one.
func (f *fakeARI) begin(id string) {
	f.mu.Lock()
	f.channels[id] = true
	f.mu.Unlock()
	f.events <- fmt.Sprintf(`{"type":"StasisStart","timestamp":"2026-11-23T08:15:06.144+0000","args":[],"channel":%s,"application":"hark"}`, channelJSON(id))
}

func (f *fakeARI) hangup(id string) {
	f.mu.Lock()
	there := f.channels[id]
	delete(f.channels, id)
	f.mu.Unlock()
	if !there {
		return
	}
	f.send(fmt.Sprintf(`{"type":"StasisEnd","channel":%s,"application":"hark"}`, channelJSON(id)))
}

// send sends an event when the connection takes it.
func (f *fakeARI) send(event string) {
	f.sending.Go(func() {
		select {
		case f.events <- event:
		case <-f.closed:
		}
	})
}

func (f *fakeARI) key(id, key string) {
	f.events <- fmt.Sprintf(`{"type":"ChannelDtmfReceived","digit":%q,"duration_ms":100,"channel":%s,"application":"hark"}`, key, channelJSON(id))
}

func channelJSON(id string) string {
	return fmt.Sprintf(`{"id":%q,"name":"PJSIP/x-1","state":"Ring","caller":{"name":"","number":"anonymous"},`+
		`"dialplan":{"context":"hark","exten":"7000","priority":1},"creationtime":"2026-11-23T08:15:06.144+0000"}`, id)
}

// was tells whether a request was made.
func (f *fakeARI) was(request string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.asked, request)
}

// app runs an App on the fake until the test ends.
func (f *fakeARI) app(t *testing.T, a *App) *App {
	t.Helper()
	a.URL, a.User, a.Password, a.Drain = f.URL+"/ari", "hark", fakePassword, -1
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	linetest.Eventually(t, "a connection", a.Connected)
	return a
}
