package stasis

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/ivr"
	"hark/ivr/linetest"
)

// TestDiskFullInRecording: what fits is there, and it is not passed off as whole, whether Asterisk gives up by itself or
// the caller ends the recording before that. The next one, with room again, is whole.
func TestDiskFullInRecording(t *testing.T) {
	s := open(t, nil)
	folder := filepath.Join(s.SpoolDir, "recording")
	p, c := s.call(t)
	for _, test := range []struct {
		size     int // of the disk, in KiB
		key      string
		from, to time.Duration
	}{
		{64, "", 3 * time.Second, 4100 * time.Millisecond},
		{40, "#", 2 * time.Second, 2600 * time.Millisecond}, // Asterisk writes 32 KiB at a time, and the rest at the end
	} {
		t.Run(fmt.Sprint(test.size, "k"), func(t *testing.T) {
			testbed.SmallDisk(t, folder, fmt.Sprint(test.size, "k"))
			var rec ivr.Recorded
			for range 5 { // Linux counts the pages of a tmpfs for each processor, and now and then lets too many in
				p.Say(600)
				got := c.record(ivr.Record{Max: 20 * time.Second, Silence: 4 * time.Second, Ends: "#"})
				if test.key != "" {
					linetest.Until(time.Now(), 3500*time.Millisecond)
					p.PressKeys(test.key)
				}
				var err error
				if rec, err = got(); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(rec.File); err != nil {
					t.Fatal(err)
				} else if info.Size() <= int64(test.size)<<10 {
					break
				}
				t.Logf("the disk of %d KiB took %v", test.size, rec.Duration)
			}
			if rec.Why != ivr.LineFail || rec.Duration < test.from || rec.Duration > test.to {
				t.Fatalf("the disk was full: %+v", rec)
			}
			if hz := linetest.Pitch(t, rec.File); hz < 570 || hz > 630 {
				t.Errorf("%v Hz are in the recording", hz)
			}
		})
	}
	rec, err := c.record(ivr.Record{Max: 2 * time.Second, Ends: "#"})()
	if err != nil || rec.Why != ivr.Limit {
		t.Errorf("with room again: %+v, %v", rec, err)
	}
}

// TestNeverRecorded: Asterisk's folder for recordings comes with the first one; before, there is none to be found.
func TestNeverRecorded(t *testing.T) {
	s := open(t, nil)
	if err := os.Remove(filepath.Join(s.SpoolDir, "recording")); err != nil {
		t.Fatal(err)
	}
	if names, err := s.app.rest.storedNames(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("recordings %q, %v", names, err)
	}
}
