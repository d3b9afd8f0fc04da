package xmpp

import "net"

// A brook is the connection below TLS. TLS reads deep in the stack, and a goroutine keeps the stack that it has while it
// waits: of many logins that wait for a byte, each would hold some KiB more. Above a brook a reader can find out that
// TLS has nothing and wait in await, which is shallow. It is for one reader at a time.
type brook struct {
	net.Conn
	dry   bool    // Read says errDry instead of waiting
	ahead [1]byte // await's byte
	has   bool
}

// errDry: TLS needs bytes that are not there yet. It is temporary, so TLS forgets it.
var errDry net.Error = dryError{}

type dryError struct{}

func (dryError) Error() string   { return "xmpp: nothing to read yet" }
func (dryError) Timeout() bool   { return true }
func (dryError) Temporary() bool { return true }

// Read implements net.Conn.
func (b *brook) Read(p []byte) (int, error) {
	switch {
	case b.has && len(p) > 0:
		p[0], b.has = b.ahead[0], false
		return 1, nil
	case b.dry:
		return 0, errDry
	}
	return b.Conn.Read(p)
}

// await waits until Read has something, or the connection ends, or its deadline passes.
func (b *brook) await() error {
	if b.has {
		return nil
	}
	n, err := b.Conn.Read(b.ahead[:])
	if b.has = n > 0; b.has {
		return nil
	}
	return err
}
