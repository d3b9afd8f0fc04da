package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hark/internal/sipphone"
)

// TestOperatorsPage looks at the page through its socket while a real call is in progress, and when it has ended.
func TestOperatorsPage(t *testing.T) {
	p := newPlace(t)
	ana := p.addAccount("Ana")
	p.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@localhost", "--server", p.prosody.Addr)
	socket := filepath.Join(p.dir, "admin.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"}) // as a process that was killed leaves it
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(config), "[listen]\n", "[listen]\nadmin = \""+socket+"\"\n", 1)
	if err := os.WriteFile(p.config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := p.serve()
	defer stop()

	page := operatorsPage(t, socket)
	for _, want := range []string{"<h1>t:1</h1>", "0 calls. Asterisk is connected.", "0 sessions.", "<td>alive</td>", "0 recordings."} {
		if !strings.Contains(page, want) {
			t.Errorf("before the call there is no %q in\n%s", want, page)
		}
	}
	p.script("timeout 40s\nhear %s\npress %s#\nhear %s\npress %s\nhear %s\npress 9\nhear %s\nexpect-hangup\n",
		p.prompt("login.number"), ana.Number, p.prompt("login.pin"), ana.PIN, p.prompt("home.none"), p.prompt("end.place"))
	call, err := sipphone.Dial(t.Context(), sipphone.Options{To: "sip:7000@" + p.asterisk.SIPAddr})
	if err != nil {
		t.Fatal(err)
	}
	p.until("the call and the login are on the page", func() bool {
		page = operatorsPage(t, socket)
		return strings.Contains(page, "<td>messenger</td>") && strings.Contains(page, "<td>online</td>") && strings.Contains(page, "One session.")
	})
	if !strings.Contains(page, "<td>"+ana.Number+"</td>") || strings.Contains(page, ana.PIN) {
		t.Errorf("the page tells too little or too much:\n%s", page)
	}
	if err := call.Hangup(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	p.until("no call is on the page", func() bool { return strings.Contains(operatorsPage(t, socket), "0 calls.") })
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// operatorsPage gets the page through a Unix socket.
func operatorsPage(t *testing.T, socket string) string {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://localhost/admin")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(body)
}

// TestSocketInTheWay wants words, and nothing deleted, when something else is where the socket belongs.
func TestSocketInTheWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := adminListener(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("a file in the way: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l, err := adminListener(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := adminListener(t.Context(), path); err == nil || !strings.Contains(err.Error(), "another program listens") {
		t.Errorf("a second one: %v", err)
	}
}

// TestStreamsEnd has a server stop while a stream is open that would never end by itself.
func TestStreamsEnd(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open, ended := make(chan bool), make(chan error, 1)
	go func() {
		ended <- serveHTTP(ctx, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(open); <-r.Context().Done() }))
	}()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	go func() { <-open; stop() }()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
