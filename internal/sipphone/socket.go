package sipphone

import (
	"net"
	"time"
)

// linger is how long a telephone stands still before it closes its socket. The SIP stack handles each request in a
// goroutine that it does not count; one that begins after the socket is gone would open a new one and leave it open.
const linger = 20 * time.Millisecond

// socket is the SIP socket. It can be stopped, so that nothing more comes in, before it is closed.
type socket struct {
	*net.UDPConn
	stopped, closed chan struct{}
}

func newSocket(conn *net.UDPConn) *socket {
	return &socket{UDPConn: conn, stopped: make(chan struct{}), closed: make(chan struct{})}
}

// ReadFrom reads a packet. Once the socket is stopped, it waits until it is closed.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := s.UDPConn.ReadFrom(b)
	select {
	case <-s.stopped:
		<-s.closed
		return 0, nil, net.ErrClosed
	default:
		return n, addr, err
	}
}

// stop lets nothing more in, and gives the requests that came in a moment to be handled.
func (s *socket) stop() {
	close(s.stopped)
	_ = s.SetReadDeadline(time.Now()) // wakes the reader
	time.Sleep(linger)
}

// close closes the socket for good.
func (s *socket) close() {
	close(s.closed)
	_ = s.Close() // the stack may have closed it
}
