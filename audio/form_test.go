package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tone is a sine of hz at a quarter of full scale.
func tone(hz float64, rate int, d time.Duration) pcm {
	s := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range s {
		s[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return pcm{rate, s}
}

// frequency counts the zero crossings in the middle half of p.
func frequency(p pcm) float64 {
	mid := p.samples[len(p.samples)/4 : len(p.samples)*3/4]
	first, last, n := 0.0, 0.0, 0
	for i := 1; i < len(mid); i++ {
		if mid[i-1] < 0 && mid[i] >= 0 {
			at := float64(i-1) + float64(-mid[i-1])/float64(int(mid[i])-int(mid[i-1]))
			if n == 0 {
				first = at
			}
			last = at
			n++
		}
	}
	return float64(n-1) * float64(p.rate) / (last - first)
}

func TestFormsKeepATone(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 48000} {
		for _, d := range []time.Duration{20 * time.Millisecond, 999 * time.Millisecond, 3100 * time.Millisecond} {
			for _, f := range forms {
				t.Run(fmt.Sprintf("%s/%d/%v", f, rate, d), func(t *testing.T) {
					in := tone(440, rate, d)
					b, err := f.encode(t.Context(), in, tags{title: "A tone", artist: "Ana", date: "2026-11-23"})
					if err != nil {
						t.Fatal(err)
					}
					out, err := f.decode(t.Context(), b)
					if err != nil {
						t.Fatal(err)
					}
					if drift := (out.duration() - in.duration()).Abs(); drift > time.Millisecond {
						t.Errorf("it lasts %v instead of %v", out.duration(), in.duration())
					}
					if hz := frequency(out); d > 500*time.Millisecond && math.Abs(hz-440) > 0.5 {
						t.Errorf("the tone has %.2f Hz", hz)
					}
				})
			}
		}
	}
}

// TestOthersReadOurForms decodes with the tools that everybody else uses.
func TestOthersReadOurForms(t *testing.T) {
	in := tone(440, 8000, 5*time.Second)
	for _, c := range []struct {
		form Form
		tool string
		args []string // IN and OUT stand for the files
	}{
		{MP3, "ffmpeg", []string{"-v", "error", "-i", "IN", "OUT"}},
		{MP3, "lame", []string{"--quiet", "--decode", "IN", "OUT"}},
		{MP3, "mpg123", []string{"-q", "-w", "OUT", "IN"}},
		{Ogg, "ffmpeg", []string{"-v", "error", "-i", "IN", "-ar", "8000", "OUT"}},
		{Ogg, "opusdec", []string{"--quiet", "--rate", "8000", "--no-dither", "IN", "OUT"}},
		{WAV, "ffmpeg", []string{"-v", "error", "-i", "IN", "OUT"}},
		{WAV, "sox", []string{"IN", "OUT"}},
	} {
		t.Run(c.tool+"/"+string(c.form), func(t *testing.T) {
			out := runTool(t, c.form, in, c.tool, c.args)
			if drift := (out.duration() - in.duration()).Abs(); drift > 2*time.Millisecond {
				t.Errorf("it lasts %v instead of %v", out.duration(), in.duration())
			}
			if hz := frequency(out); math.Abs(hz-440) > 0.5 {
				t.Errorf("the tone has %.2f Hz", hz)
			}
			if r := rms(out.samples) / rms(in.samples); r < 0.9 || r > 1.1 {
				t.Errorf("the level changed by a factor of %.3f", r)
			}
		})
	}
}

func runTool(t *testing.T, f Form, in pcm, tool string, args []string) pcm {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Skipf("%s is missing: apt-get install ffmpeg lame mpg123 opus-tools sox", tool)
	}
	b, err := f.encode(t.Context(), in, tags{title: "A tone"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "in."+string(f)), filepath.Join(dir, "out.wav")
	if err := os.WriteFile(from, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		switch a {
		case "IN":
			args[i] = from
		case "OUT":
			args[i] = to
		}
	}
	if msg, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil || len(msg) > 0 {
		t.Fatalf("%s: %v: %s", tool, err, msg)
	}
	wav, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := decodeWAV(wav)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEncodingIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range []Form{MP3, Ogg} {
		if _, err := f.encode(ctx, tone(440, 8000, 3*time.Second), tags{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// TestTags: a reader of others' making finds title, sender and date in the ID3v2 tag of an MP3 and in the comments of an
// Opus file.
func TestTags(t *testing.T) {
	tool, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("ffprobe is missing: apt-get install ffmpeg")
	}
	in := tags{title: "Grüße; aus = Kiel", artist: "Ana Ruiz", date: "2026-11-23T08:00:00Z"}
	for _, f := range []Form{MP3, Ogg} {
		b, err := f.encode(t.Context(), tone(440, 8000, time.Second), in)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "in."+string(f))
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), tool, "-v", "error", "-of", "json", "-show_entries", "format_tags:stream_tags", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Format  struct{ Tags map[string]string }   // of an MP3
			Streams []struct{ Tags map[string]string } // of an Ogg file
		}
		if err := json.Unmarshal(out, &read); err != nil || len(read.Streams) != 1 {
			t.Fatalf("%s: %v in %s", f, err, out)
		}
		got := make(map[string]string)
		for _, from := range []map[string]string{read.Format.Tags, read.Streams[0].Tags} {
			for name, value := range from {
				got[strings.ToLower(name)] = value
			}
		}
		if got["title"] != in.title || got["artist"] != in.artist || got["date"] != in.date {
			t.Errorf("%s: read as %v", f, got)
		}
	}
}

// TestDamagedFormIsFound is what the check before offering is for.
func TestDamagedFormIsFound(t *testing.T) {
	in := tone(440, 8000, 2*time.Second)
	for _, f := range forms {
		b, err := f.encode(t.Context(), in, tags{})
		if err != nil {
			t.Fatal(err)
		}
		if f.check(t.Context(), in, b[:len(b)/2]) == nil {
			t.Errorf("half of a %s file passes the check", f)
		}
	}
	if sameSound(in, pcm{8000, make([]int16, len(in.samples))}) == nil {
		t.Error("silence passes for a tone")
	}
	for _, c := range []struct {
		off    time.Duration
		passes bool
	}{{-51 * time.Millisecond, false}, {-49 * time.Millisecond, true}, {49 * time.Millisecond, true}, {51 * time.Millisecond, false}} {
		if err := sameSound(in, tone(440, 8000, 2*time.Second+c.off)); (err == nil) != c.passes {
			t.Errorf("%v off: %v", c.off, err)
		}
	}
}

func TestKnownCrashInputs(t *testing.T) {
	if err := checkWAV([]byte("RIFF00000000fmt 00000000000000000000"), pcm{}); !errors.Is(err, ErrFormat) {
		t.Errorf("the WAV that makes go-audio/wav take 1.5 GB: %v", err)
	}
	bomb := []byte("\xff\xf3\x120000000\xdb000000000000000")
	if _, err := readMP3(t.Context(), bomb); err == nil {
		t.Error("the MP3 that makes go-mp3 panic was read")
	}
}

func FuzzDecodeMP3(f *testing.F) {
	f.Add([]byte("\xff\xf3\x120000000\xdb000000000000000"))
	b, err := encodeMP3(f.Context(), tone(440, 8000, 100*time.Millisecond), tags{title: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = decodeMP3(t.Context(), b) // it must return, whatever it says
	})
}

func FuzzDecodeOpus(f *testing.F) {
	b, err := encodeOpus(f.Context(), tone(440, 8000, 1100*time.Millisecond), tags{title: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, mend(b)} {
			if p, err := decodeOpus(t.Context(), b); err == nil && p.rate == 0 {
				t.Error("no error and no rate")
			}
		}
	})
}

// mend gives the Ogg pages that b seems to have the checksums that they should have: what is changed at random would go no
// further.
func mend(b []byte) []byte {
	b = bytes.Clone(b)
	for rest := b; len(rest) >= oggHeader; {
		size := oggHeader + int(rest[26])
		for _, n := range rest[oggHeader:min(size, len(rest))] {
			size += int(n)
		}
		if size > len(rest) {
			break
		}
		binary.LittleEndian.PutUint32(rest[22:], oggCRC(rest[:size]))
		rest = rest[size:]
	}
	return b
}
