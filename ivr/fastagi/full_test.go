package fastagi

import (
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/ivr"
	"hark/ivr/linetest"
)

// TestDiskFullInRecording: Asterisk goes on without writing. What fits is there, and it is not passed off as whole.
func TestDiskFullInRecording(t *testing.T) {
	s := open(t, nil)
	t.Run("64k", func(t *testing.T) {
		testbed.SmallDisk(t, s.server.Recordings, "64k")
		p, c := s.call(t)
		p.Say(600)
		got := c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
		linetest.Until(time.Now(), 7*time.Second)
		p.PressKeys("#")
		rec, err := got()
		if err != nil || rec.Why != ivr.LineFail || rec.Duration < 3*time.Second || rec.Duration > 4100*time.Millisecond {
			t.Fatalf("the disk was full: %+v, %v", rec, err)
		}
		if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
			t.Errorf("%v Hz are in the recording", hz)
		}
	})
}
