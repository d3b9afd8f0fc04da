package stasis

import (
	"path/filepath"
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/ivr"
)

// TestDiskFullInRecording: what fits is there, and it is not passed off as whole, whether Asterisk gives up by itself or
// the caller ends the recording before that. The next one, with room again, is whole.
func TestDiskFullInRecording(t *testing.T) {
	s := open(t, nil)
	folder := filepath.Join(s.SpoolDir, "recording")
	p, c := s.call(t)
	p.say(600)
	for _, test := range []struct {
		size     string
		key      string
		from, to time.Duration
	}{
		{"64k", "", 3 * time.Second, 4100 * time.Millisecond},
		{"40k", "#", 2 * time.Second, 2600 * time.Millisecond}, // Asterisk writes 32 KiB at a time, and the rest at the end
	} {
		t.Run(test.size, func(t *testing.T) {
			testbed.SmallDisk(t, folder, test.size)
			got := c.record(ivr.Record{Max: 20 * time.Second, Silence: 4 * time.Second, Ends: "#"})
			if test.key != "" {
				until(time.Now(), 3500*time.Millisecond)
				p.press(test.key)
			}
			rec, err := got()
			if err != nil || rec.Why != ivr.LineFail || rec.Duration < test.from || rec.Duration > test.to {
				t.Fatalf("the disk was full: %+v, %v", rec, err)
			}
			if hz := pitchOf(samplesOf(t, rec.File)); hz < 570 || hz > 630 {
				t.Errorf("%v Hz are in the recording", hz)
			}
		})
	}
	rec, err := c.record(ivr.Record{Max: 2 * time.Second, Ends: "#"})()
	if err != nil || rec.Why != ivr.Limit {
		t.Errorf("with room again: %+v, %v", rec, err)
	}
}
