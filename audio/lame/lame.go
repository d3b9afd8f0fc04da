// Package lame is a thin binding of libmp3lame (Debian: libmp3lame-dev): mono 16-bit PCM in, a constant-rate MP3 stream
// out. It does nothing else; package audio is its only user.
//
// LAME is used because its files decode everywhere. It writes its header frame only where all of it fits, which is not
// so at the rates of speech: package audio writes that frame, from what Padding tells.
package lame

/*
#cgo LDFLAGS: -lmp3lame
#include <lame/lame.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// rates are the sample rates of MPEG-1, MPEG-2 and MPEG-2.5.
var rates = []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}

// ErrClosed is returned by an Encoder after Close.
var ErrClosed = errors.New("lame: the encoder is closed")

// An Encoder turns PCM into MP3. It is used from one goroutine at a time and must be closed.
type Encoder struct {
	lame *C.lame_global_flags
	buf  []byte
}

// quality is LAME's, 0 (best) to 9. For telephone speech 7 costs seven tenths of 4, for a spectral distance of 2.76 instead of
// 2.68 dB; lame's own command has 2.89: go test -run NoWorse -v ./audio.
const quality = 7

// New makes an encoder of mono sound at rate Hz, one of MPEG's nine, into kbit kbit/s at the same rate.
func New(rate, kbit int) (*Encoder, error) {
	if !slices.Contains(rates, rate) {
		return nil, fmt.Errorf("lame: %d Hz is not a rate of MPEG", rate)
	}
	g := C.lame_init()
	if g == nil {
		return nil, errors.New("lame: no memory")
	}
	C.lame_set_num_channels(g, 1)
	C.lame_set_mode(g, C.MONO)
	C.lame_set_in_samplerate(g, C.int(rate))
	C.lame_set_out_samplerate(g, C.int(rate))
	C.lame_set_VBR(g, C.vbr_off)
	C.lame_set_brate(g, C.int(kbit))
	C.lame_set_quality(g, quality)
	C.lame_set_bWriteVbrTag(g, 0)
	C.lame_set_write_id3tag_automatic(g, 0)
	if rc := C.lame_init_params(g); rc < 0 {
		C.lame_close(g)
		return nil, fmt.Errorf("lame: %d Hz at %d kbit/s is refused (%d)", rate, kbit, int(rc))
	}
	return &Encoder{lame: g}, nil
}

// Append encodes pcm and appends what is complete of it to dst.
func (e *Encoder) Append(dst []byte, pcm []int16) ([]byte, error) {
	if e.lame == nil {
		return dst, ErrClosed
	}
	if len(pcm) == 0 {
		return dst, nil
	}
	buf := e.room(len(pcm)*5/4 + 7200) // the worst case that lame.h names
	in := (*C.short)(unsafe.Pointer(&pcm[0]))
	n := C.lame_encode_buffer(e.lame, in, in, C.int(len(pcm)), (*C.uchar)(&buf[0]), C.int(len(buf)))
	if n < 0 {
		return dst, fmt.Errorf("lame: encoding failed (%d)", int(n))
	}
	return append(dst, buf[:n]...), nil
}

// Flush appends the rest of the stream to dst.
func (e *Encoder) Flush(dst []byte) ([]byte, error) {
	if e.lame == nil {
		return dst, ErrClosed
	}
	buf := e.room(7200)
	n := C.lame_encode_flush(e.lame, (*C.uchar)(&buf[0]), C.int(len(buf)))
	if n < 0 {
		return dst, fmt.Errorf("lame: the end of the stream failed (%d)", int(n))
	}
	return append(dst, buf[:n]...), nil
}

// Padding tells how many samples the stream has in front of (delay) and after (padding) the sound. It is final after
// Flush.
func (e *Encoder) Padding() (delay, padding int) {
	if e.lame == nil {
		return 0, 0
	}
	return int(C.lame_get_encoder_delay(e.lame)), int(C.lame_get_encoder_padding(e.lame))
}

// Close frees the encoder. Closing twice is a no-op.
func (e *Encoder) Close() {
	if e.lame != nil {
		C.lame_close(e.lame)
		e.lame = nil
	}
}

func (e *Encoder) room(n int) []byte {
	if len(e.buf) < n {
		e.buf = make([]byte, n)
	}
	return e.buf
}
