package xmpp

import (
	"errors"
	"io"
	"net"
	"testing"
)

// A dry brook says so without waiting; await's byte comes first, and then the rest.
func TestBrook(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_, _ = io.WriteString(far, "stream")
		far.Close()
	}()
	b := &brook{Conn: near, dry: true}
	if n, err := b.Read(make([]byte, 10)); n != 0 || !errors.Is(err, errDry) {
		t.Fatalf("a dry brook gave %d bytes, %v", n, err)
	}
	b.dry = false
	for range 2 { // the second time it need not wait
		if err := b.await(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(b); string(got) != "stream" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := b.await(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}
