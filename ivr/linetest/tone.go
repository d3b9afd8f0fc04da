package linetest

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/prompts"
)

// ToneClip is a WAV file of 8 kHz with a tone, which is deleted after the test.
func ToneClip(t testing.TB, hz float64, length time.Duration) prompts.Clip {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tone.wav")
	if err := wav.Write(file, wav.Sound{Rate: sipphone.Rate, Samples: sipphone.Tone(hz, length)}); err != nil {
		t.Fatal(err)
	}
	return prompts.Clip{File: file, Duration: length}
}

// Pitch is the frequency of the loud part of a recording.
func Pitch(t testing.TB, file string) float64 {
	t.Helper()
	s, err := wav.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	crossings, loud := 0, 0
	for i := 1; i < len(s.Samples); i++ {
		a, b := float64(s.Samples[i-1]), float64(s.Samples[i])
		if math.Abs(a)+math.Abs(b) < 500 {
			continue
		}
		loud++
		if (a > 0) != (b > 0) {
			crossings++
		}
	}
	return float64(crossings) / 2 * sipphone.Rate / float64(max(1, loud))
}

// Measure is how loud some sound of 8 kHz is (its mean amplitude, 0 to 32767), and how high (in Hz).
func Measure(samples []int16) (loud, hz float64) {
	crossings := 0
	for i, v := range samples {
		loud += math.Abs(float64(v))
		if i > 0 && (v > 0) != (samples[i-1] > 0) {
			crossings++
		}
	}
	return loud / float64(len(samples)), float64(crossings) / 2 * sipphone.Rate / float64(len(samples))
}
