package main

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTimerSlack asks a thread of the runtime how late its sleeps may end.
func TestTimerSlack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	got, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(got) != 500*time.Microsecond {
		t.Errorf("%v, %v", time.Duration(got), err)
	}
}
