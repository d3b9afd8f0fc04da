package testbed

import (
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
)

// freePort returns a port of network ("tcp" or "udp") that was free on host a moment ago. Somebody else may take it
// before it is used: whoever starts a part has to notice, and to ask again.
func freePort(network, host string) (int, error) {
	address := net.JoinHostPort(host, "0")
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			return 0, fmt.Errorf("testbed: %w", err)
		}
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).Port, nil
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return 0, fmt.Errorf("testbed: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// choosePort returns want, or a free port if want is 0.
func choosePort(want int, network, host string) (int, error) {
	if want != 0 {
		return want, nil
	}
	return freePort(network, host)
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// secret returns a random password of 128 bits in letters and digits.
func secret() string { return rand.Text() }
