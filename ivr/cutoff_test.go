package ivr

import "testing"

// TestCutByDisk: no recording of whole milliseconds is taken for one that was cut off, and every full disk is noticed.
func TestCutByDisk(t *testing.T) {
	for ms := range int64(200_000) {
		if CutByDisk(44 + 16*ms) {
			t.Fatalf("a whole recording of %d ms", ms)
		}
	}
	for _, size := range []int64{512, 4096, 32 << 10, 64 << 10, 3 * 4096} {
		if !CutByDisk(size) {
			t.Errorf("%d bytes pass for whole", size)
		}
	}
	if CutByDisk(0) {
		t.Error("nothing was cut off")
	}
}
