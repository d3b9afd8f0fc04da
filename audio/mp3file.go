package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"hark/audio/lame"

	gomp3 "github.com/hajimehoshi/go-mp3"
)

// The MP3 form is MPEG-2 layer III, mono, at a constant rate. 8 kHz sound goes up to 16 kHz first: 8 kHz would be
// MPEG-2.5, which several decoders (go-mp3 among them) do not know. Every frame then has 576 samples and 144 bytes.
const (
	mp3Frame      = 576
	mp3FrameBytes = 144
	mp3Side       = 4 + 9 // frame header and side information, mono MPEG-2 without CRC
	mp3Decoder    = 529   // samples that every decoder lags behind
)

var errMP3 = errors.New("audio: not a usable MP3 stream")

// mp3Rate chooses sample rate and kbit/s.
func mp3Rate(rate int) (hz, kbit int) {
	if rate <= 16000 {
		return 16000, 32
	}
	return 24000, 48
}

// encodeMP3 makes an MP3 file of p: an ID3v2.4 tag, an Info frame, the sound.
func encodeMP3(ctx context.Context, p pcm, t tags) ([]byte, error) {
	hz, kbit := mp3Rate(p.rate)
	p = resample(p, hz)
	enc, err := lame.New(hz, kbit)
	if err != nil {
		return nil, err
	}
	defer enc.Close()
	var stream []byte
	for s := p.samples; len(s) > 0; {
		n := min(len(s), hz) // a second at a time
		if stream, err = enc.Append(stream, s[:n]); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s = s[n:]
	}
	if stream, err = enc.Flush(stream); err != nil {
		return nil, err
	}
	delay, padding := enc.Padding()
	info, err := infoFrame(stream, delay, padding)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{id3(t), info, stream}, nil), nil
}

// infoFrame is the silent frame in front of the sound that tells players how many frames follow and how many samples to
// leave out at both ends (the "Info" tag with LAME's extension, without a table of contents: at a constant rate there
// is nothing to look up).
func infoFrame(stream []byte, delay, padding int) ([]byte, error) {
	if len(stream) < mp3FrameBytes || len(stream)%mp3FrameBytes != 0 || delay >= 1<<12 || padding >= 1<<12 {
		return nil, fmt.Errorf("%w: %d bytes, delay %d, padding %d", errMP3, len(stream), delay, padding)
	}
	be := binary.BigEndian
	b := make([]byte, mp3Side, mp3FrameBytes)
	copy(b, stream[:4])
	total := len(stream) + mp3FrameBytes
	b = append(b, "Info"...)
	b = be.AppendUint32(b, 1|2) // frames and bytes follow
	b = be.AppendUint32(b, uint32(len(stream)/mp3FrameBytes))
	b = be.AppendUint32(b, uint32(total))
	b = append(b, "LAME3.100"...)
	b = append(b, 1, 0)                // revision 0, constant rate; low-pass unknown
	b = append(b, make([]byte, 10)...) // replay gain, flags, bit rate
	b = append(b, byte(delay>>4), byte(delay<<4)|byte(padding>>8), byte(padding))
	b = append(b, 0, 0, 0, 0) // misc, gain, preset
	b = be.AppendUint32(b, uint32(total))
	b = be.AppendUint16(b, crc16(stream))
	b = be.AppendUint16(b, crc16(b))
	return b[:mp3FrameBytes], nil
}

// crc16 is CRC-16/ARC, which the Info tag uses.
func crc16(b []byte) uint16 {
	var crc uint16
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			crc = crc>>1 ^ 0xa001*(crc&1)
		}
	}
	return crc
}

// id3 is an ID3v2.4 tag, or nothing when there is nothing to say.
func id3(t tags) []byte {
	var frames []byte
	for _, f := range [][2]string{{"TIT2", t.title}, {"TPE1", t.artist}, {"TDRC", t.date}} {
		if f[1] == "" {
			continue
		}
		text := truncate(f[1], 200)
		frames = append(frames, f[0]...)
		frames = appendSyncsafe(frames, len(text)+1)
		frames = append(frames, 0, 0, 3) // no flags; UTF-8
		frames = append(frames, text...)
	}
	if frames == nil {
		return nil
	}
	return append(appendSyncsafe([]byte("ID3\x04\x00\x00"), len(frames)), frames...)
}

// appendSyncsafe appends n as four bytes of seven bits.
func appendSyncsafe(b []byte, n int) []byte {
	return append(b, byte(n>>21)&0x7f, byte(n>>14)&0x7f, byte(n>>7)&0x7f, byte(n)&0x7f)
}

// decodeMP3 decodes a file that encodeMP3 wrote and cuts off what its Info frame says. It is the check of the form.
func decodeMP3(ctx context.Context, b []byte) (pcm, error) {
	delay, padding, err := mp3Padding(b)
	if err != nil {
		return pcm{}, err
	}
	p, err := readMP3(ctx, b)
	if err != nil {
		return pcm{}, err
	}
	from, to := mp3Frame+delay+mp3Decoder, len(p.samples)-padding+mp3Decoder
	p.samples = append(p.samples, make([]int16, mp3Decoder)...) // what the decoder still holds back
	if from > to || to > len(p.samples) {
		return pcm{}, fmt.Errorf("%w: delay %d, padding %d, %d samples", errMP3, delay, padding, len(p.samples))
	}
	return pcm{p.rate, p.samples[from:to]}, nil
}

// mp3Padding reads delay and padding from the Info frame.
func mp3Padding(b []byte) (delay, padding int, err error) {
	if len(b) > 10 && string(b[:3]) == "ID3" {
		size := int(b[6])<<21 | int(b[7])<<14 | int(b[8])<<7 | int(b[9])
		b = b[min(10+size, len(b)):]
	}
	const at = mp3Side + 16 + 21
	if len(b) < mp3FrameBytes || string(b[mp3Side:mp3Side+4]) != "Info" {
		return 0, 0, fmt.Errorf("%w: no Info frame", errMP3)
	}
	return int(b[at])<<4 | int(b[at+1])>>4, int(b[at+1]&0xf)<<8 | int(b[at+2]), nil
}

// readMP3 decodes any MP3, bounded in time by ctx and in memory by maxDecoded. go-mp3 panics on some damaged streams;
// that becomes an error.
func readMP3(ctx context.Context, b []byte) (p pcm, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: the decoder gave up: %v", errMP3, r)
		}
	}()
	d, err := gomp3.NewDecoder(io.MultiReader(bytes.NewReader(b))) // not a Seeker: it would read everything twice
	if err != nil {
		return pcm{}, fmt.Errorf("%w: %w", errMP3, err)
	}
	p.rate = d.SampleRate()
	buf := make([]byte, 32<<10)
	for {
		n, err := io.ReadFull(d, buf)
		for i := 0; i+4 <= n; i += 4 { // both channels are the same
			p.samples = append(p.samples, int16(binary.LittleEndian.Uint16(buf[i:])))
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return p, nil
		case err != nil:
			return pcm{}, fmt.Errorf("%w: %w", errMP3, err)
		case ctx.Err() != nil:
			return pcm{}, ctx.Err()
		case len(p.samples) > maxDecoded:
			return pcm{}, ErrTooLong
		}
	}
}
