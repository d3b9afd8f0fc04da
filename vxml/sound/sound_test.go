package sound

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
	"time"
)

// file makes a WAV file with any header.
func file(tag, channels, bits uint16, rate uint32, data []byte) []byte {
	le := binary.LittleEndian
	b := []byte("RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00")
	b = le.AppendUint16(b, tag)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*uint32(channels)*uint32(bits)/8)
	b = le.AppendUint16(b, channels*bits/8)
	b = le.AppendUint16(b, bits)
	b = append(b, "data"...)
	return append(le.AppendUint32(b, uint32(len(data))), data...)
}

func auFile(coding uint32, data []byte) []byte {
	b := []byte(".snd")
	for _, v := range []uint32{28, uint32(len(data)), coding, 8000, 1, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, data...)
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want []int16
	}{
		{"pcm 16", file(1, 1, 16, 8000, []byte{1, 0, 255, 255}), []int16{1, -1}},
		{"pcm 8", file(1, 1, 8, 8000, []byte{128, 129, 0}), []int16{0, 256, -32768}},
		{"stereo", file(1, 2, 16, 8000, []byte{10, 0, 20, 0}), []int16{15}},
		{"mu-law", file(7, 1, 8, 8000, []byte{0xff, 0x7f, 0x00, 0x80}), []int16{0, 0, -32124, 32124}},
		{"a-law", file(6, 1, 8, 8000, []byte{0xd5, 0x55, 0xaa, 0x2a}), []int16{8, -8, 32256, -32256}},
		{"16 kHz", file(1, 1, 16, 16000, []byte{10, 0, 20, 0, 30, 0, 40, 0}), []int16{15, 35}},
		{"4 kHz", file(1, 1, 16, 4000, []byte{0, 0, 100, 0}), []int16{0, 50, 100, 100}},
		{"au mu-law", auFile(1, []byte{0x00}), []int16{-32124}},
		{"au pcm", auFile(3, []byte{1, 0}), []int16{256}},
		{"au pcm 8", auFile(2, []byte{0xff}), []int16{-256}},
		{MuLaw, []byte{0xff, 0x00}, []int16{0, -32124}},
		{"Audio/x-alaw-basic; rate=8000", []byte{0xd5, 0xaa}, []int16{8, 32256}},
		{"audio/basic with a header", auFile(1, []byte{0x00}), []int16{-32124}},
	} {
		got, err := Decode(c.b, c.name)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("RIFF"), []byte("ID3 an mp3 file"), file(1, 1, 24, 8000, nil), file(1, 3, 16, 8000, nil),
		file(1, 1, 16, 1, []byte{1, 0}), file(85, 1, 0, 8000, nil), auFile(9, nil), []byte("RIFF\x00\x00\x00\x00WAVEdata\x01\x00\x00\x00x")} {
		if got, err := Decode(b, "audio/x-wav"); err == nil {
			t.Errorf("%q was taken: %v", b, got)
		}
	}
}

// TestEncode writes every code that there is, and what lies between two of them.
func TestEncode(t *testing.T) {
	for _, media := range []string{MuLaw, ALaw} {
		for v := range 1 << 16 {
			want := int16(v - 1<<15)
			b, err := Encode([]int16{want}, media)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(b, media)
			off := max(int(got[0])-int(want), int(want)-int(got[0]))
			if err != nil || off > 16+max(int(want), -int(want))/16 {
				t.Fatalf("%s: %d became %d, %v", media, want, got[0], err)
			}
			b, _ = Encode(got, media)
			if again, _ := Decode(b, media); again[0] != got[0] {
				t.Fatalf("%s: the code's own %d became %d", media, got[0], again[0])
			}
		}
	}
	if _, err := Encode(nil, "audio/mpeg"); err == nil {
		t.Error("MP3 was written")
	}
}

func TestDuration(t *testing.T) {
	if d := Duration(make([]int16, 12000)); d != 1500*time.Millisecond {
		t.Error(d)
	}
}

// FuzzDecode proves that no file breaks it, and that what is written is read again as it was.
func FuzzDecode(f *testing.F) {
	f.Add(file(1, 2, 16, 44100, make([]byte, 400)))
	f.Add(auFile(1, []byte("abc")))
	f.Add([]byte("RIFF00000000fmt 00000000000000000000"))
	f.Add(file(1, 1, 8, math.MaxUint32, []byte("x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b, MuLaw)
		if err != nil {
			return
		}
		if len(s) > 16*len(b)+16 {
			t.Fatalf("%d samples of %d bytes", len(s), len(b))
		}
		again, err := Decode(WAV(s), "")
		if err != nil || !slices.Equal(s, again) {
			t.Fatalf("%d samples became %d, %v", len(s), len(again), err)
		}
	})
}
