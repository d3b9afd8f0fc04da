package audio

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// once is a listener that gives one connection.
type once chan net.Conn

func (o once) Accept() (net.Conn, error) {
	if c, ok := <-o; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (o once) Close() error   { return nil }
func (o once) Addr() net.Addr { return &net.UnixAddr{} }

// A client that takes a piece of a recording now and then gets all of it, however long that takes; one that takes nothing is
// let go.
func TestSlowListener(t *testing.T) {
	_, h, rec, path := served(t, 10*time.Second, Meta{})
	listen := func(t *testing.T, pause time.Duration) (got int, err error) {
		synctest.Test(t, func(t *testing.T) {
			l := make(once)
			server := &http.Server{Handler: h, WriteTimeout: time.Minute}
			ended := make(chan error, 1)
			go func() { ended <- server.Serve(l) }()
			here, there := net.Pipe()
			l <- there
			close(l)
			io.WriteString(here, "GET "+path+".wav HTTP/1.0\r\n\r\n")
			buffer := make([]byte, 4096)
			for n := 0; err == nil; got += n { // also the header
				time.Sleep(pause)
				n, err = here.Read(buffer)
			}
			here.Close()
			<-ended
		})
		return got, err
	}
	if got, err := listen(t, 4*time.Second); err != io.EOF || got < int(rec.Bytes) {
		t.Errorf("a slow one got %d of %d bytes: %v", got, rec.Bytes, err)
	}
	if got, err := listen(t, 2*stall); err != io.EOF || got >= int(rec.Bytes) {
		t.Errorf("one that takes nothing got %d of %d bytes: %v", got, rec.Bytes, err)
	}
}
