package xmpp

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"hark/internal/shallow"
)

// Sizes of a stanza. Of one above maxStanza the content is forgotten and the stream goes on: a server passes on what
// strangers send and adds to it, so breaking off would let them end the login for good. One above maxSkipped, or a
// negotiation above it, ends the stream.
const (
	maxStanza  = 256 << 10
	maxSkipped = 1 << 20
)

// bufferSize is small because TLS has a buffer of its own.
const bufferSize = 1 << 10

// buffers are for connections on which something comes; those that wait, the most, have none.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

var (
	errSize      = errors.New("xmpp: stanza is larger than 1 MiB")
	errMalformed = errors.New("xmpp: the stream is not well-formed XML")
)

// A wire is the connection below the XML. It counts the bytes of each stanza, and notices silence. Being an
// io.ByteReader it keeps xml.Decoder from reading ahead, so that the count is exact and a decoder can be replaced
// between two stanzas.
type wire struct {
	net.Conn
	below  *brook            // what TLS reads from; nil without TLS
	buffer *[bufferSize]byte // nil while there is nothing in it
	unread []byte            // the part of the buffer that is still to be read
	left   int               // bytes that may still be read for this stanza

	// idle and reply are how long to wait for a byte before and after asking for a sign of life; 0 is for ever.
	idle, reply time.Duration
	ask         func() // asks for a sign of life; called by the reader; nil during negotiation
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, left: maxSkipped}
	if t, ok := c.(*tls.Conn); ok {
		w.below, _ = t.NetConn().(*brook)
	}
	return w
}

// ConnectionState is what SASL binds to; it is zero without TLS.
func (w *wire) ConnectionState() tls.ConnectionState {
	if t, ok := w.Conn.(*tls.Conn); ok {
		return t.ConnectionState()
	}
	return tls.ConnectionState{}
}

// Read implements io.Reader; nothing of ours reads more than a byte at a time.
func (w *wire) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := w.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// ReadByte implements io.ByteReader.
func (w *wire) ReadByte() (byte, error) {
	if w.left <= 0 {
		return 0, errSize
	}
	if len(w.unread) == 0 {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	w.left--
	b := w.unread[0]
	w.unread = w.unread[1:]
	return b, nil
}

// fill waits for bytes. After idle without any it asks for a sign of life, and gives up after reply.
func (w *wire) fill() error {
	if w.ask == nil || w.idle <= 0 {
		return w.wait()
	}
	err := w.waitWithin(w.idle)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	w.ask()
	return w.waitWithin(w.reply)
}

func (w *wire) waitWithin(limit time.Duration) error {
	if err := w.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	return w.wait()
}

// wait reads what comes first into the buffer. It waits where the stack is shallow, and has no buffer meanwhile.
func (w *wire) wait() (err error) {
	if w.below == nil {
		return w.read()
	}
	w.below.dry = true
	shallow.Run(func() { err = w.read() })
	w.below.dry = false
	if errors.Is(err, errDry) {
		if err = w.below.await(); err == nil {
			shallow.Run(func() { err = w.read() })
		}
	}
	return err
}

// read reads into the buffer, and gives it away when nothing came.
func (w *wire) read() error {
	if w.buffer == nil {
		w.buffer = buffers.Get().(*[bufferSize]byte)
	}
	n, err := w.Conn.Read(w.buffer[:])
	for n == 0 && err == nil {
		n, err = w.Conn.Read(w.buffer[:])
	}
	if w.unread = w.buffer[:n]; n > 0 {
		return nil // an error will come again
	}
	w.release()
	return err
}

// release gives the buffer away; nothing may be unread.
func (w *wire) release() {
	if w.buffer != nil {
		buffers.Put(w.buffer)
		w.buffer, w.unread = nil, nil
	}
}

// A stanzaReader reads the stanzas of a stream whose head was read by somebody else.
type stanzaReader struct {
	w       *wire
	d       *xml.Decoder
	head    string // what the decoder is still to see of a stream head
	between bool   // no byte of the next stanza was read yet
}

// streamHead declares what the stream's real head declared, for a decoder that did not see it.
const streamHead = "<stream:stream xmlns='" + nsClient + "' xmlns:stream='" + nsStream + "'>"

func newStanzaReader(w *wire) *stanzaReader { return &stanzaReader{w: w} }

// ReadByte feeds the decoder. White space between stanzas (an old kind of keepalive) is skipped, so that years of it
// neither fill a buffer nor use up a stanza's allowance.
func (r *stanzaReader) ReadByte() (byte, error) {
	if r.head != "" {
		b := r.head[0]
		r.head = r.head[1:]
		return b, nil
	}
	for {
		b, err := r.w.ReadByte()
		if err != nil {
			return 0, err
		}
		if r.between && (b == ' ' || b == '\n' || b == '\r' || b == '\t') {
			r.w.left++
			continue
		}
		if r.between && b != '<' {
			return 0, errText // the decoder would wait for more of it
		}
		r.between = false
		return b, nil
	}
}

// Read implements io.Reader; the decoder uses ReadByte.
func (r *stanzaReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// await waits for the first byte of the next element. Whoever waits has neither buffer nor decoder.
func (r *stanzaReader) await() error {
	for {
		if r.w.unread = bytes.TrimLeft(r.w.unread, " \n\r\t"); len(r.w.unread) > 0 {
			return nil
		}
		r.w.release()
		r.d = nil
		if err := r.w.fill(); err != nil {
			return err
		}
	}
}

// next returns the next element of the stream; errStreamEnd at the closing tag.
func (r *stanzaReader) next() (*element, error) {
	if r.d == nil {
		if err := r.renew(); err != nil {
			return nil, err
		}
	}
	r.w.left, r.between = maxSkipped, true
	e, err := r.element()
	if r.used() > 4*bufferSize {
		r.d = nil // its buffer grew with the stanza and would never shrink
	}
	return e, withoutText(err)
}

// element reads one element, whatever it is.
func (r *stanzaReader) element() (*element, error) {
	token, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case xml.StartElement:
		b := builder{d: r.d, over: func() bool { return r.used() > maxStanza }}
		e, err := b.element(token, maxDepth)
		if err == nil && b.full() {
			e = e.shell()
		}
		return e, err
	case xml.EndElement:
		return nil, errStreamEnd
	case xml.CharData:
		return nil, errText
	default:
		return nil, errRestricted
	}
}

// used is how many bytes of the stanza were read.
func (r *stanzaReader) used() int { return maxSkipped - r.w.left }

// withoutText replaces the decoder's errors, which quote from messages.
func withoutText(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return err
	case syntax.Msg == "unexpected EOF":
		return io.ErrUnexpectedEOF
	}
	return errMalformed
}

// renew makes a decoder that stands where the stream stands.
func (r *stanzaReader) renew() error {
	r.d, r.head, r.between = xml.NewDecoder(r), streamHead, false
	_, err := r.d.Token()
	return err
}
