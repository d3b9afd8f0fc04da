package prompts

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"hark/internal/wav"
)

// The bounds of Pace, in percent.
const (
	slowest = 50
	fastest = 200
)

// Pace returns a clip at another speed, in percent of its own, with the pitch as it was. The sound is kept in the cache
// of free text. It fails on a speed beyond 50 to 200 percent, and on a file that is no WAV file of ours. The clip's
// Offset must be 0; its Pause stays.
func (s *Speaker) Pace(ctx context.Context, clip Clip, percent int) (Clip, error) {
	if clip.File == "" || percent == 100 {
		return clip, nil
	}
	if percent < slowest || percent > fastest {
		return Clip{}, fmt.Errorf("prompts: a speed of %d percent", percent)
	}
	info, err := os.Stat(clip.File)
	if err != nil {
		return Clip{}, fmt.Errorf("prompts: %w", err)
	}
	name := cacheName(pipeline, "pace", clip.File, info.ModTime().UTC().String(), fmt.Sprint(info.Size(), percent))
	path := filepath.Join(s.opt.Dir, textDir, name)
	if _, err := fileClip(path); err != nil {
		done := s.flight.DoChan(path, func() (any, error) { return nil, s.pace(clip.File, path, percent) })
		select {
		case r := <-done:
			if r.Err != nil {
				return Clip{}, r.Err
			}
		case <-ctx.Done():
			return Clip{}, context.Cause(ctx)
		}
	}
	out, err := fileClip(path)
	if err != nil {
		return Clip{}, err
	}
	s.text.used(path)
	clip.File, clip.Duration = out.File, out.Duration
	return clip, nil
}

// pace writes the file at another speed.
func (s *Speaker) pace(from, to string, percent int) error {
	if !s.begin() {
		return ErrClosed
	}
	defer s.jobs.Done()
	sound, err := wav.Read(from)
	if err != nil {
		return fmt.Errorf("prompts: %w", err)
	}
	sound = resample(sound, Rate)
	sound.Samples = stretch(sound.Samples, float64(percent)/100)
	if err := wav.Write(to, sound); err != nil {
		return err
	}
	return s.text.added(to)
}

// stretch makes speech faster by overlapping pieces of it, each taken from near the place that it should come from, where
// it fits best to what is there already (WSOLA; Verhelst and Roelands, 1993).
func stretch(in []int16, speed float64) []int16 {
	hop := count(15 * time.Millisecond) // between pieces, which are twice as long
	near := count(7 * time.Millisecond)
	if len(in) < 4*hop {
		return in
	}
	out := make([]int16, 0, int(float64(len(in))/speed)+2*hop)
	out = append(out, in[:hop]...)
	follows := hop // where in would go on by itself
	for n := 1; ; n++ {
		want := int(float64(n*hop) * speed)
		if want+near+2*hop > len(in) || follows+hop > len(in) {
			return append(out, in[min(follows, len(in)):]...)
		}
		from := bestFit(in, follows, max(0, want-near), want+near, hop)
		for i := range hop {
			w := 0.5 - 0.5*math.Cos(math.Pi*float64(i)/float64(hop))
			out = append(out, clamp(float64(in[follows+i])*(1-w)+float64(in[from+i])*w))
		}
		follows = from + hop
	}
}

// bestFit finds the place between first and last whose next samples are most like those at at.
func bestFit(in []int16, at, first, last, n int) int {
	best, most := first, math.Inf(-1)
	for from := first; from <= last; from++ {
		var product, energy float64
		for i := 0; i < n; i += 2 {
			a, b := float64(in[at+i]), float64(in[from+i])
			product += a * b
			energy += b * b
		}
		if fit := product / math.Sqrt(energy+1); fit > most {
			best, most = from, fit
		}
	}
	return best
}
