// Package opus is a thin binding of libopus (Debian: libopus-dev): mono 16-bit PCM to Opus packets and back. It knows
// nothing of Ogg; package audio is its only user.
//
// It is our own because the Ogg file needs the encoder's look-ahead (the pre-skip of RFC 7845), and so that nothing but
// libopus itself has to be installed.
package opus

/*
#cgo pkg-config: opus
#include <opus.h>

// opus_encoder_ctl is variadic, which cgo cannot call.
static int hark_bitrate(OpusEncoder *e, opus_int32 v)    { return opus_encoder_ctl(e, OPUS_SET_BITRATE(v)); }
static int hark_complexity(OpusEncoder *e, opus_int32 v) { return opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(v)); }
static int hark_voice(OpusEncoder *e)                    { return opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)); }
static int hark_lookahead(OpusEncoder *e, opus_int32 *v) { return opus_encoder_ctl(e, OPUS_GET_LOOKAHEAD(v)); }
*/
import "C"

import (
	"errors"
	"slices"
	"unsafe"
)

var (
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("opus: closed")
	// ErrFrame: the PCM is not a frame of 2.5, 5, 10, 20, 40 or 60 ms.
	ErrFrame = errors.New("opus: not the length of a frame")
)

// MaxPacket is the longest packet in bytes (RFC 6716, section 3.2.1, for one frame of 20 ms or less).
const MaxPacket = 1275

// An Encoder turns frames into packets. It is used from one goroutine at a time and must be closed.
type Encoder struct{ enc *C.OpusEncoder }

// complexity is libopus's, 0 to 10. For telephone speech 1 comes as near to the original as 10 (a spectral distance of 3.75
// against 3.72 dB, opusenc's own 3.81: go test -run NoWorse -v ./audio) at a quarter of the work.
const complexity = 1

// NewEncoder makes an encoder of mono speech at rate Hz (8000, 12000, 16000, 24000 or 48000) into about bits bit/s.
func NewEncoder(rate, bits int) (*Encoder, error) {
	var rc C.int
	enc := C.opus_encoder_create(C.opus_int32(rate), 1, C.OPUS_APPLICATION_VOIP, &rc)
	if rc != C.OPUS_OK {
		return nil, failure(rc)
	}
	e := &Encoder{enc}
	for _, rc := range []C.int{
		C.hark_bitrate(enc, C.opus_int32(bits)), C.hark_complexity(enc, complexity), C.hark_voice(enc),
	} {
		if rc != C.OPUS_OK {
			e.Close()
			return nil, failure(rc)
		}
	}
	return e, nil
}

// Lookahead is how many samples, at the encoder's rate, the decoder's output lags behind the input.
func (e *Encoder) Lookahead() (int, error) {
	if e.enc == nil {
		return 0, ErrClosed
	}
	var n C.opus_int32
	if rc := C.hark_lookahead(e.enc, &n); rc != C.OPUS_OK {
		return 0, failure(rc)
	}
	return int(n), nil
}

// Encode makes one packet of one frame. The packet is the caller's.
func (e *Encoder) Encode(frame []int16) ([]byte, error) {
	if e.enc == nil {
		return nil, ErrClosed
	}
	if len(frame) == 0 {
		return nil, ErrFrame
	}
	var buf [MaxPacket]byte
	n := C.opus_encode(e.enc, (*C.opus_int16)(unsafe.Pointer(&frame[0])), C.int(len(frame)),
		(*C.uchar)(&buf[0]), C.opus_int32(len(buf)))
	if n == C.OPUS_BAD_ARG {
		return nil, ErrFrame
	}
	if n < 0 {
		return nil, failure(C.int(n))
	}
	return append([]byte(nil), buf[:n]...), nil
}

// Close frees the encoder. Closing twice is a no-op.
func (e *Encoder) Close() {
	if e.enc != nil {
		C.opus_encoder_destroy(e.enc)
		e.enc = nil
	}
}

// A Decoder turns packets into frames. It is used from one goroutine at a time and must be closed.
type Decoder struct {
	dec  *C.OpusDecoder
	most int
}

// NewDecoder makes a decoder into mono sound at rate Hz (8000, 12000, 16000, 24000 or 48000).
func NewDecoder(rate int) (*Decoder, error) {
	var rc C.int
	dec := C.opus_decoder_create(C.opus_int32(rate), 1, &rc)
	if rc != C.OPUS_OK {
		return nil, failure(rc)
	}
	return &Decoder{dec, rate * 120 / 1000}, nil
}

// Append decodes one packet and appends its samples to dst. An empty packet is an error, never a concealed loss.
func (d *Decoder) Append(dst []int16, packet []byte) ([]int16, error) {
	if d.dec == nil {
		return dst, ErrClosed
	}
	if len(packet) == 0 {
		return dst, failure(C.OPUS_INVALID_PACKET)
	}
	dst = slices.Grow(dst, d.most)
	buf := dst[len(dst) : len(dst)+d.most]
	n := C.opus_decode(d.dec, (*C.uchar)(&packet[0]), C.opus_int32(len(packet)),
		(*C.opus_int16)(unsafe.Pointer(&buf[0])), C.int(len(buf)), 0)
	if n < 0 {
		return dst, failure(n)
	}
	return dst[:len(dst)+int(n)], nil
}

// Close frees the decoder. Closing twice is a no-op.
func (d *Decoder) Close() {
	if d.dec != nil {
		C.opus_decoder_destroy(d.dec)
		d.dec = nil
	}
}

// Version is the library's version, e.g. "libopus 1.3.1"; it becomes the vendor string of the Ogg file.
func Version() string { return C.GoString(C.opus_get_version_string()) }

func failure(rc C.int) error { return errors.New("opus: " + C.GoString(C.opus_strerror(rc))) }
