package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClientBehindProxies(t *testing.T) {
	proxies, err := parseNetworks([]string{"127.0.0.0/8", "::1", "10.1.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "203.0.113.9", "192.0.2.1"}, // a stranger who says that he is somebody else
		{"127.0.0.1:5", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:5", "8.8.8.8, 203.0.113.9", "203.0.113.9"}, // and one who says so through our proxy
		{"127.0.0.1:5", "203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{"[::1]:5", "2001:db8::1", "2001:db8::1"},
		{"[::ffff:127.0.0.1]:5", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.1:5", "unknown", "127.0.0.1"},
		{"127.0.0.1:5", "203.0.113.9, x", "127.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.from
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		proxies.before(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || got != c.want {
				t.Errorf("from %s for %q: %s, want %s", c.from, c.forwarded, got, c.want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}
