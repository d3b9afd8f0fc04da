package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener to whose connections the test has the other ends.
type pipes struct {
	conns chan net.Conn
	close func()
}

func newPipes() pipes {
	conns := make(chan net.Conn)
	return pipes{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { p.close(); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// A client that does not read what it asked for is let go (threat T23).
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		ended := make(chan error, 1)
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.CopyN(w, zeros{}, 1<<20)
			ended <- err
		})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- serveHTTP(ctx, l, handler) }()
		here, there := net.Pipe()
		defer here.Close()
		l.conns <- there
		if _, err := io.WriteString(here, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Error("all of it was written")
			}
		case <-time.After(time.Hour):
			t.Error("it is waited for")
		}
		here.Close()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// A client that does not finish the header of its request is let go after five seconds, and one whose header is longer than
// any browser's is refused (threat T23).
func TestSlowHeader(t *testing.T) {
	for name, header := range map[string]string{
		"half a header": "GET / HTTP/1.1\r\nHost:",
		"a long one":    "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newPipes()
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() {
				served <- serveHTTP(ctx, l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error(name, "is served") }))
			}()
			here, there := net.Pipe()
			l.conns <- there
			begun := time.Now()
			go io.WriteString(here, header)
			io.Copy(io.Discard, here)
			if took := time.Since(begun); took > 6*time.Second {
				t.Errorf("%s holds the connection for %v", name, took)
			}
			here.Close()
			stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
