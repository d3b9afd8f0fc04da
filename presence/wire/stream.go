package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// A Reader takes frames from a stream. One goroutine may use it at a time.
type Reader struct{ br *bufio.Reader }

// NewReader returns a Reader on r.
func NewReader(r io.Reader) *Reader { return &Reader{br: bufio.NewReaderSize(r, 4096)} }

// Line returns the next line without its line end; it is the caller's to keep. A line longer than MaxFrame is skipped
// and gives a *SyntaxError; every other error is the stream's, io.ErrUnexpectedEOF when it ends within a line.
func (r *Reader) Line() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.br.ReadSlice('\n')
		if len(line)+len(part) > MaxFrame+len("\r\n") {
			tooLong, line = true, nil
		}
		if !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || tooLong):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case tooLong:
			return nil, &SyntaxError{Reason: "the line is too long"}
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), nil
	}
}

// Request reads one request. A *SyntaxError leaves the stream at the next line.
func (r *Reader) Request() (Request, error) {
	line, err := r.Line()
	if err != nil {
		return Request{}, err
	}
	return ParseRequest(line)
}

// A Frame is what Append prints: a Request, a Reply or an Event.
type Frame interface{ Append(dst []byte) []byte }

// A Writer puts frames on a stream, each with one Write. One goroutine may use it at a time.
type Writer struct{ w io.Writer }

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes one frame. A frame longer than MaxFrame is not written and gives a *SyntaxError.
func (w *Writer) Write(f Frame) error {
	b := f.Append(nil)
	if len(b) > MaxFrame+len("\r\n") {
		return &SyntaxError{Reason: "the frame is too long"}
	}
	_, err := w.w.Write(b)
	return err
}
