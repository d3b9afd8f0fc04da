package prompts

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"time"

	"hark/internal/wav"
)

// earconLevel is the peak of an earcon against full scale, in dB.
const earconLevel = -12.0

// A note is one tone of an earcon. Hz 0 is a rest.
type note struct {
	hz     float64
	length time.Duration
}

// earcons are the short sounds that stand for something: made here, not recorded.
var earcons = map[string][]note{
	"hark":    {{660, 130 * time.Millisecond}, {880, 150 * time.Millisecond}}, // the service answers
	"message": {{740, 70 * time.Millisecond}, {990, 80 * time.Millisecond}},   // a text message
	"voice":   {{990, 70 * time.Millisecond}, {740, 80 * time.Millisecond}},   // a voice message
	"tone":    {{850, 200 * time.Millisecond}},                                // speak now
	"ring":    {{425, time.Second}, {0, 4 * time.Second}},                     // another telephone rings, as in most of Europe
	"tick":    {{1000, 30 * time.Millisecond}},                                // the recording ends soon
}

// Earcon returns one of the short sounds "hark", "message", "voice", "tone" (after which the caller speaks), "ring" (5 s) and "tick".
func (s *Speaker) Earcon(name string) (Clip, error) {
	notes, ok := earcons[name]
	if !ok {
		return Clip{}, fmt.Errorf("prompts: no earcon %q; there are %s", name, quoted(maps.Keys(earcons)))
	}
	path := filepath.Join(s.opt.Dir, earconDir, name+".wav")
	clip, err := fileClip(path)
	if err != nil {
		if err = wav.Write(path, synthesise(notes)); err == nil {
			clip, err = fileClip(path)
		}
	}
	if err != nil {
		return Clip{}, fmt.Errorf("prompts: the earcon %s: %w", name, err)
	}
	clip.Text = "(" + name + ")"
	return clip, nil
}

// synthesise plays notes one after the other. Each has a little of its octave in it, and soft ends.
func synthesise(notes []note) wav.Sound {
	out := wav.Sound{Rate: Rate}
	for _, n := range notes {
		samples := make([]int16, count(n.length))
		for i := range samples {
			at := 2 * math.Pi * n.hz * float64(i) / Rate
			samples[i] = clamp(fullScale * decibels(earconLevel) * (0.9*math.Sin(at) + 0.1*math.Sin(2*at)))
		}
		fade(samples)
		out.Samples = append(out.Samples, samples...)
	}
	return out
}
