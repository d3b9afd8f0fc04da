package ivrtest

import (
	"encoding/binary"
	"errors"
	"os"
	"time"
)

// The sound of a line: 16 bit samples, mono.
const (
	rate     = 8000
	perFrame = 2
	header   = 44
)

// wave makes a WAV file that lasts d: the samples, cut or filled with silence.
func wave(samples []byte, d time.Duration) []byte {
	size := int(d*rate/time.Second) * perFrame
	out := make([]byte, header+size)
	copy(out, "RIFF")
	binary.LittleEndian.PutUint32(out[4:], uint32(header-8+size))
	copy(out[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(out[16:], 16)
	binary.LittleEndian.PutUint16(out[20:], 1)
	binary.LittleEndian.PutUint16(out[22:], 1)
	binary.LittleEndian.PutUint32(out[24:], rate)
	binary.LittleEndian.PutUint32(out[28:], rate*perFrame)
	binary.LittleEndian.PutUint16(out[32:], perFrame)
	binary.LittleEndian.PutUint16(out[34:], 8*perFrame)
	copy(out[36:], "data")
	binary.LittleEndian.PutUint32(out[40:], uint32(size))
	copy(out[header:], samples)
	return out
}

// readWave reads the samples of a plain WAV file as wave makes it.
func readWave(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(data) < header || string(data[36:40]) != "data" || binary.LittleEndian.Uint32(data[24:]) != rate {
		return nil, errors.New("ivrtest: " + name + " is not a plain WAV file of 8 kHz, 16 bit")
	}
	return data[header:], nil
}
