package audio

// amplifyLimited is amplify that holds s under the ceiling with a look-ahead limiter: the gain that a peak needs is
// reached smoothly over 5 ms before it and given back over the same time. peakMargin is for peaks between the samples. Only
// the surroundings of peaks are looked at; there are few.
func amplifyLimited(s []int16, gain float32, rate int) {
	ceiling := float32(ratio(maxTruePeak-peakMargin) * 32768)
	reach := rate / 200
	high := func(v int16) bool { return float32(abs(v))*gain > ceiling }
	done := 0 // so many are amplified
	for i := 0; i < len(s); i++ {
		if !high(s[i]) {
			continue
		}
		end := i + 1 // of the peaks that are so near to each other that their gains overlap
		for j := end; j < min(len(s), end+4*reach); j++ {
			if high(s[j]) {
				end = j + 1
			}
		}
		from, to := max(0, i-3*reach), min(len(s), end+3*reach)
		amplify(s[done:max(done, from)], gain)
		around := make([]float32, to-from)
		for k := range around {
			around[k] = float32(s[from+k])
			if from+k >= done {
				around[k] *= gain
			}
		}
		limitAround(around, ceiling, reach)
		for k, v := range around {
			s[from+k] = clip(v)
		}
		done, i = to, to-1
	}
	amplify(s[done:], gain)
}

// limitAround limits a piece whose peaks are at least three reaches from its ends (or those are the sound's own ends):
// near them the gain is one.
func limitAround(s []float32, ceiling float32, reach int) {
	needed := make([]float32, len(s))
	for i, v := range s {
		needed[i] = ceiling / max(ceiling, v, -v)
	}
	// The mean over the reach of the least gain around each sample is smooth, and never above what the sample needs.
	for i, g := range slidingMean(slidingMin(needed, reach), reach) {
		s[i] *= g
	}
}

// slidingMean is the mean of the values within reach on both sides of each.
func slidingMean(v []float32, reach int) []float32 {
	out := make([]float32, len(v))
	sum, n := 0.0, 0
	for i := -reach; i < len(v); i++ {
		if i+reach < len(v) {
			sum += float64(v[i+reach])
			n++
		}
		if i-reach-1 >= 0 {
			sum -= float64(v[i-reach-1])
			n--
		}
		if i >= 0 {
			out[i] = float32(min(1, sum/float64(n)))
		}
	}
	return out
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
		highs[i] = highest(s[i*len(s)/n : (i+1)*len(s)/n])
		loudest = max(loudest, highs[i])
	}
	out := make([]uint8, n)
	for i, h := range highs {
		out[i] = uint8(100 * h / loudest)
	}
	return out
}
