// Package sound makes of the sound files that VoiceXML documents name the one kind that a telephone line plays: 8 kHz,
// 16 bit, mono. It reads WAV and AU files with PCM of 8 or 16 bit, µ-law and A-law (VoiceXML 2.0, appendix E), in any
// sample rate, with one or two channels; and it reads and writes µ-law and A-law without a header.
package sound

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"hark/internal/g711"
)

// Rate is the sample rate of what Decode returns, in Hz.
const Rate = 8000

// ErrFormat is wrapped by every error about a file that cannot be read.
var ErrFormat = errors.New("sound: not a sound file of a known kind")

// Duration returns how long samples play.
func Duration(samples []int16) time.Duration {
	return time.Duration(len(samples)) * time.Second / Rate
}

// coding is how samples are written.
type coding int

const (
	pcm8 coding = iota
	pcm16
	mulaw
	alaw
)

// format is what a file's header says.
type format struct {
	coding   coding
	big      bool // the high byte first
	signed   bool // of 8 bit PCM
	rate     int
	channels int
}

// Decode reads a file. Sound without a header, of 8 kHz, is known by its media type: MuLaw or ALaw.
func Decode(b []byte, media string) ([]int16, error) {
	var f format
	var data []byte
	var err error
	switch {
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE":
		f, data, err = wav(b)
	case len(b) >= 24 && string(b[:4]) == ".snd":
		f, data, err = au(b)
	default:
		f, data, err = bare(b, media)
	}
	if err != nil {
		return nil, err
	}
	if f.rate < 1000 || f.rate > 200_000 || f.channels < 1 || f.channels > 2 {
		return nil, fmt.Errorf("%w: %d Hz, %d channels", ErrFormat, f.rate, f.channels)
	}
	return resample(mono(f.samples(data), f.channels), f.rate), nil
}

// wav reads the chunks of a RIFF file.
func wav(b []byte) (f format, data []byte, err error) {
	var known bool
	for rest := b[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:8]))
		body := rest[8:]
		if size < 0 || size > len(body) {
			size = len(body) // written to a pipe: the length is not known
		}
		switch id {
		case "fmt ":
			if f, err = wavFormat(body[:size]); err != nil {
				return f, nil, err
			}
			known = true
		case "data":
			if !known {
				return f, nil, fmt.Errorf("%w: sound in front of its format", ErrFormat)
			}
			return f, body[:size], nil
		}
		rest = body[min(len(body), size+size%2):]
	}
	return f, nil, fmt.Errorf("%w: no sound in it", ErrFormat)
}

// The format tags of WAV.
const (
	tagPCM        = 1
	tagALaw       = 6
	tagMuLaw      = 7
	tagExtensible = 0xfffe
)

func wavFormat(b []byte) (format, error) {
	if len(b) < 16 {
		return format{}, fmt.Errorf("%w: a short header", ErrFormat)
	}
	tag, bits := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[14:])
	if tag == tagExtensible && len(b) >= 26 {
		tag = binary.LittleEndian.Uint16(b[24:])
	}
	f := format{channels: int(binary.LittleEndian.Uint16(b[2:])), rate: int(binary.LittleEndian.Uint32(b[4:]))}
	switch {
	case tag == tagPCM && bits == 8:
		f.coding = pcm8
	case tag == tagPCM && bits == 16:
		f.coding = pcm16
	case tag == tagMuLaw && bits == 8:
		f.coding = mulaw
	case tag == tagALaw && bits == 8:
		f.coding = alaw
	default:
		return f, fmt.Errorf("%w: WAV format %d with %d bit", ErrFormat, tag, bits)
	}
	return f, nil
}

// au reads a file of Sun's.
func au(b []byte) (format, []byte, error) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	f := format{big: true, signed: true, rate: int(word(4)), channels: int(word(5) & 0xff)}
	switch word(3) {
	case 1:
		f.coding = mulaw
	case 2:
		f.coding = pcm8
	case 3:
		f.coding = pcm16
	case 27:
		f.coding = alaw
	default:
		return f, nil, fmt.Errorf("%w: AU format %d", ErrFormat, word(3))
	}
	from := word(1)
	if from < 24 || uint64(from) > uint64(len(b)) {
		return f, nil, fmt.Errorf("%w: a bad header", ErrFormat)
	}
	data := b[from:]
	if size := word(2); uint64(size) < uint64(len(data)) {
		data = data[:size]
	}
	return f, data, nil
}

// samples reads the samples of all channels, one after the other.
func (f format) samples(data []byte) []int16 {
	if f.coding == pcm16 {
		var order binary.ByteOrder = binary.LittleEndian
		if f.big {
			order = binary.BigEndian
		}
		out := make([]int16, len(data)/2)
		for i := range out {
			out[i] = int16(order.Uint16(data[2*i:]))
		}
		return out
	}
	out := make([]int16, len(data))
	for i, c := range data {
		switch {
		case f.coding == mulaw:
			out[i] = g711.DecodeMu(c)
		case f.coding == alaw:
			out[i] = g711.DecodeA(c)
		case f.signed:
			out[i] = int16(int8(c)) << 8
		default:
			out[i] = (int16(c) - 128) << 8
		}
	}
	return out
}

// mono mixes two channels.
func mono(s []int16, channels int) []int16 {
	if channels == 1 {
		return s
	}
	out := make([]int16, len(s)/2)
	for i := range out {
		out[i] = int16((int(s[2*i]) + int(s[2*i+1])) / 2)
	}
	return out
}

// resample brings samples to Rate: downwards each is the mean of those it stands for, which keeps most of what is too
// high for the telephone out; upwards the values between are drawn straight.
func resample(s []int16, rate int) []int16 {
	if rate == Rate || len(s) == 0 {
		return s
	}
	out := make([]int16, len(s)*Rate/rate)
	for i := range out {
		from, to := i*rate/Rate, (i+1)*rate/Rate
		if to > from+1 {
			out[i] = mean(s[from:min(to, len(s))])
			continue
		}
		part := i * rate % Rate
		next := s[min(from+1, len(s)-1)]
		out[i] = int16((int(s[from])*(Rate-part) + int(next)*part) / Rate)
	}
	return out
}

func mean(s []int16) int16 {
	sum := 0
	for _, v := range s {
		sum += int(v)
	}
	return int16(sum / len(s))
}

// WAV writes samples of Rate as a file.
func WAV(s []int16) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, 44+2*len(s))
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(36+2*len(s)))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, tagPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint32(b, 2*Rate)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(2*len(s)))
	for _, v := range s {
		b = le.AppendUint16(b, uint16(v))
	}
	return b
}
