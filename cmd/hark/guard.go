package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// publicDial connects to public addresses only, so that no account can make Hark speak to the machines around it (T18).
// The address is judged after the name was looked up.
func publicDial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 20 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return checkPublic(address)
	}}
	return d.DialContext(ctx, network, address)
}

// carrierGrade is the address space that providers share between their customers (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// checkPublic refuses addresses that are not of the public internet.
func checkPublic(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := a.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || carrierGrade.Contains(ip) {
		return fmt.Errorf("%s is not a public address; allow_private in [xmpp] permits it", ip)
	}
	return nil
}
