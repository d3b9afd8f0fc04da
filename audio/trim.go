package audio

import (
	"math"
	"time"
)

const (
	quietFloor = 100.0 // RMS below which nothing is speech: −50 dBFS
	quietRange = 100.0 // how far below the loudest part speech may be: 40 dB
	padBefore  = 150 * time.Millisecond
	padAfter   = 250 * time.Millisecond
	// longestTone is how much of the end is searched for the tone of the key that ended the recording.
	longestTone = 600 * time.Millisecond
)

// trim cuts off silence at both ends, leaving a breath of it. What is silent throughout stays as it is.
func trim(p pcm) pcm {
	size := p.rate / 100
	levels := frameLevels(p.samples, size)
	loudest := 0.0
	for _, l := range levels {
		loudest = max(loudest, l)
	}
	threshold := max(quietFloor, loudest/quietRange)
	first, last := len(levels), -1
	for i, l := range levels {
		if l >= threshold {
			first, last = min(first, i), i
		}
	}
	if last < 0 {
		return p
	}
	from := max(0, first*size-p.count(padBefore))
	to := min(len(p.samples), (last+1)*size+p.count(padAfter))
	return pcm{p.rate, p.samples[from:to]}
}

// count is how many samples last for d.
func (p pcm) count(d time.Duration) int { return int(d * time.Duration(p.rate) / time.Second) }

// frameLevels is the RMS of each frame of size samples; a rest counts as a frame.
func frameLevels(s []int16, size int) []float64 {
	levels := make([]float64, 0, len(s)/size+1)
	for len(s) > 0 {
		n := min(size, len(s))
		levels = append(levels, rms(s[:n]))
		s = s[n:]
	}
	return levels
}

// The tones of the keys (ITU-T Q.23).
var (
	dtmfLow  = []float64{697, 770, 852, 941}
	dtmfHigh = []float64{1209, 1336, 1477, 1633}
)

// cutKeyTone removes the tone of the key that ended the recording, where the telephone sent it as sound: at least 40 ms
// of one of the sixteen tones at the very end, with nothing but silence after it.
func cutKeyTone(p pcm) pcm {
	size := p.rate / 50
	end := len(p.samples)
	oldest := max(0, end-p.count(longestTone))
	at, tones := end, 0
	for at-size >= oldest {
		frame := p.samples[at-size : at]
		if isKeyTone(frame, p.rate) {
			tones++
		} else if tones > 0 || rms(frame) >= quietFloor && end-at >= size {
			break // neither tone nor silence; the newest frame may be the half of a tone
		}
		at -= size
	}
	if tones < 2 {
		return p
	}
	return pcm{p.rate, p.samples[:max(0, at-size/2)]} // and the half frame in which it began
}

// isKeyTone tells whether nearly all of the frame's energy is in one low and one high tone of a key.
func isKeyTone(frame []int16, rate int) bool {
	energy := rms(frame)
	if energy < quietFloor {
		return false
	}
	total := energy * energy * float64(len(frame))
	low, high := strongest(frame, rate, dtmfLow)/total, strongest(frame, rate, dtmfHigh)/total
	return low+high > 0.75 && low > 0.1 && high > 0.1
}

func strongest(frame []int16, rate int, tones []float64) (most float64) {
	for _, hz := range tones {
		most = max(most, goertzel(frame, rate, hz))
	}
	return most
}

// goertzel is the energy of the frame at hz, in the same measure as the sum of its squares.
func goertzel(frame []int16, rate int, hz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2 float64
	for _, v := range frame {
		s1, s2 = float64(v)+c*s1-s2, s1
	}
	return (s1*s1 + s2*s2 - c*s1*s2) * 2 / float64(len(frame))
}
