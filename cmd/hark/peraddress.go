package main

import (
	"net"
	"net/netip"
	"sync"
)

// perAddress lets in only so many connections at once of each address (threat T23): one that opens many and says nothing
// takes none from the others. What is too many is closed at once.
type perAddress struct {
	net.Listener
	most   int      // of one address; 0 is any number
	exempt networks // of any number: the proxies, behind whose address are many clients

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// Accept implements net.Listener.
func (p *perAddress) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := c.(*net.TCPConn)
		if !ok {
			return c, nil
		}
		from, limited := p.counted(tcp)
		if !limited {
			return c, nil
		}
		if p.enter(from) {
			return &countedConn{TCPConn: tcp, leave: sync.OnceFunc(func() { p.leave(from) })}, nil
		}
		tcp.Close() // nobody is to be told
	}
}

// counted is what a connection is counted as, if it is: its IPv4 address, or the IPv6 network of which one customer of a
// provider has all addresses.
func (p *perAddress) counted(c *net.TCPConn) (from netip.Prefix, limited bool) {
	remote, err := netip.ParseAddrPort(c.RemoteAddr().String())
	address := remote.Addr().Unmap().WithZone("")
	if err != nil || p.most == 0 || p.exempt.contain(address) {
		return from, false
	}
	bits := 32
	if address.Is6() {
		bits = 64
	}
	from, err = address.Prefix(bits)
	return from, err == nil
}

func (p *perAddress) enter(from netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[from] >= p.most {
		return false
	}
	if p.open == nil {
		p.open = make(map[netip.Prefix]int)
	}
	p.open[from]++
	return true
}

func (p *perAddress) leave(from netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[from]--; p.open[from] == 0 {
		delete(p.open, from)
	}
}

// A countedConn is counted until it is closed.
type countedConn struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}
