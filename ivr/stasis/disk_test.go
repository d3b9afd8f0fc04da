package stasis

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hark/ivr"
)

// smallSpool puts Asterisk's recordings on a disk of 64 KiB, which 4 s of speech fill.
func (s *site) smallSpool(t *testing.T) {
	t.Helper()
	dir := filepath.Join(s.SpoolDir, "recording")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0755"); err != nil {
		t.Skipf("mounting a tmpfs is not allowed here (%v): run this test as root outside of an unprivileged container", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// TestDiskFills: a disk that fills during a recording is noticed at once, while the caller still speaks, and the part that
// is there is kept. Asterisk itself says that all is well. With room again, a recording is whole.
func TestDiskFills(t *testing.T) {
	s := open(t, nil)
	s.smallSpool(t)
	p, c := s.call(t)
	p.say(600)
	for _, silence := range []time.Duration{0, 4 * time.Second} {
		rec, err := c.record(ivr.Record{Max: time.Minute, Silence: silence, Ends: "#"})()
		if err != nil || rec.Why != ivr.LineFail || rec.Duration < 3*time.Second || rec.Duration > 4200*time.Millisecond {
			t.Errorf("the disk became full: %+v, %v", rec, err)
		}
		if hz := pitchOf(samplesOf(t, rec.File)); hz < 570 || hz > 630 {
			t.Errorf("%v Hz are in the part that is kept", hz)
		}
	}
	got := c.record(ivr.Record{Max: 20 * time.Second, Ends: "#"})
	until(time.Now(), 2*time.Second)
	p.press("#")
	if rec, err := got(); err != nil || rec.Why != ivr.EndKey || rec.Duration < 1500*time.Millisecond {
		t.Errorf("there was room again: %+v, %v", rec, err)
	}
}
