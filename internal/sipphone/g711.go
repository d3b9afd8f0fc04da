package sipphone

import (
	"fmt"
	"strings"
)

// The RTP payload types of the two codecs (RFC 3551).
const (
	payloadPCMU = 0
	payloadPCMA = 8
)

var lawNames = map[uint8]string{payloadPCMU: "PCMU", payloadPCMA: "PCMA"}

// A law is one of the two codecs of G.711: eight bits for a sample.
type law struct {
	payload uint8
	decoded *[256]int16
	encode1 func(int16) byte
	silence byte
}

var (
	muLaw = law{payloadPCMU, tableOf(decodeMu), encodeMu, encodeMu(0)}
	aLaw  = law{payloadPCMA, tableOf(decodeA), encodeA, encodeA(0)}
)

// lawOf finds a codec by name; "" is pcmu.
func lawOf(name string) (law, error) {
	switch strings.ToLower(name) {
	case "", "pcmu":
		return muLaw, nil
	case "pcma":
		return aLaw, nil
	}
	return law{}, fmt.Errorf("sipphone: no codec %q; there are pcmu and pcma", name)
}

func (l law) encode(samples []int16) []byte {
	out := make([]byte, len(samples))
	for i, s := range samples {
		out[i] = l.encode1(s)
	}
	return out
}

func tableOf(decode func(byte) int16) *[256]int16 {
	var t [256]int16
	for i := range t {
		t[i] = decode(byte(i))
	}
	return &t
}

const (
	muBias = 0x84
	muClip = 32635
)

// encodeMu is G.711's μ-law: sign, three bits of exponent, four of mantissa, all inverted.
func encodeMu(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, muClip) + muBias
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent<<4) | byte(v>>(exponent+3)&0x0f))
}

func decodeMu(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3+muBias)<<(b>>4&7) - muBias
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

// encodeA is G.711's A-law: as μ-law, with a linear lowest segment and every other bit inverted.
func encodeA(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	mantissa := v >> 4
	if exponent > 0 {
		mantissa = v >> (exponent + 3)
	}
	return (sign | byte(exponent<<4) | byte(mantissa&0x0f)) ^ 0x55
}

func decodeA(b byte) int16 {
	b ^= 0x55
	exponent := int(b >> 4 & 7)
	v := int(b&0x0f)<<4 + 8
	if exponent > 0 {
		v = (v + 0x100) << (exponent - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
