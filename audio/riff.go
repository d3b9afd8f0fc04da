package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors about what was handed in. They are for the log and for the operator; a caller hears that the recording
// could not be used.
var (
	// ErrFormat: not a RIFF/WAVE file of 16-bit mono PCM between 8 and 48 kHz, or one that contradicts itself.
	ErrFormat = errors.New("audio: not a usable WAV file")
	// ErrTooLong: longer than the limit, in time or in bytes.
	ErrTooLong = errors.New("audio: the recording is too long")
	// ErrEmpty: there is no sound in it at all.
	ErrEmpty = errors.New("audio: the recording is empty")
)

const (
	minRate   = 8000
	maxRate   = 48000
	maxChunks = 64
)

// riff is what the walk over a WAV file found. Only a file that passed the walk reaches a decoder, because decoders
// believe the lengths they read.
type riff struct {
	rate     int
	data     []byte // the PCM: whole samples, little endian
	repaired bool   // the header had no length: whoever wrote it died before the end
}

// walkRIFF checks b, a whole file, against its own lengths. A data chunk of length 0 (or all ones) that has bytes after
// it is what a killed Asterisk leaves: its length is then what the file has.
func walkRIFF(b []byte) (riff, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return riff{}, fmt.Errorf("%w: no RIFF/WAVE at its beginning", ErrFormat)
	}
	var f riff
	rest := b[12:]
	for range maxChunks {
		if len(rest) < 8 {
			break
		}
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		if id == "data" {
			return f, f.setData(rest, size)
		}
		if size > uint64(len(rest)) {
			return riff{}, fmt.Errorf("%w: chunk %q says %d bytes, the file has %d", ErrFormat, id, size, len(rest))
		}
		if id == "fmt " {
			if err := f.setFormat(rest[:size]); err != nil {
				return riff{}, err
			}
		}
		rest = rest[min(uint64(len(rest)), size+size%2):]
	}
	return riff{}, fmt.Errorf("%w: no data chunk", ErrFormat)
}

func (f *riff) setFormat(b []byte) error {
	if f.rate != 0 {
		return fmt.Errorf("%w: two fmt chunks", ErrFormat)
	}
	if len(b) < 16 {
		return fmt.Errorf("%w: a fmt chunk of %d bytes", ErrFormat, len(b))
	}
	le := binary.LittleEndian
	tag, channels, rate := le.Uint16(b), le.Uint16(b[2:]), le.Uint32(b[4:])
	byteRate, align, bits := le.Uint32(b[8:]), le.Uint16(b[12:]), le.Uint16(b[14:])
	if tag != 1 || channels != 1 || bits != 16 || align != 2 {
		return fmt.Errorf("%w: format %d, %d channels, %d bits, %d bytes a frame; wanted 1, 1, 16, 2",
			ErrFormat, tag, channels, bits, align)
	}
	if rate < minRate || rate > maxRate || byteRate != 2*rate {
		return fmt.Errorf("%w: %d Hz with %d bytes a second", ErrFormat, rate, byteRate)
	}
	f.rate = int(rate)
	return nil
}

func (f *riff) setData(rest []byte, size uint64) error {
	if f.rate == 0 {
		return fmt.Errorf("%w: data before fmt", ErrFormat)
	}
	if (size == 0 || size == 0xffffffff) && len(rest) > 0 {
		f.repaired = true
		size = uint64(len(rest))
	}
	if size > uint64(len(rest)) {
		return fmt.Errorf("%w: the data chunk says %d bytes, the file has %d", ErrFormat, size, len(rest))
	}
	f.data = rest[:size&^1]
	return nil
}

// pcm is mono sound.
type pcm struct {
	rate    int
	samples []int16
}

// duration is the length in time, exact to a nanosecond.
func (p pcm) duration() time.Duration { return span(len(p.samples), p.rate) }

// span is how long n samples at rate Hz last.
func span(n, rate int) time.Duration {
	return time.Duration(int64(n) * int64(time.Second) / int64(rate))
}

// decodeWAV reads a whole WAV file that a stranger (Asterisk, a test, an upload) wrote.
func decodeWAV(b []byte) (p pcm, repaired bool, err error) { return decodeWAVInto(nil, b) }

// decodeWAVInto is decodeWAV that uses the memory of s, which is empty, for the samples. Half the length of b is enough.
func decodeWAVInto(s []int16, b []byte) (p pcm, repaired bool, err error) {
	f, err := walkRIFF(b)
	if err != nil {
		return pcm{}, false, err
	}
	if len(f.data) == 0 {
		return pcm{}, false, ErrEmpty
	}
	return pcm{f.rate, appendSamples(s, f.data)}, f.repaired, nil
}

// appendSamples reads the samples of a data chunk, behind s.
func appendSamples(s []int16, data []byte) []int16 {
	first := len(s)
	s = slices.Grow(s, len(data)/2)[:first+len(data)/2]
	for i := range s[first:] {
		s[first+i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
	}
	return s
}

const wavHeader = 44

// encodeWAV writes the plainest WAV file there is: a 44-byte header and the samples.
func encodeWAV(p pcm) []byte { return appendWAV(make([]byte, 0, p.wavSize()), p) }

// wavSize is the length of p as a WAV file.
func (p pcm) wavSize() int { return wavHeader + 2*len(p.samples) }

// appendWAV is encodeWAV behind b.
func appendWAV(b []byte, p pcm) []byte {
	le := binary.LittleEndian
	n := 2 * len(p.samples)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(n+wavHeader-8))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, 1) // mono
	b = le.AppendUint32(b, uint32(p.rate))
	b = le.AppendUint32(b, uint32(2*p.rate))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(n))
	for _, s := range p.samples {
		b = le.AppendUint16(b, uint16(s))
	}
	return b
}
