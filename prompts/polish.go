package prompts

import (
	"math"
	"time"

	"hark/internal/wav"
)

// How loud speech is, against full scale, and how much silence stays around it.
const (
	speechLevel = -19.0 // dB, the RMS of the parts that are not silence
	peakLevel   = -1.0  // dB, never exceeded
	silentBelow = -40.0 // dB under the loudest sample
	lead        = 20 * time.Millisecond
	tail        = 60 * time.Millisecond
	frame       = 10 * time.Millisecond
)

// polish makes synthesised speech fit for a telephone: 8 kHz, no long silence around it, always equally loud. Sound
// that is all silence becomes empty.
func polish(s wav.Sound) wav.Sound {
	s = resample(s, Rate)
	s.Samples = trim(s.Samples)
	normalise(s.Samples)
	fade(s.Samples)
	return s
}

// trim cuts silence away but for the lead and the tail.
func trim(samples []int16) []int16 {
	first, last := -1, 0
	limit := peak(samples) * decibels(silentBelow)
	for i, v := range samples {
		if math.Abs(float64(v)) > limit {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil
	}
	return samples[max(0, first-count(lead)):min(len(samples), last+1+count(tail))]
}

// normalise brings the speech to its level, or as near as the peaks allow.
func normalise(samples []int16) {
	level, top := activeLevel(samples), peak(samples)
	if level == 0 {
		return
	}
	gain := min(fullScale*decibels(speechLevel)/level, fullScale*decibels(peakLevel)/top)
	for i, v := range samples {
		samples[i] = clamp(float64(v) * gain)
	}
}

// activeLevel is the RMS over the frames that are not silence.
func activeLevel(samples []int16) float64 {
	limit := peak(samples) * decibels(silentBelow)
	var energy float64
	var n int
	for size := count(frame); len(samples) > 0; {
		part := samples[:min(size, len(samples))]
		samples = samples[len(part):]
		if e := sumSquares(part); math.Sqrt(e/float64(len(part))) > limit {
			energy, n = energy+e, n+len(part)
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(energy / float64(n))
}

// fade softens both ends over 3 ms, so that cutting makes no click.
func fade(samples []int16) {
	n := min(count(3*time.Millisecond), len(samples)/2)
	for i := range n {
		gain := float64(i) / float64(n)
		samples[i] = clamp(float64(samples[i]) * gain)
		last := len(samples) - 1 - i
		samples[last] = clamp(float64(samples[last]) * gain)
	}
}

const fullScale = math.MaxInt16

// decibels turns dB into a factor.
func decibels(db float64) float64 { return math.Pow(10, db/20) }

// count is the number of samples in d.
func count(d time.Duration) int { return int(d * Rate / time.Second) }

func peak(samples []int16) float64 {
	top := 0
	for _, v := range samples {
		top = max(top, int(v), -int(v))
	}
	return float64(top)
}

func sumSquares(samples []int16) float64 {
	var sum float64
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return sum
}
