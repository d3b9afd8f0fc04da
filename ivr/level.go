package ivr

import (
	"math"
	"time"

	"hark/internal/wav"
)

const (
	// levelFrame is the stretch whose level is measured at once.
	levelFrame = 20 * time.Millisecond
	// quietest is what somebody who speaks reaches, against full scale, in dB. The noise of a telephone line stays 10 dB
	// below it, a soft voice 10 dB above.
	quietest = -50.0
	// leastSpeech is how much of a recording must be louder than that.
	leastSpeech = 200 * time.Millisecond
)

// AudibleIn tells whether anything but silence and the noise of the line is in a recording. A file that cannot be read is
// given the benefit of the doubt: what keeps it will say so. Any goroutine may call it.
func AudibleIn(file string) bool {
	sound, err := wav.Read(file)
	return err != nil || loudFor(sound, quietest) >= leastSpeech
}

// loudFor is how much of a sound is louder than a level in dB.
func loudFor(s wav.Sound, level float64) (loud time.Duration) {
	size := int(levelFrame * time.Duration(s.Rate) / time.Second)
	if size == 0 {
		return 0
	}
	least := math.Pow(10, level/10) * math.MaxInt16 * math.MaxInt16 * float64(size)
	for rest := s.Samples; len(rest) >= size; rest = rest[size:] {
		if energy(rest[:size]) >= least {
			loud += levelFrame
		}
	}
	return loud
}

// energy is the sum of the squares of samples.
func energy(samples []int16) (sum float64) {
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return sum
}
