package audio

import (
	"math"
	"sync"
)

const (
	targetLoudness = -19.0 // LUFS, for mono speech
	maxTruePeak    = -1.0  // dBTP
	peakMargin     = 0.7   // dB that the limiter keeps the samples under it
	maxGain        = 20.0  // dB: more would only raise noise
	maxLimiting    = 6.0   // dB that the limiter may take off a peak
)

// normalise brings p to the target loudness. Where peaks would go over the ceiling a limiter takes at most maxLimiting
// off them, and what is missing beyond that stays missing. The samples are changed in place.
func normalise(p pcm) pcm {
	var peak float64
	var meter sync.WaitGroup
	meter.Go(func() { peak = truePeak(p.samples) })
	now := loudness(p)
	meter.Wait()
	if math.IsInf(now, -1) {
		return p
	}
	room := maxTruePeak - decibel(peak)
	gain := min(targetLoudness-now, maxGain, room+maxLimiting)
	if g := float32(ratio(gain)); gain > room {
		amplifyLimited(p.samples, g, p.rate)
	} else {
		amplify(p.samples, g)
	}
	return p
}

func amplify(s []int16, gain float32) {
	for i, v := range s {
		s[i] = clip(float32(v) * gain)
	}
}

// loudness measures p in LUFS as EBU R128 (ITU-R BS.1770) says: K-weighted, in blocks of 400 ms that overlap by three
// quarters, gated at −70 LUFS and 10 LU below the mean. It is −Inf when everything is below the gate.
func loudness(p pcm) float64 {
	blocks := blockPowers(p)
	ungated := meanAbove(blocks, power(-70))
	if ungated == 0 {
		return math.Inf(-1)
	}
	return lufs(meanAbove(blocks, max(power(-70), ungated/10)))
}

// blockPowers is the mean square of each block. What is shorter than a block is one.
func blockPowers(p pcm) []float64 {
	step := p.rate / 10
	sums := make([]float64, len(p.samples)/step)
	if len(sums) < 4 {
		return []float64{newKWeight(p.rate).energy(p.samples) / float64(max(1, len(p.samples)))}
	}
	half := len(sums) / 2
	var first sync.WaitGroup
	first.Go(func() { p.stepEnergies(sums[:half], 0) })
	p.stepEnergies(sums[half:], half)
	first.Wait()
	blocks := make([]float64, 0, len(sums))
	for i := 3; i < len(sums); i++ {
		blocks = append(blocks, (sums[i]+sums[i-1]+sums[i-2]+sums[i-3])/float64(4*step))
	}
	return blocks
}

// stepEnergies is the weighted energy of each tenth of a second, from one of them on.
func (p pcm) stepEnergies(energies []float64, from int) {
	half := len(energies) / 2
	a, b := p.filterAt(from), p.filterAt(from+half)
	for i := range half {
		energies[i], energies[half+i] = energyOfBoth(a, b, p.step(from+i), p.step(from+half+i))
	}
	if last := len(energies) - 1; last >= 2*half {
		energies[last] = b.energy(p.step(from + last))
	}
}

// step is the tenth of a second of that number.
func (p pcm) step(n int) []int16 {
	size := p.rate / 10
	return p.samples[n*size:][:size]
}

// filterAt is the filter at the beginning of a step. It has heard the two before: what was earlier than that it has
// forgotten, to the 20th digit.
func (p pcm) filterAt(step int) *kWeight {
	k := newKWeight(p.rate)
	for n := max(0, step-2); n < step; n++ {
		k.energy(p.step(n))
	}
	return k
}

