package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"
)

// chunk is one RIFF chunk, padded.
func chunk(id string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func riffOf(chunks ...[]byte) []byte {
	body := bytes.Join(chunks, nil)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4))
	return append(append(b, "WAVE"...), body...)
}

func fmtChunk(tag, channels uint16, rate, byteRate uint32, align, bits uint16) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, tag)
	b = le.AppendUint16(b, channels)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, byteRate)
	b = le.AppendUint16(b, align)
	return chunk("fmt ", le.AppendUint16(b, bits))
}

func TestWalkRIFF(t *testing.T) {
	good := fmtChunk(1, 1, 8000, 16000, 2, 16)
	sound := chunk("data", []byte{1, 2, 3, 4, 5, 6})
	lie := func(b []byte, n uint32) []byte {
		b = bytes.Clone(b)
		binary.LittleEndian.PutUint32(b[4:], n)
		return b
	}
	for _, c := range []struct {
		name     string
		in       []byte
		bytes    int
		repaired bool
		err      error
	}{
		{"plain", riffOf(good, sound), 6, false, nil},
		{"other chunks around", riffOf(chunk("LIST", []byte("abc")), good, chunk("fact", nil), sound, chunk("LIST", []byte("x"))), 6, false, nil},
		{"an odd length", riffOf(good, chunk("data", []byte{1, 2, 3})), 2, false, nil},
		{"a killed Asterisk", riffOf(good, lie(sound, 0)), 6, true, nil},
		{"a killed pipe", riffOf(good, lie(sound, 0xffffffff)), 6, true, nil},
		{"no samples", riffOf(good, chunk("data", nil)), 0, false, nil},
		{"data longer than the file", riffOf(good, lie(sound, 8)), 0, false, ErrFormat},
		{"chunk longer than the file", riffOf(lie(chunk("LIST", []byte("abcd")), 1<<31), good, sound), 0, false, ErrFormat},
		{"data before fmt", riffOf(sound, good), 0, false, ErrFormat},
		{"no data", riffOf(good), 0, false, ErrFormat},
		{"no fmt", riffOf(chunk("LIST", nil)), 0, false, ErrFormat},
		{"two fmt", riffOf(good, good, sound), 0, false, ErrFormat},
		{"short fmt", riffOf(chunk("fmt ", make([]byte, 14)), sound), 0, false, ErrFormat},
		{"µ-law", riffOf(fmtChunk(7, 1, 8000, 16000, 2, 16), sound), 0, false, ErrFormat},
		{"stereo", riffOf(fmtChunk(1, 2, 8000, 32000, 4, 16), sound), 0, false, ErrFormat},
		{"8 bit", riffOf(fmtChunk(1, 1, 8000, 8000, 1, 8), sound), 0, false, ErrFormat},
		{"too slow", riffOf(fmtChunk(1, 1, 7999, 15998, 2, 16), sound), 0, false, ErrFormat},
		{"too fast", riffOf(fmtChunk(1, 1, 48001, 96002, 2, 16), sound), 0, false, ErrFormat},
		{"rates that contradict each other", riffOf(fmtChunk(1, 1, 8000, 8000, 2, 16), sound), 0, false, ErrFormat},
		{"too many chunks", riffOf(bytes.Repeat(chunk("junk", nil), 100), good, sound), 0, false, ErrFormat},
		{"big endian", append([]byte("RIFX"), riffOf(good, sound)[4:]...), 0, false, ErrFormat},
		{"go-audio's 1.5 GB", []byte("RIFF00000000fmt 00000000000000000000"), 0, false, ErrFormat},
		{"nothing", nil, 0, false, ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := walkRIFF(c.in)
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if err == nil && (len(f.data) != c.bytes || f.repaired != c.repaired || f.rate != 8000) {
				t.Errorf("%d bytes at %d Hz, repaired %v", len(f.data), f.rate, f.repaired)
			}
		})
	}
}

func TestCheckWAV(t *testing.T) {
	in := tone(440, 8000, 3*time.Second)
	good := encodeWAV(in)
	if err := checkWAV(good, in); err != nil {
		t.Error(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	slower := pcm{in.rate / 2, in.samples}
	longer := pcm{in.rate, append(slices.Clone(in.samples), 0)}
	for name, err := range map[string]error{
		"another last sample": checkWAV(bad, in), "another rate": checkWAV(good, slower), "one sample less": checkWAV(good, longer),
	} {
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzWAV: what the walk lets through is written again as the same sound, and go-audio/wav reads that.
func FuzzWAV(f *testing.F) {
	f.Add([]byte("RIFF00000000fmt 00000000000000000000"))
	f.Add(encodeWAV(tone(440, 8000, 10*time.Millisecond)))
	f.Add(riffOf(fmtChunk(1, 1, 8000, 16000, 2, 16), chunk("LIST", []byte("abc")), chunk("data", []byte{1, 2, 3})))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, _, err := decodeWAV(b)
		if err != nil {
			return
		}
		again, repaired, err := decodeWAV(encodeWAV(p))
		if err != nil || repaired || again.rate != p.rate || !bytes.Equal(encodeWAV(again), encodeWAV(p)) {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if err := checkWAV(encodeWAV(p), p); err != nil {
			t.Fatalf("go-audio/wav reads something else: %v", err)
		}
	})
}

// FuzzOgg: a page that is read and written again is the same.
func FuzzOgg(f *testing.F) {
	w := &oggWriter{serial: 7}
	if err := w.write(0, 0, []byte("OpusHead"), bytes.Repeat([]byte("x"), 255), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(w.buf.Bytes())
	f.Add([]byte("OggS"))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = mend(b)
		p, rest, err := readOggPage(b)
		if err != nil {
			return
		}
		w := &oggWriter{serial: p.serial, page: p.number}
		flags := p.flags
		if p.number == 0 && flags&oggFirst == 0 {
			return // our writer would set it
		}
		if err := w.write(flags, p.granule, p.packets...); err != nil {
			t.Fatal(err)
		}
		if page := b[:len(b)-len(rest)]; !bytes.Equal(w.buf.Bytes(), page) {
			t.Fatalf("read and written again:\n%x\n%x", page, w.buf.Bytes())
		}
	})
}
