package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// openWeb serves "hello" with a bound of connections per address.
func openWeb(t *testing.T, most int, proxies ...string) (address string) {
	t.Helper()
	exempt, err := parseNetworks(proxies)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serveHTTP(ctx, &perAddress{Listener: l, most: most, exempt: exempt},
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// connect connects from an address of this machine.
func connect(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// asked tells whether a connection is served.
func asked(t *testing.T, c net.Conn) bool {
	t.Helper()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return false
	}
	answer, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("neither served nor closed")
	}
	return len(answer) > 0
}

// TestPerAddress: of 1,000 connections of one address that begin a request and do not end it, as many as are allowed stay;
// others are served meanwhile, and so is that address again when it has closed some.
func TestPerAddress(t *testing.T) {
	const most, many = 100, 1000
	to := openWeb(t, most)
	var all []net.Conn
	begin := func(n int) {
		for range n {
			c := connect(t, "127.0.0.2", to)
			io.WriteString(c, "GET / HTTP/1.1\r\nHost:") // half a header; it may be closed already
			all = append(all, c)
		}
	}
	begin(many)
	begun := time.Now()
	if !asked(t, connect(t, "127.0.0.3", to)) {
		t.Error("another address is not served")
	}
	t.Logf("another address is served after %v, with %d half-open connections of one", time.Since(begun), many)
	for deadline := time.Now().Add(20 * time.Second); asked(t, connect(t, "127.0.0.2", to)); begin(most) { // slowness ends some
		if time.Now().After(deadline) {
			t.Fatal("the address itself is served all the while")
		}
	}
	for _, c := range all {
		c.Close()
	}
	for deadline := time.Now().Add(20 * time.Second); !asked(t, connect(t, "127.0.0.2", to)); {
		if time.Now().After(deadline) {
			t.Fatal("the address is not served again")
		}
	}
}

// TestPerAddressOfProxies: many come through a proxy.
func TestPerAddressOfProxies(t *testing.T) {
	to := openWeb(t, 1, "127.0.0.2")
	for range 5 {
		connect(t, "127.0.0.2", to)
	}
	if !asked(t, connect(t, "127.0.0.2", to)) {
		t.Error("a proxy is bounded")
	}
	connect(t, "127.0.0.3", to)
	if asked(t, connect(t, "127.0.0.3", to)) {
		t.Error("somebody else is not bounded")
	}
	if any := openWeb(t, 0); !asked(t, connect(t, "127.0.0.3", any)) {
		t.Error("0 is no bound")
	}
}
