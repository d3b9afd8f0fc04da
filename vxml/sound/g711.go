package sound

import (
	"bytes"
	"fmt"
	"strings"
)

// The media types of sound without a header: 8 kHz, one channel, a byte a sample (VoiceXML 2.0, appendix E).
const (
	MuLaw = "audio/basic"
	ALaw  = "audio/x-alaw-basic"
)

// bare takes sound without a header.
func bare(b []byte, media string) (format, []byte, error) {
	f := format{rate: Rate, channels: 1}
	media, _, _ = strings.Cut(media, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case MuLaw:
		f.coding = mulaw
	case ALaw:
		f.coding = alaw
	default:
		return f, nil, ErrFormat
	}
	return f, b, nil
}

// Encode writes samples of Rate as a media type wants them: MuLaw and ALaw without a header.
func Encode(samples []int16, media string) ([]byte, error) {
	var b bytes.Buffer
	code := toMuLaw
	switch media {
	case MuLaw:
	case ALaw:
		code = toALaw
	default:
		return nil, fmt.Errorf("%w: %s", ErrFormat, media)
	}
	for _, s := range samples {
		b.WriteByte(code(s))
	}
	return b.Bytes(), nil
}

// fromMuLaw decodes one sample (G.711).
func fromMuLaw(c byte) int16 {
	c = ^c
	v := (int16(c&0x0f)<<3 + 0x84) << (c >> 4 & 7)
	if c&0x80 != 0 {
		return 0x84 - v
	}
	return v - 0x84
}

// fromALaw decodes one sample (G.711).
func fromALaw(c byte) int16 {
	c ^= 0x55
	v := int16(c&0x0f)<<4 + 8
	if e := c >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if c&0x80 == 0 {
		return -v
	}
	return v
}

// The bias and the largest value of µ-law.
const (
	muBias = 0x84
	muMost = 32635
)

// toMuLaw codes one sample (G.711).
func toMuLaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, muMost) + muBias
	e := exponent(v)
	return ^(sign | e<<4 | byte(v>>(e+3)&0x0f))
}

// toALaw codes one sample (G.711).
func toALaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	c := byte(v >> 4)
	if v >= 256 {
		e := exponent(v)
		c = e<<4 | byte(v>>(e+3)&0x0f)
	}
	return (sign | c) ^ 0x55
}

// exponent is where the highest bit of a value of 15 bits stands, from 0 for bit 7 and below.
func exponent(v int) (e byte) {
	for v >>= 8; v > 0; v >>= 1 {
		e++
	}
	return e
}
