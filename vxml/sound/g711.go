package sound

import (
	"bytes"
	"fmt"
	"strings"

	"hark/internal/g711"
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
	code := g711.EncodeMu
	switch media {
	case MuLaw:
	case ALaw:
		code = g711.EncodeA
	default:
		return nil, fmt.Errorf("%w: %s", ErrFormat, media)
	}
	for _, s := range samples {
		b.WriteByte(code(s))
	}
	return b.Bytes(), nil
}
