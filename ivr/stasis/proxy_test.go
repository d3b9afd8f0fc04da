package stasis

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A proxy stands between the App and Asterisk and can cut all that goes through it.
type proxy struct {
	target string
	listen net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

// through starts a proxy for an ARI address and returns the address to use instead.
func through(t *testing.T, ariURL string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(ariURL)
	if err != nil {
		t.Fatal(err)
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Host, listen: listen, conns: make(map[net.Conn]bool)}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	u.Host = listen.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		conn, err := p.listen.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.carry(conn) })
	}
}

func (p *proxy) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer far.Close()
	if !p.keep(near, far) {
		return
	}
	defer p.forget(near, far)
	p.wg.Go(func() {
		io.Copy(far, near)
		far.Close()
	})
	io.Copy(near, far)
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.cut
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// sever cuts every connection, and lets no new one through until mend.
func (p *proxy) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// cutFor severs for some time.
func (p *proxy) cutFor(d time.Duration) {
	p.sever()
	time.Sleep(d) // the length of the cut is what is being tested
	p.mend()
}

func (p *proxy) close() {
	p.listen.Close()
	p.sever()
	p.wg.Wait()
}
