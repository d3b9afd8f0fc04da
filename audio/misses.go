package audio

import (
	"net/netip"
	"sync"
	"time"
)

const (
	missesPerMinute = 20
	missesKept      = 10000 // addresses
)

// misses counts, for each address, the requests that hit nothing, in a leaky bucket. The addresses are kept in two
// generations: when the younger one is full it becomes the older one, which is dropped. A flood from many addresses
// costs no more than one from few.
type misses struct {
	mu         sync.Mutex
	now        func() time.Time
	young, old map[netip.Prefix]bucket
}

type bucket struct {
	level float64
	at    time.Time
}

// over tells whether the address has missed too often of late.
func (m *misses) over(addr netip.Prefix) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drained(addr).level > missesPerMinute-1
}

// add counts a miss.
func (m *misses) add(addr netip.Prefix) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.drained(addr)
	b.level++
	if m.young == nil || len(m.young) >= missesKept/2 {
		m.young, m.old = make(map[netip.Prefix]bucket), m.young
	}
	m.young[addr] = b
}

func (m *misses) drained(addr netip.Prefix) bucket {
	b, ok := m.young[addr]
	if !ok {
		b = m.old[addr]
	}
	now := m.now()
	b.level = max(0, b.level-now.Sub(b.at).Minutes()*missesPerMinute)
	return bucket{b.level, now}
}

// network is what shares a bucket: an IPv4 address, or the /64 that one IPv6 customer has.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}
