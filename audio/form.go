package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/go-audio/wav"
)

// A Form is one of the three files that a recording is offered as.
type Form string

// The forms. WAV is made first and is the master; the others are made from it.
const (
	WAV Form = "wav" // PCM 16 bit mono, at the rate of the recording
	MP3 Form = "mp3" // 32 kbit/s mono (48 when the recording has more than 16 kHz)
	Ogg Form = "ogg" // Opus, about 16 kbit/s
)

// forms in the order in which a browser is offered them.
var forms = []Form{Ogg, MP3, WAV}

// Type is the media type, for Content-Type.
func (f Form) Type() string {
	switch f {
	case MP3:
		return "audio/mpeg"
	case Ogg:
		return "audio/ogg; codecs=opus"
	}
	return "audio/wav"
}

// known tells whether f is one of the three.
func (f Form) known() bool { return f == WAV || f == MP3 || f == Ogg }

// encode makes the form of p and proves it by decoding it again: nothing is offered that another decoder than the one
// it was made with could not read. ctx ends it early.
func (f Form) encode(ctx context.Context, p pcm, t tags) ([]byte, error) {
	b, err := f.make(ctx, p, t)
	if err != nil {
		return nil, fmt.Errorf("audio: making the %s: %w", f, err)
	}
	return b, f.check(ctx, p, b)
}

func (f Form) make(ctx context.Context, p pcm, t tags) ([]byte, error) {
	switch f {
	case MP3:
		return encodeMP3(ctx, p, t)
	case Ogg:
		return encodeOpus(ctx, p, t)
	}
	return encodeWAV(p), nil
}

// Encode makes a form of a WAV file, as Put does, without checking it: for comparisons with other encoders. ErrFormat.
func Encode(ctx context.Context, wav []byte, f Form) ([]byte, error) {
	p, _, err := decodeWAV(wav)
	if err != nil {
		return nil, err
	}
	return f.make(ctx, p, tags{})
}

// check decodes the form and compares it with what it was made from.
func (f Form) check(ctx context.Context, p pcm, b []byte) (err error) {
	if f == WAV {
		err = checkWAV(b, p)
	} else {
		var back pcm
		if back, err = f.decode(ctx, b); err == nil {
			err = sameSound(p, back)
		}
	}
	if err != nil {
		return fmt.Errorf("audio: checking the %s: %w", f, err)
	}
	return nil
}

func (f Form) decode(ctx context.Context, b []byte) (pcm, error) {
	switch f {
	case MP3:
		return decodeMP3(ctx, b)
	case Ogg:
		return decodeOpus(ctx, b)
	}
	p, _, err := decodeWAV(b)
	return p, err
}

// checkWAV reads a WAV file that passes our own walk with go-audio/wav, a second opinion on where its sound begins and
// ends, and compares every sample.
func checkWAV(b []byte, want pcm) error {
	if _, err := walkRIFF(b); err != nil {
		return err
	}
	d := wav.NewDecoder(bytes.NewReader(b))
	if err := d.FwdToPCM(); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if d.BitDepth != 16 || d.NumChans != 1 || int(d.SampleRate) != want.rate || d.PCMLen() != int64(2*len(want.samples)) {
		return fmt.Errorf("%w: %d bit, %d channels, %d Hz, %d bytes of sound", ErrFormat, d.BitDepth, d.NumChans, d.SampleRate, d.PCMLen())
	}
	piece := make([]byte, 32<<10)
	for rest := want.samples; len(rest) > 0; {
		n := min(len(rest), len(piece)/2)
		if _, err := io.ReadFull(d.PCMChunk, piece[:2*n]); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		for i, v := range rest[:n] {
			if got := int16(binary.LittleEndian.Uint16(piece[2*i:])); got != v {
				return fmt.Errorf("%w: sample %d is %d instead of %d", ErrFormat, len(want.samples)-len(rest)+i, got, v)
			}
		}
		rest = rest[n:]
	}
	return nil
}

// maxDrift is how much longer or shorter a form may be than the master.
const maxDrift = 50 * time.Millisecond

// sameSound compares length and level; an encoder that drops half of its input or gives silence is found out.
func sameSound(want, got pcm) error {
	if d := got.duration() - want.duration(); d > maxDrift || d < -maxDrift {
		return fmt.Errorf("it lasts %v, the recording %v", got.duration(), want.duration())
	}
	w, g := rms(want.samples), rms(got.samples)
	if w > 100 && (g < w/3 || g > w*3) {
		return fmt.Errorf("its level is %.0f, the recording's %.0f", g, w)
	}
	return nil
}

func rms(s []int16) float64 {
	if len(s) == 0 {
		return 0
	}
	var sum int64 // of whole numbers, which are added faster
	for _, v := range s {
		sum += int64(v) * int64(v)
	}
	return math.Sqrt(float64(sum) / float64(len(s)))
}
