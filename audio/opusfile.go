package audio

import (
	"context"
	"encoding/binary"
	"fmt"

	"hark/audio/opus"
)

const (
	opusBits    = 16000 // bit/s
	opusFrame   = 20    // ms
	opusPackets = 50    // on a page: one second
)

// opusRates are the rates libopus takes, lowest first.
var opusRates = []int{8000, 12000, 16000, 24000, 48000}

// tags travel inside the file.
type tags struct{ title, artist, date string }

// encodeOpus makes an Ogg Opus file (RFC 7845) of p.
func encodeOpus(ctx context.Context, p pcm, t tags) ([]byte, error) {
	p = resample(p, opusRate(p.rate))
	enc, err := opus.NewEncoder(p.rate, opusBits)
	if err != nil {
		return nil, err
	}
	defer enc.Close()
	skip, err := enc.Lookahead()
	if err != nil {
		return nil, err
	}
	scale := 48000 / p.rate // granule positions always count at 48 kHz
	w := &oggWriter{serial: crcOf(p.samples)}
	if err := w.write(0, 0, opusHead(skip*scale, p.rate)); err != nil {
		return nil, err
	}
	if err := w.write(0, 0, opusTags(t)); err != nil {
		return nil, err
	}
	return opusPages(ctx, w, enc, p, skip)
}

// opusPages writes the sound, and enough silence after it that the decoder, which lags by skip samples, gives all of
// it. The last granule position says where it really ends.
func opusPages(ctx context.Context, w *oggWriter, enc *opus.Encoder, p pcm, skip int) ([]byte, error) {
	size, scale := p.rate*opusFrame/1000, 48000/p.rate
	frames := (len(p.samples) + skip + size - 1) / size
	var packets [][]byte
	frame := make([]int16, size)
	for f := range frames {
		clear(frame[copy(frame, p.samples[min(f*size, len(p.samples)):]):])
		packet, err := enc.Encode(frame)
		if err != nil {
			return nil, err
		}
		packets = append(packets, packet)
		if last := f == frames-1; len(packets) == opusPackets || last {
			granule, flags := (f+1)*size, byte(0)
			if last {
				granule, flags = len(p.samples)+skip, oggLast
			}
			if err := w.write(flags, uint64(granule*scale), packets...); err != nil {
				return nil, err
			}
			packets = packets[:0]
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	return w.buf.Bytes(), nil
}

// opusHead is the identification header (RFC 7845, section 5.1), mono.
func opusHead(preSkip, rate int) []byte {
	b := append([]byte("OpusHead"), 1, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(preSkip))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	return append(b, 0, 0, 0) // output gain, mapping family
}

// opusTags is the comment header (RFC 7845, section 5.2).
func opusTags(t tags) []byte {
	b := appendString([]byte("OpusTags"), opus.Version())
	var comments []string
	for _, c := range [][2]string{{"TITLE", t.title}, {"ARTIST", t.artist}, {"DATE", t.date}} {
		if c[1] != "" {
			comments = append(comments, c[0]+"="+truncate(c[1], 200))
		}
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(comments)))
	for _, c := range comments {
		b = appendString(b, c)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// decodeOpus decodes a file that encodeOpus wrote, at the rate it was encoded from. It is the check of the form.
func decodeOpus(ctx context.Context, b []byte) (pcm, error) {
	head, rest, err := readOggPage(b)
	if err != nil {
		return pcm{}, err
	}
	if head.flags&oggFirst == 0 || len(head.packets) != 1 {
		return pcm{}, fmt.Errorf("%w: no header page", errOgg)
	}
	skip, rate, err := parseOpusHead(head.packets[0])
	if err != nil {
		return pcm{}, err
	}
	comments, rest, err := readOggPage(rest)
	if err != nil {
		return pcm{}, err
	}
	if len(comments.packets) != 1 || string(comments.packets[0][:min(8, len(comments.packets[0]))]) != "OpusTags" {
		return pcm{}, fmt.Errorf("%w: no OpusTags", errOgg)
	}
	dec, err := opus.NewDecoder(rate)
	if err != nil {
		return pcm{}, err
	}
	defer dec.Close()
	samples, end, err := decodeOpusPages(ctx, dec, rest, head.serial)
	if err != nil {
		return pcm{}, err
	}
	scale := uint64(48000 / rate)
	skip, end = skip/scale, end/scale
	if end < skip || end > uint64(len(samples)) {
		return pcm{}, fmt.Errorf("%w: it ends at %d of %d samples", errOgg, end, len(samples))
	}
	return pcm{rate, samples[skip:end]}, nil
}

// maxDecoded bounds what a decoder may give: ten minutes at 48 kHz.
const maxDecoded = 600 * maxRate

func decodeOpusPages(ctx context.Context, dec *opus.Decoder, rest []byte, serial uint32) (s []int16, end uint64, err error) {
	for number := uint32(2); ; number++ {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		var p oggPage
		if p, rest, err = readOggPage(rest); err != nil {
			return nil, 0, err
		}
		if p.serial != serial || p.number != number || p.granule < end {
			return nil, 0, fmt.Errorf("%w: page %d is out of order", errOgg, p.number)
		}
		end = p.granule
		for _, packet := range p.packets {
			if s, err = dec.Append(s, packet); err != nil {
				return nil, 0, err
			}
			if len(s) > maxDecoded {
				return nil, 0, ErrTooLong
			}
		}
		if p.flags&oggLast != 0 {
			if len(rest) != 0 {
				return nil, 0, fmt.Errorf("%w: %d bytes after the last page", errOgg, len(rest))
			}
			return s, end, nil
		}
	}
}

func parseOpusHead(b []byte) (preSkip uint64, rate int, err error) {
	if len(b) != 19 || string(b[:8]) != "OpusHead" || b[8] != 1 || b[9] != 1 || b[18] != 0 {
		return 0, 0, fmt.Errorf("%w: no mono OpusHead", errOgg)
	}
	rate = int(min(binary.LittleEndian.Uint32(b[12:]), maxRate))
	return uint64(binary.LittleEndian.Uint16(b[10:])), opusRate(rate), nil
}

// opusRate is the lowest rate of libopus that loses nothing of sound at rate.
func opusRate(rate int) int {
	for _, r := range opusRates {
		if r >= rate {
			return r
		}
	}
	return maxRate
}

// crcOf gives a stream's serial number: any number will do, and one made of the sound makes encoding repeatable.
func crcOf(samples []int16) uint32 {
	crc := uint32(len(samples))
	for _, s := range samples {
		crc = crc<<8 ^ oggTable[byte(crc>>24)^byte(s)]
	}
	return crc
}

// truncate cuts s to at most n bytes without cutting a character.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
