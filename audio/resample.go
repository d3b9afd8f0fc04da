package audio

import "math"

// resample changes the rate of p, with a windowed-sinc low-pass at 0.45 of the lower rate (Kaiser window, about 80 dB
// down in the stop band), computed phase by phase. Levels and the position in time are kept.
func resample(p pcm, rate int) pcm {
	if p.rate == rate || len(p.samples) == 0 {
		return pcm{rate, p.samples}
	}
	g := gcd(p.rate, rate)
	up, down := rate/g, p.rate/g
	phases, half := polyphase(up, down)
	in := p.samples
	out := make([]int16, (len(in)*up+down-1)/down)
	for i := range out {
		at := i * down
		out[i] = clip(weigh(in, phases[at%up], at/up-half+1))
	}
	return pcm{rate, out}
}

// weigh is the sum of the samples from first on, each times its tap; beyond both ends there is silence.
func weigh(in []int16, taps []float32, first int) float32 {
	if first < 0 {
		taps = taps[min(-first, len(taps)):]
		first = 0
	}
	in = in[min(first, len(in)):]
	n := min(len(taps), len(in))
	in, taps = in[:n], taps[:n]
	var a, b float32 // two sums, so that the processor can add at both
	for len(in) >= 2 && len(taps) >= 2 {
		a += taps[0] * float32(in[0])
		b += taps[1] * float32(in[1])
		in, taps = in[2:], taps[2:]
	}
	if len(in) == 1 && len(taps) == 1 {
		a += taps[0] * float32(in[0])
	}
	return a + b
}

// polyphase makes, for each of the up positions between two input samples, the taps that weigh the half samples before
// (the last of them at or before the position) and the half after it.
func polyphase(up, down int) (phases [][]float32, half int) {
	cutoff := 0.45 * min(1, float64(up)/float64(down)) // of the input's rate
	half = int(math.Ceil(11 / (2 * cutoff)))
	phases = make([][]float32, up)
	for ph := range phases {
		taps := make([]float64, 2*half)
		sum := 0.0
		for k := range taps {
			x := float64(ph)/float64(up) - float64(k-half+1)
			taps[k] = sinc(2*cutoff*x) * kaiser(x/float64(half), 8)
			sum += taps[k]
		}
		phases[ph] = make([]float32, len(taps))
		for k, v := range taps {
			phases[ph][k] = float32(v / sum)
		}
	}
	return phases, half
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window over −1…1.
func kaiser(x, beta float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / bessel(beta)
}

// bessel is the modified Bessel function of the first kind, order 0.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

// clip rounds v to the nearest sample. There is no branch in it that goes one way for the one half of a sound and the other
// way for the other: a processor guesses those wrong.
func clip(v float32) int16 {
	const up = -math.MinInt16 // above zero, cutting the fraction off is rounding down
	whole := int(float64(v)+up+0.5) - up
	return int16(min(max(whole, math.MinInt16), math.MaxInt16))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
