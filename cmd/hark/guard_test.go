package main

import (
	"net"
	"testing"
)

func TestCheckPublic(t *testing.T) {
	cases := map[string]bool{
		"8.8.8.8:5222": true, "[2001:4860::1]:5222": true,
		"127.0.0.1:5222": false, "10.1.2.3:1": false, "192.168.0.1:1": false, "172.20.0.1:1": false, "169.254.169.254:80": false,
		"100.64.1.1:1": false, "0.0.0.0:1": false, "224.0.0.1:1": false, "255.255.255.255:1": false,
		"[::1]:1": false, "[fe80::1]:1": false, "[fc00::1]:1": false, "[::ffff:127.0.0.1]:1": false, "[::]:1": false, "nonsense": false,
	}
	for address, public := range cases {
		if err := checkPublic(address); (err == nil) != public {
			t.Errorf("checkPublic(%q) = %v, public is %v", address, err, public)
		}
	}
}

// TestPublicDialLoopback shows that the check is in force on a real connection.
func TestPublicDialLoopback(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err := publicDial(t.Context(), "tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("connected to loopback")
	}
}
