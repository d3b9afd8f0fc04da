package prompts

import (
	"math"

	"hark/internal/wav"
)

// The resampler is a windowed-sinc low-pass, kept as a bank of phases (a polyphase filter): the output rate is to the
// input rate as up is to down, and each output sample needs one phase only.
const (
	zeroCrossings = 32   // of the sinc on each side, counted at the lower of the two rates
	passBand      = 0.92 // of the lower rate's half: 3,680 Hz of 4,000 at a telephone's rate
	kaiserBeta    = 8.0  // about 80 dB of stop-band attenuation
)

// resample returns s at the given rate.
func resample(s wav.Sound, rate int) wav.Sound {
	if s.Rate == rate || len(s.Samples) == 0 {
		return wav.Sound{Rate: rate, Samples: s.Samples}
	}
	div := gcd(rate, s.Rate)
	up, down := rate/div, s.Rate/div
	bank := sincBank(up, down)
	half := len(bank[0]) / 2
	out := make([]int16, (len(s.Samples)*up+down-1)/down)
	for i := range out {
		at := i * down / up
		out[i] = convolve(s.Samples, at-half+1, bank[i*down%up])
	}
	return wav.Sound{Rate: rate, Samples: out}
}

// convolve applies one phase of the filter to the samples from start on; outside of them is silence.
func convolve(samples []int16, start int, taps []float64) int16 {
	var sum float64
	for i, tap := range taps {
		if at := start + i; at >= 0 && at < len(samples) {
			sum += tap * float64(samples[at])
		}
	}
	return clamp(sum)
}

// sincBank computes the filter for each phase: phase p stands p/up input samples after the sample in the middle.
func sincBank(up, down int) [][]float64 {
	cut := passBand * min(1, float64(up)/float64(down)) // as a part of the input's half rate
	half := int(math.Ceil(zeroCrossings / cut))
	bank := make([][]float64, up)
	for p := range bank {
		taps := make([]float64, 2*half)
		var sum float64
		for i := range taps {
			x := float64(i-half+1) - float64(p)/float64(up)
			taps[i] = sinc(x*cut) * kaiser(x/float64(half))
			sum += taps[i]
		}
		for i := range taps {
			taps[i] /= sum
		}
		bank[p] = taps
	}
	return bank
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window's value at x from -1 to 1.
func kaiser(x float64) float64 {
	if x*x >= 1 {
		return 0
	}
	return bessel(kaiserBeta*math.Sqrt(1-x*x)) / bessel(kaiserBeta)
}

// bessel is the modified Bessel function of order 0, by its power series.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// clamp rounds to the range of a sample.
func clamp(v float64) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, v))))
}
