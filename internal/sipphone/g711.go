package sipphone

import (
	"fmt"
	"strings"

	"hark/internal/g711"
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
	muLaw = law{payloadPCMU, tableOf(g711.DecodeMu), g711.EncodeMu, g711.EncodeMu(0)}
	aLaw  = law{payloadPCMA, tableOf(g711.DecodeA), g711.EncodeA, g711.EncodeA(0)}
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
