package stasis

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hark/prompts"
)

// toneClip writes a WAV file with a tone, or with silence when hz is 0.
func toneClip(t testing.TB, hz float64, length time.Duration) prompts.Clip {
	t.Helper()
	samples := make([]int16, length*8000/time.Second)
	for i := range samples {
		samples[i] = int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	file := filepath.Join(t.TempDir(), "tone.wav")
	if err := os.WriteFile(file, wavOf(samples), 0o644); err != nil {
		t.Fatal(err)
	}
	return prompts.Clip{File: file, Duration: length}
}

// wavOf is a WAV file of 8 kHz.
func wavOf(samples []int16) []byte {
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	size := uint32(2 * len(samples))
	put([]byte("RIFF"), 36+size, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16))
	put([]byte("data"), size, samples)
	return b.Bytes()
}

// samplesOf are the samples of a recording that mendWAV has been over.
func samplesOf(t testing.TB, file string) []int16 {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, []byte("data")) + 8
	samples := make([]int16, (len(raw)-at)/2)
	if err := binary.Read(bytes.NewReader(raw[at:]), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	return samples
}

// pitchOf is the frequency of the loud part of a recording.
func pitchOf(samples []int16) float64 {
	crossings, loud := 0, 0
	for i := 1; i < len(samples); i++ {
		if abs(int(samples[i]))+abs(int(samples[i-1])) < 500 {
			continue
		}
		loud++
		if (samples[i] > 0) != (samples[i-1] > 0) {
			crossings++
		}
	}
	if loud == 0 {
		return 0
	}
	return float64(crossings) / 2 * 8000 / float64(loud)
}

func abs(v int) int { return max(v, -v) }
