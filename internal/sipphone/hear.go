package sipphone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/internal/wav"
)

const (
	// MatchScore is from which score on a clip counts as heard.
	MatchScore = 0.8
	// firstPart is how much of a clip must be heard before WaitHear returns.
	firstPart = 1500 * time.Millisecond
	lookEvery = 100 * time.Millisecond
)

// ErrNotHeard is wrapped by the error of WaitHear when the call or the context ended before the clip was heard.
var ErrNotHeard = errors.New("sipphone: not heard")

// WaitHear waits until the clip in a WAV file (8 kHz) was heard: its first second and a half, so that a key can
// interrupt the rest. The search goes on where the last one ended. It returns when the clip began, counted from the
// start of the call.
func (c *Call) WaitHear(ctx context.Context, wavPath string) (at time.Duration, score float64, err error) {
	return c.waitHear(ctx, wavPath, firstPart)
}

// WaitHearAll is WaitHear for the clip from beginning to end.
func (c *Call) WaitHearAll(ctx context.Context, wavPath string) (at time.Duration, score float64, err error) {
	return c.waitHear(ctx, wavPath, 0)
}

func (c *Call) waitHear(ctx context.Context, wavPath string, part time.Duration) (time.Duration, float64, error) {
	clip, err := readClip(wavPath)
	if err != nil {
		return 0, 0, err
	}
	m := NewMatcher(clip)
	if n := int(part * Rate / time.Second); n > 0 && n < m.length() {
		m = NewMatcher(m.clip[:n])
	}
	return c.waitMatch(ctx, m)
}

// waitMatch looks at what is new in what was heard, again and again.
func (c *Call) waitMatch(ctx context.Context, m *Matcher) (time.Duration, float64, error) {
	from := c.place()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for over := false; ; {
		if heard := c.ear.since(from); len(heard) >= m.length() {
			if where, score, ok := m.First(heard, MatchScore); ok {
				c.setPlace(from + where + m.skipped + m.length())
				return at(from + where), score, nil
			}
			from += max(0, len(heard)-m.length()+1-overlap) // nothing begins before
		}
		if over {
			return 0, 0, fmt.Errorf("%w: %w", ErrNotHeard, c.Err())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0, 0, fmt.Errorf("%w: %w", ErrNotHeard, context.Cause(ctx))
		case <-c.Done():
			over = true // one more look at the last sound
		}
	}
}

// place is where the next search begins, in samples.
func (c *Call) place() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cursor
}

func (c *Call) setPlace(samples int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cursor = samples
}

// readClip reads a file that can be searched for.
func readClip(path string) ([]int16, error) {
	s, err := wav.Read(path)
	if err != nil {
		return nil, fmt.Errorf("sipphone: %w", err)
	}
	if s.Rate != Rate {
		return nil, fmt.Errorf("sipphone: %s has %d Hz; %d are needed", path, s.Rate, Rate)
	}
	return s.Samples, nil
}
