package prompts

import (
	"math"
	"testing"
	"time"

	"hark/internal/wav"
)

// sine is a tone of half full scale.
func sine(rate int, hz float64, d time.Duration) wav.Sound {
	s := wav.Sound{Rate: rate, Samples: make([]int16, int(d*time.Duration(rate)/time.Second))}
	for i := range s.Samples {
		s.Samples[i] = clamp(fullScale / 2 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return s
}

// level is the RMS of the middle of the samples, in dB against that of the sine.
func level(samples []int16) float64 {
	middle := samples[len(samples)/4 : 3*len(samples)/4]
	return 20 * math.Log10(math.Sqrt(sumSquares(middle)/float64(len(middle)))/(fullScale/2/math.Sqrt2)+1e-9)
}

func TestResample(t *testing.T) {
	tests := []struct {
		rate     int
		hz       float64
		min, max float64 // dB
	}{
		{16000, 300, -0.1, 0.1},
		{16000, 3000, -0.1, 0.1},
		{16000, 3400, -0.5, 0.1},
		{16000, 4600, -200, -60}, // would fold to 3400
		{16000, 7000, -200, -60},
		{22050, 1000, -0.1, 0.1},
		{22050, 3400, -0.5, 0.1},
		{22050, 5000, -200, -60},
		{44100, 1000, -0.1, 0.1},
		{8000, 1000, -0.1, 0.1},
		{6000, 1000, -0.1, 0.1},
	}
	for _, tt := range tests {
		in := sine(tt.rate, tt.hz, time.Second)
		out := resample(in, Rate)
		if out.Rate != Rate || out.Duration() != time.Second {
			t.Errorf("%d Hz: %d Hz, %v", tt.rate, out.Rate, out.Duration())
		}
		if got := level(out.Samples); got < tt.min || got > tt.max {
			t.Errorf("%v Hz at %d: %.2f dB, want %v to %v", tt.hz, tt.rate, got, tt.min, tt.max)
		}
	}
}

// TestResampleKeepsTime compares with the same tone made at the lower rate: the filter must not delay.
func TestResampleKeepsTime(t *testing.T) {
	got := resample(sine(22050, 440, time.Second), Rate).Samples
	want := sine(Rate, 440, time.Second).Samples
	for i := 500; i < len(want)-500; i++ {
		if math.Abs(float64(got[i])-float64(want[i])) > 20 {
			t.Fatalf("sample %d is %d, want %d", i, got[i], want[i])
		}
	}
}

func TestPolish(t *testing.T) {
	loud := sine(16000, 500, time.Second).Samples
	in := append(make([]int16, 16000), loud...)
	in = append(in, make([]int16, 16000)...)
	for _, gain := range []float64{0.05, 1} {
		quieter := make([]int16, len(in))
		for i, v := range in {
			quieter[i] = clamp(float64(v) * gain)
		}
		out := polish(wav.Sound{Rate: 16000, Samples: quieter})
		if got, want := out.Duration(), time.Second+lead+tail; (got - want).Abs() > 5*time.Millisecond {
			t.Errorf("gain %v: %v long, want %v", gain, got, want)
		}
		if got := 20 * math.Log10(activeLevel(out.Samples)/fullScale); math.Abs(got-speechLevel) > 0.5 {
			t.Errorf("gain %v: level %.1f dB", gain, got)
		}
	}
}

func TestPolishKeepsPeaks(t *testing.T) {
	in := sine(Rate, 500, time.Second)
	in.Samples[4000] = math.MaxInt16
	for i := range in.Samples {
		if i != 4000 {
			in.Samples[i] /= 50
		}
	}
	out := polish(in)
	if got := 20 * math.Log10(peak(out.Samples)/fullScale); got > peakLevel+0.01 {
		t.Errorf("peak %.2f dB", got)
	}
	if silent := polish(wav.Sound{Rate: Rate, Samples: make([]int16, 800)}); len(silent.Samples) != 0 {
		t.Errorf("silence became %d samples", len(silent.Samples))
	}
}

func TestEarcons(t *testing.T) {
	s := newSpeaker(t, smallBook(t), &fakeSynth{})
	limits := map[string]time.Duration{"hark": 300 * time.Millisecond, "message": 150 * time.Millisecond,
		"voice": 150 * time.Millisecond, "tone": 200 * time.Millisecond, "ring": 5 * time.Second, "tick": 50 * time.Millisecond}
	for name, limit := range limits {
		clip, err := s.Earcon(name)
		if err != nil || clip.Duration > limit || clip.Duration == 0 {
			t.Errorf("%s: %v, %v", name, clip.Duration, err)
			continue
		}
		sound, err := wav.Read(clip.File)
		if err != nil || sound.Rate != Rate || sound.Duration() != clip.Duration {
			t.Errorf("%s: %v at %d Hz, %v", name, sound.Duration(), sound.Rate, err)
		}
		if got := 20 * math.Log10(peak(sound.Samples)/fullScale); got > earconLevel+0.5 || got < earconLevel-2 {
			t.Errorf("%s: peak %.1f dB", name, got)
		}
	}
	if len(limits) != len(earcons) {
		t.Errorf("%d earcons, %d tested", len(earcons), len(limits))
	}
	if _, err := s.Earcon("../x"); err == nil {
		t.Error("an unknown earcon was made")
	}
}
