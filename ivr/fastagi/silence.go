package fastagi

import (
	"fmt"
	"path/filepath"
	"time"

	"hark/internal/wav"
)

const (
	// silenceLength is how long the file is that is played while keys are awaited. It also bounds the time until an
	// Asterisk is noticed that does not answer any more.
	silenceLength = 30 * time.Second
	// silenceStep is the shortest silence that is worth a command: half a packet.
	silenceStep = 10 * time.Millisecond
	silenceFile = "hark-silence.wav"
)

// makeSilence writes the file with silence to a folder that Asterisk can read, and returns its path.
func makeSilence(dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, silenceFile))
	if err != nil {
		return "", err
	}
	s := wav.Sound{Rate: samplesPerSecond, Samples: make([]int16, samplesIn(silenceLength))}
	if err := wav.Write(path, s); err != nil {
		return "", fmt.Errorf("fastagi: the folder for recordings: %w", err)
	}
	return path, nil
}
