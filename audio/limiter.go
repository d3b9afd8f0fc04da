package audio

import (
	"math"
)

// limit holds s (full scale 32768) under the ceiling with a look-ahead limiter: the gain that a peak needs is reached
// smoothly over 5 ms before it and given back over the same time. The margin of half a decibel is for peaks between the
// samples.
func limit(s []float32, rate int) {
	ceiling := float32(ratio(maxTruePeak-0.5) * 32768)
	reach := rate / 200
	needed := make([]float32, len(s))
	for i, v := range s {
		needed[i] = min(1, ceiling/max(ceiling, v, -v))
	}
	least := slidingMin(needed, reach)
	// The mean over the same reach of the least gain around each sample is smooth, and never above what it needs.
	sum, n := 0.0, 0
	for i := 0; i < min(reach, len(s)); i++ {
		sum += float64(least[i])
		n++
	}
	for i := range s {
		if i+reach < len(s) {
			sum += float64(least[i+reach])
			n++
		}
		if i-reach-1 >= 0 {
			sum -= float64(least[i-reach-1])
			n--
		}
		s[i] *= float32(math.Min(1, sum/float64(n)))
	}
}

// slidingMin is the least of the values within reach on both sides of each.
func slidingMin(v []float32, reach int) []float32 {
	out := make([]float32, len(v))
	var rising []int // indexes of candidates, their values rising
	for i := 0; i < len(v)+reach; i++ {
		if i < len(v) {
			for len(rising) > 0 && v[rising[len(rising)-1]] >= v[i] {
				rising = rising[:len(rising)-1]
			}
			rising = append(rising, i)
		}
		if at := i - reach; at >= 0 && at < len(v) {
			if rising[0] < at-reach {
				rising = rising[1:]
			}
			out[at] = v[rising[0]]
		}
	}
	return out
}

const peakCount = 100

// peaks is a picture of the sound: up to 100 peaks, 0 to 100, the loudest being 100.
func peaks(s []int16) []uint8 {
	n := min(peakCount, len(s))
	highs := make([]int, n)
	loudest := 1
	for i := range highs {
		for _, v := range s[i*len(s)/n : (i+1)*len(s)/n] {
			highs[i] = max(highs[i], abs(v))
		}
		loudest = max(loudest, highs[i])
	}
	out := make([]uint8, n)
	for i, h := range highs {
		out[i] = uint8(100 * h / loudest)
	}
	return out
}
