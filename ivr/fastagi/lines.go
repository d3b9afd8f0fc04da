package fastagi

import (
	"bufio"
	"errors"
	"net"
	"strings"
)

const (
	// maxLine is the longest line that Asterisk may send, in bytes.
	maxLine = 8 << 10
	// maxEnvironment is what it may send before the first command; an environment is about 600 bytes.
	maxEnvironment = 64 << 10
	// maxReply is what it may send in answer to one command; the help for wrong arguments is the longest.
	maxReply = 32 << 10
)

// errTooLong is about a peer that sends more than any Asterisk would.
var errTooLong = errors.New("fastagi: the other side sends too much")

// lines is a connection whose Read hands out one line at a time. What agi reads with a scanner, and then throws the
// scanner away, has nothing of the next line in it so.
type lines struct {
	net.Conn
	reader *bufio.Reader
	rest   []byte // of the line that is being handed out
	last   string // the line handed out last, without its end
	left   int    // how many bytes the other side may still send
	err    error  // of the last Read; agi does not tell it
	// written, if not nil, is called once after the next Write.
	written func()
}

func newLines(conn net.Conn) *lines {
	return &lines{Conn: conn, reader: bufio.NewReaderSize(conn, maxLine), left: maxEnvironment}
}

// Read implements io.Reader.
func (l *lines) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err := l.next()
		if l.err = err; err != nil {
			return 0, err
		}
		l.last, l.rest = line, append(l.rest, line+"\n"...)
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	if f := l.written; f != nil {
		l.written = nil
		f()
	}
	return n, err
}

// next reads a line. Of the several lines that tell how a command is used ("520-Invalid … 520 End") it is the last.
func (l *lines) next() (string, error) {
	line, err := l.line()
	if err != nil || !strings.HasPrefix(line, "520-") {
		return line, err
	}
	for err == nil && !strings.HasPrefix(line, "520 ") {
		line, err = l.line()
	}
	return line, err
}

func (l *lines) line() (string, error) {
	b, err := l.reader.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(b) > l.left {
		return "", errTooLong
	}
	if err != nil {
		return "", err
	}
	l.left -= len(b)
	return strings.TrimRight(string(b), "\r\n"), nil
}
