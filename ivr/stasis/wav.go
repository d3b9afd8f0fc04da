package stasis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// errWAV is about a file that is no WAV file of PCM sound.
var errWAV = errors.New("stasis: not a WAV file of PCM sound")

// mendWAV corrects the lengths in the header of a recording, a file of so many bytes, that Asterisk was killed over (they
// are 0 then), and returns how long the sound is. A file of a finished recording stays as it is.
func mendWAV(f *os.File, size int64) (time.Duration, error) {
	h, err := readWAV(f, size)
	if err != nil {
		return 0, err
	}
	if h.said != h.data {
		if err := h.write(f); err != nil {
			return 0, err
		}
	}
	return h.length(), nil
}

// A wavHeader tells where the sound lies in a WAV file and how fast it goes.
type wavHeader struct {
	dataAt int64  // where the sound begins
	data   uint32 // its bytes, by the size of the file
	said   uint32 // its bytes, by the header
	align  uint16 // bytes per sample
	rate   uint32 // bytes per second
}

func (h wavHeader) length() time.Duration {
	return time.Duration(h.data) * time.Second / time.Duration(h.rate)
}

// readWAV walks over the chunks of a file of so many bytes up to its sound, which Asterisk writes last.
func readWAV(r io.ReaderAt, size int64) (wavHeader, error) {
	var h wavHeader
	var riff [12]byte
	if _, err := r.ReadAt(riff[:], 0); err != nil || string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return h, errWAV
	}
	for at := int64(12); ; {
		var head [8]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return h, fmt.Errorf("%w: it has no sound", errWAV)
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		at += 8
		switch string(head[:4]) {
		case "fmt ":
			if err := h.readFormat(r, at, length); err != nil {
				return h, err
			}
		case "data":
			return h.withData(at, length, size)
		}
		at += length + length%2
	}
}

// readFormat reads the chunk that tells the kind of sound.
func (h *wavHeader) readFormat(r io.ReaderAt, at, length int64) error {
	var f [16]byte
	if _, err := r.ReadAt(f[:], at); err != nil || length < int64(len(f)) {
		return errWAV
	}
	const pcm = 1
	h.rate = binary.LittleEndian.Uint32(f[8:])
	h.align = binary.LittleEndian.Uint16(f[12:])
	if binary.LittleEndian.Uint16(f[0:]) != pcm || h.rate == 0 || h.align == 0 {
		return errWAV
	}
	return nil
}

// withData is the header with its sound at at, said to be length bytes long. A length of less than a sample, such as
// 0, or one past the file's end, stands for all there is.
func (h wavHeader) withData(at, length, size int64) (wavHeader, error) {
	if h.rate == 0 {
		return h, fmt.Errorf("%w: sound before its format", errWAV)
	}
	h.dataAt, h.said = at, uint32(length)
	there := min(size-at, 1<<31)
	if length < int64(h.align) || length > there {
		length = there
	}
	h.data = uint32(length - length%int64(h.align))
	return h, nil
}

// write puts the lengths into the header.
func (h wavHeader) write(w io.WriterAt) error {
	var data, riff [4]byte
	binary.LittleEndian.PutUint32(data[:], h.data)
	binary.LittleEndian.PutUint32(riff[:], uint32(h.dataAt)-8+h.data)
	if _, err := w.WriteAt(riff[:], 4); err != nil {
		return err
	}
	_, err := w.WriteAt(data[:], h.dataAt-4)
	return err
}
