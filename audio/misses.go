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

// misses counts, for each address, the requests that hit nothing, in a leaky bucket.
type misses struct {
	mu  sync.Mutex
	now func() time.Time
	by  map[netip.Prefix]bucket
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
	if len(m.by) >= missesKept {
		m.shrink()
	}
	m.by[addr] = b
}

func (m *misses) drained(addr netip.Prefix) bucket {
	now := m.now()
	b := m.by[addr]
	b.level = max(0, b.level-now.Sub(b.at).Minutes()*missesPerMinute)
	return bucket{b.level, now}
}

// shrink forgets the addresses that have drained, and if that is not enough any others: a flood from ten thousand
// addresses is not held up by counting.
func (m *misses) shrink() {
	for a := range m.by {
		if m.drained(a).level == 0 {
			delete(m.by, a)
		}
	}
	for a := range m.by {
		if len(m.by) < missesKept {
			return
		}
		delete(m.by, a)
	}
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
