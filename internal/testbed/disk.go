package testbed

import (
	"os"
	"syscall"
	"testing"
)

// SmallDisk makes dir, which may be there already, a disk of its own of that size ("64k") until the test ends. The test is
// skipped where that is not allowed.
func SmallDisk(t testing.TB, dir, size string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a tmpfs needs root: run this test with sudo")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size); err != nil {
		t.Skipf("mounting a tmpfs is not allowed here (%v): run this test as root outside of an unprivileged container", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