func meanAbove(blocks []float64, gate float64) float64 {
	sum, n := 0.0, 0
	for _, b := range blocks {
		if b > gate {
			sum += b
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func lufs(meanSquare float64) float64 { return -0.691 + 10*math.Log10(meanSquare) }
func power(lufs float64) float64      { return math.Pow(10, (lufs+0.691)/10) }
func decibel(amplitude float64) float64 {
	return 20 * math.Log10(amplitude)
}
func ratio(decibel float64) float64 { return math.Pow(10, decibel/20) }

// kWeight is the filter of BS.1770: a high shelf and a high-pass, from their analogue prototypes, so that they are right
// at any rate.
type kWeight struct {
	b0, b1, b2, a1, a2 float64 // of the shelf
	passA1, passA2     float64 // of the high-pass, whose b are 1, −2, 1
	memory             memory
}

// memory is what the two filters remember: small enough for the compiler to keep it in registers.
type memory struct{ shelf1, shelf2, pass1, pass2 float64 }

func newKWeight(rate int) *kWeight {
	const (
		shelfHz, shelfGain, shelfQ = 1681.974450955533, 3.999843853973347, 0.7071752369554196
		passHz, passQ              = 38.13547087602444, 0.5003270373238773
	)
	k := math.Tan(math.Pi * shelfHz / float64(rate))
	vh := ratio(shelfGain)
	vb := math.Pow(vh, 0.4996667741545416)
	a0 := 1 + k/shelfQ + k*k
	w := &kWeight{
		b0: (vh + vb*k/shelfQ + k*k) / a0, b1: 2 * (k*k - vh) / a0, b2: (vh - vb*k/shelfQ + k*k) / a0,
		a1: 2 * (k*k - 1) / a0, a2: (1 - k/shelfQ + k*k) / a0,
	}
	k = math.Tan(math.Pi * passHz / float64(rate))
	a0 = 1 + k/passQ + k*k
	w.passA1, w.passA2 = 2*(k*k-1)/a0, (1-k/passQ+k*k)/a0
	return w
}

// next weighs one sample.
func (k *kWeight) next(v int16, m memory) (float64, memory) {
	x := float64(v) / 32768
	y := k.b0*x + m.shelf1
	z := y + m.pass1
	return z, memory{
		shelf1: k.b1*x + m.shelf2 - k.a1*y, shelf2: k.b2*x - k.a2*y,
		pass1: m.pass2 - 2*y - k.passA1*z, pass2: y - k.passA2*z,
	}
}

// energy is the sum of the squares of the weighted samples, full scale being 1. The filter goes on where it was.
func (k *kWeight) energy(s []int16) (sum float64) {
	z, m := 0.0, k.memory
	for _, v := range s {
		z, m = k.next(v, m)
		sum += z * z
	}
	k.memory = m
	return sum
}

// energyOfBoth is energy of two filters, for two pieces of the same length. A filter has to wait for what it made of the
// sample before; meanwhile the processor works for the other.
func energyOfBoth(a, b *kWeight, s, t []int16) (sumA, sumB float64) {
	y, z, m, n := 0.0, 0.0, a.memory, b.memory
	t = t[:len(s)]
	for i, v := range s {
		y, m = a.next(v, m)
		z, n = b.next(t[i], n)
		sumA += y * y
		sumB += z * z
	}
	a.memory, b.memory = m, n
	return sumA, sumB
}

// truePeak is the highest value between the samples as well as at them, full scale being 1: four times oversampled, but
// only around samples of at least half the highest, since elsewhere nothing can rise above it.
func truePeak(s []int16) float64 {
	most := highest(s)
	if most == 0 {
		return 0
	}
	peak, enough := float32(most), int16(most/2)
	phases, half := peakPhases, peakHalf
	for i, v := range s {
		if -enough < v && v < enough {
			continue
		}
		for _, taps := range phases[1:] {
			before, after := weigh(s, taps, i-half), weigh(s, taps, i-half+1)
			peak = max(peak, before, -before, after, -after)
		}
	}
	return float64(peak) / 32768
}

var peakPhases, peakHalf = polyphase(4, 1)

// highest is the highest of the samples, whatever its sign.
func highest(s []int16) int {
	var low, high int16
	for _, v := range s {
		low, high = min(low, v), max(high, v)
	}
	return max(abs(low), abs(high))
}

func abs(v int16) int {
	if v < 0 {
		return -int(v)
	}
	return int(v)
}
