package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// networks are addresses that belong together, such as those of the proxies in front of the web door.
type networks []netip.Prefix

// parseNetworks reads addresses ("127.0.0.1") and networks ("10.0.0.0/8").
func parseNetworks(texts []string) (list networks, err error) {
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err2 == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network like 10.0.0.0/8", text)
		}
		list = append(list, p)
	}
	return list, nil
}

func (n networks) contain(a netip.Addr) bool {
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(a) })
}

// client is the address that a request came from. Only our own proxies are believed what they add to X-Forwarded-For:
// whatever stands before the last address that is not a proxy's, anybody may have written.
func (n networks) client(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address when there is no connection
	client := from.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil || !n.contain(client) {
			break
		}
		client = before.Unmap()
	}
	return client
}

// before lets the handler see, as RemoteAddr, the address that a request came from.
func (n networks) before(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := *r
		seen.RemoteAddr = netip.AddrPortFrom(n.client(r), 0).String()
		handler.ServeHTTP(w, &seen)
	})
}
