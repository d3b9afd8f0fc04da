// Package wav reads and writes the one kind of sound file that prompts and test telephones use: RIFF WAVE, PCM, 16 bit.
//
// It is meant for files of our own and of the administrator. Recordings by strangers go through package audio.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// MaxSize is the largest file that Read takes, in bytes: an hour of 8 kHz sound.
const MaxSize = 64 << 20

const (
	riffHeader = 12
	headerSize = 44 // of the files that Encode writes
)

// ErrFormat is wrapped by every error about the content of a file.
var ErrFormat = errors.New("wav: not a PCM 16 bit WAV file")

// A Sound is mono PCM sound.
type Sound struct {
	Rate     int // samples a second
	Channels int // of the file that was read; Encode always writes one
	Samples  []int16
}

// Duration returns how long the sound plays.
func (s Sound) Duration() time.Duration {
	if s.Rate == 0 {
		return 0
	}
	return time.Duration(len(s.Samples)) * time.Second / time.Duration(s.Rate)
}

// Decode reads a WAV file of 16 bit PCM with one or two channels; two are mixed into one. Programs that write to a pipe
// cannot know the length beforehand: a data chunk that claims more than there is ends with the file.
func Decode(b []byte) (Sound, error) {
	if len(b) < riffHeader || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return Sound{}, fmt.Errorf("%w: no RIFF header", ErrFormat)
	}
	var f format
	for b = b[riffHeader:]; len(b) >= 8; {
		id, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		whole := size <= len(b)
		body := b[:min(size, len(b))]
		switch {
		case id == "data" && f.rate == 0:
			return Sound{}, fmt.Errorf("%w: data before the format", ErrFormat)
		case id == "data":
			return Sound{Rate: f.rate, Channels: f.channels, Samples: f.samples(body)}, nil
		case !whole:
			return Sound{}, fmt.Errorf("%w: chunk %q is cut off", ErrFormat, id)
		case id == "fmt ":
			var err error
			if f, err = parseFormat(body); err != nil {
				return Sound{}, err
			}
		}
		b = b[min(size+size%2, len(b)):]
	}
	return Sound{}, fmt.Errorf("%w: no data", ErrFormat)
}

// format is what the "fmt " chunk tells.
type format struct{ rate, channels int }

func parseFormat(b []byte) (format, error) {
	if len(b) < 16 {
		return format{}, fmt.Errorf("%w: short format chunk", ErrFormat)
	}
	kind, bits := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[14:])
	f := format{rate: int(binary.LittleEndian.Uint32(b[4:])), channels: int(binary.LittleEndian.Uint16(b[2:]))}
	if kind != 1 || bits != 16 || f.channels < 1 || f.channels > 2 || f.rate < 1000 || f.rate > 192000 {
		return format{}, fmt.Errorf("%w: format %d, %d bit, %d channels, %d Hz", ErrFormat, kind, bits, f.channels, f.rate)
	}
	return f, nil
}

// samples turns the data chunk into mono samples. A half sample at the end is dropped.
func (f format) samples(b []byte) []int16 {
	frame := 2 * f.channels
	out := make([]int16, len(b)/frame)
	for i := range out {
		sum := 0
		for c := range f.channels {
			sum += int(int16(binary.LittleEndian.Uint16(b[i*frame+2*c:])))
		}
		out[i] = int16(sum / f.channels)
	}
	return out
}

// Encode returns the sound as the bytes of a WAV file.
func Encode(s Sound) []byte {
	data := 2 * len(s.Samples)
	b := make([]byte, 0, headerSize+data)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize-8+data))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*s.Rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(data))
	for _, v := range s.Samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// Read reads a WAV file of at most MaxSize bytes.
func Read(path string) (Sound, error) {
	f, err := os.Open(path)
	if err != nil {
		return Sound{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return Sound{}, err
	}
	if len(b) > MaxSize {
		return Sound{}, fmt.Errorf("wav: %s is larger than %d bytes", path, MaxSize)
	}
	s, err := Decode(b)
	if err != nil {
		return Sound{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Write writes the sound as a file, whole or not at all: a reader never sees a part of it. The file is readable by the
// owner and the group.
func Write(path string, s Sound) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(Encode(s))
	err = errors.Join(err, f.Chmod(0o640), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// FileDuration returns how long a file that Write wrote plays at the given rate, from its size alone.
func FileDuration(size int64, rate int) time.Duration {
	return time.Duration(max(0, size-headerSize)/2) * time.Second / time.Duration(rate)
}
