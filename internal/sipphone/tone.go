package sipphone

import (
	"math"
	"time"
)

const (
	toneBlock  = 4096 // samples that are looked at: half a second at 8 kHz
	lowestTone = 50.0 // Hz
)

// Tone returns a sine at 8 kHz with half of the full amplitude.
func Tone(hz float64, d time.Duration) []int16 {
	out := make([]int16, int(d*Rate/time.Second))
	for i := range out {
		out[i] = int16(math.MaxInt16 / 2 * math.Sin(2*math.Pi*hz*float64(i)/Rate))
	}
	return out
}

// ToneFrequency returns the frequency of the strongest tone in the middle of the samples, in Hz, and its share of the
// energy: near 1 for a clean tone, well below 0.5 for speech. Both are 0 for silence.
func ToneFrequency(samples []int16, rate int) (hz, share float64) {
	if over := len(samples) - toneBlock; over > 0 {
		samples = samples[over/2 : over/2+toneBlock]
	}
	x := make([]float64, len(samples))
	var total float64
	for i, v := range samples {
		x[i] = float64(v) * (0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(samples))))
		total += x[i] * x[i]
	}
	if total == 0 {
		return 0, 0
	}
	hz = refine(x, coarse(x, rate), rate)
	// A sine of amplitude A has n/2·A² of energy (here windowed), of which Goertzel sees the square of half the sum.
	return hz, min(1, goertzel(x, hz, rate)/(total*float64(len(x))/3))
}

// coarse finds the strongest line of the spectrum.
func coarse(x []float64, rate int) float64 {
	block := make([]complex128, toneBlock)
	for i, v := range x {
		block[i] = complex(v, 0)
	}
	newFFT(toneBlock).forward(block)
	best, most := 0, 0.0
	for k := int(lowestTone*toneBlock) / rate; k < toneBlock/2; k++ {
		if p := real(block[k])*real(block[k]) + imag(block[k])*imag(block[k]); p > most {
			best, most = k, p
		}
	}
	return float64(best) * float64(rate) / toneBlock
}

// refine climbs to the top of the peak near hz.
func refine(x []float64, hz float64, rate int) float64 {
	step := float64(rate) / toneBlock
	for low, high := hz-step, hz+step; ; {
		a, b := low+(high-low)/3, high-(high-low)/3
		if high-low < 0.01 {
			return (low + high) / 2
		}
		if goertzel(x, a, rate) < goertzel(x, b, rate) {
			low = a
		} else {
			high = b
		}
	}
}

// goertzel is the squared magnitude of one line of the spectrum, which may lie between two.
func goertzel(x []float64, hz float64, rate int) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2 float64
	for _, v := range x {
		s1, s2 = v+c*s1-s2, s1
	}
	return s1*s1 + s2*s2 - c*s1*s2
}
