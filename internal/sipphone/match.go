package sipphone

import (
	"math"
	"math/cmplx"
	"time"
)

const (
	// segment is the length of the parts that a match must show one by one: one differing word is enough to tell two
	// prompts of a voice apart.
	segment = Rate / 5
	// quietPart is the share of the mean energy below which a segment says nothing.
	quietPart = 0.03
	// silentLevel is the amplitude that counts as silence before a clip.
	silentLevel = 100
	minBlock    = 4096
	// overlap is how many places are looked at twice where two looks meet: a peak there must be seen whole.
	overlap = 16
)

// A Matcher finds one known clip in what was heard, by normalised cross-correlation. Level and codec do not matter. Any
// goroutine may use it.
type Matcher struct {
	clip     []int16
	skipped  int // samples of silence cut off in front
	norm     float64
	segments []int // where those begin that say something
	fft      *fft
	spectrum []complex128 // of the clip, conjugated
}

// NewMatcher prepares the search for a clip of 8 kHz samples.
func NewMatcher(clip []int16) *Matcher {
	m := &Matcher{}
	for m.skipped < len(clip) && abs(clip[m.skipped]) < silentLevel {
		m.skipped++
	}
	m.clip = clip[m.skipped:]
	m.norm = math.Sqrt(energy(m.clip))
	m.segments = loudSegments(m.clip)
	size := minBlock
	for size < len(m.clip)*5/4 {
		size *= 2
	}
	m.fft = newFFT(size)
	m.spectrum = make([]complex128, size)
	for i, v := range m.clip {
		m.spectrum[i] = complex(float64(v), 0)
	}
	m.fft.forward(m.spectrum)
	for i, v := range m.spectrum {
		m.spectrum[i] = cmplx.Conj(v)
	}
	return m
}

// FindClip returns where in heard the clip fits best, in samples, and how well: near 1 when it is there, whatever its
// level; below 0.5 for another text by the same voice. at is -1 when heard is too short or the clip is silence.
func FindClip(heard, clip []int16) (at int, score float64) { return NewMatcher(clip).Best(heard) }

// Best returns where the clip fits best; see FindClip.
func (m *Matcher) Best(heard []int16) (at int, score float64) {
	at, best := -1, 0.0
	m.correlate(heard, func(start int, similar []float64) bool {
		for i, s := range similar {
			if s > best {
				at, best = start+i, s
			}
		}
		return true
	})
	if at < 0 {
		return -1, 0
	}
	return at - m.skipped, m.score(heard, at)
}

// First returns the first place where the clip fits with at least the given score; ok is false when there is none.
func (m *Matcher) First(heard []int16, least float64) (at int, score float64, ok bool) {
	m.correlate(heard, func(start int, similar []float64) bool {
		for i := 0; i < len(similar); i++ {
			if similar[i] < least {
				continue
			}
			for i+1 < len(similar) && similar[i+1] > similar[i] {
				i++
			}
			if s := m.score(heard, start+i); s >= least {
				at, score, ok = start+i-m.skipped, s, true
				return false
			}
		}
		return true
	})
	return at, score, ok
}

// length is how much sound the search needs at least, in samples.
func (m *Matcher) length() int { return len(m.clip) }

// correlate calls found with the similarity at each place, block by block, until it returns false (overlap-save).
func (m *Matcher) correlate(heard []int16, found func(start int, similar []float64) bool) {
	if m.norm == 0 {
		return
	}
	block := make([]complex128, m.fft.size)
	step := m.fft.size - len(m.clip) + 1 - overlap
	similar := make([]float64, 0, step+overlap)
	for start := 0; start+len(m.clip) <= len(heard); start += step {
		part := heard[start:min(len(heard), start+m.fft.size)]
		clear(block)
		for i, v := range part {
			block[i] = complex(float64(v), 0)
		}
		m.fft.forward(block)
		for i, v := range m.spectrum {
			block[i] *= v
		}
		m.fft.inverse(block)
		similar = m.normalise(similar[:0], part, block)
		if !found(start, similar) {
			return
		}
	}
}

// normalise divides each correlation by the levels of both sides.
func (m *Matcher) normalise(out []float64, part []int16, correlation []complex128) []float64 {
	sum := energy(part[:len(m.clip)])
	for i := range len(part) - len(m.clip) + 1 {
		if i > 0 {
			gone, come := float64(part[i-1]), float64(part[i+len(m.clip)-1])
			sum += come*come - gone*gone
		}
		out = append(out, real(correlation[i])/(m.norm*math.Sqrt(max(sum, 1))))
	}
	return out
}

// score is the similarity of the least similar segment.
func (m *Matcher) score(heard []int16, at int) float64 {
	worst := 1.0
	for _, s := range m.segments {
		end := min(s+segment, len(m.clip))
		worst = min(worst, similarity(m.clip[s:end], heard[at+s:at+end]))
	}
	return max(worst, 0)
}

// similarity is the normalised correlation of two pieces of the same length.
func similarity(a, b []int16) float64 {
	var dot float64
	for i, v := range a {
		dot += float64(v) * float64(b[i])
	}
	return dot / math.Sqrt(max(energy(a)*energy(b), 1))
}

// loudSegments returns where the segments begin that are not near silence. A short rest belongs to the last one.
func loudSegments(clip []int16) []int {
	mean := energy(clip) / float64(max(1, len(clip)))
	var out []int
	for s := 0; s < len(clip) && (s == 0 || s+segment/2 <= len(clip)); s += segment {
		part := clip[s:min(s+segment, len(clip))]
		if energy(part) >= quietPart*mean*float64(len(part)) {
			out = append(out, s)
		}
	}
	return out
}

func energy(samples []int16) float64 {
	var sum float64
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return sum
}

func abs(v int16) int { return max(int(v), -int(v)) }

// at turns a number of samples into time.
func at(samples int) time.Duration { return time.Duration(samples) * time.Second / Rate }
