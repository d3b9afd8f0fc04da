package ivr

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"hark/internal/wav"
)

// noise is so many samples of noise at a level against full scale, in dB.
func noise(n int, level float64) []int16 {
	random := rand.New(rand.NewPCG(1, 2))
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(random.NormFloat64() * math.Pow(10, level/20) * math.MaxInt16)
	}
	return out
}

func TestAudibleIn(t *testing.T) {
	const second = 8000
	for _, c := range []struct {
		name    string
		samples []int16
		want    bool
	}{
		{"nothing", nil, false},
		{"silence", make([]int16, 3*second), false},
		{"a noisy line", noise(10*second, -58), false},
		{"one click", append(noise(second, -60), noise(400, -10)...), false},
		{"a soft voice", append(noise(3*second, -60), noise(second/2, -42)...), true},
		{"a voice", noise(2*second, -25), true},
	} {
		file := filepath.Join(t.TempDir(), "recording.wav")
		if err := wav.Write(file, wav.Sound{Rate: second, Samples: c.samples}); err != nil {
			t.Fatal(err)
		}
		if got := AudibleIn(file); got != c.want {
			t.Errorf("%s: audible %v", c.name, got)
		}
	}
	if !AudibleIn(filepath.Join(t.TempDir(), "missing.wav")) {
		t.Error("a file that cannot be read is taken for silence")
	}
	if got := loudFor(wav.Sound{Rate: second, Samples: noise(2*second, -25)}, quietest); got != 2*time.Second {
		t.Errorf("two seconds are loud for %v", got)
	}
}
