package console

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOpen uses a pseudo-terminal: keys come at once and are not shown, and all is as before afterwards.
func TestOpen(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/pts/%d", n)
	keep, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0) // so that the settings outlive Open's own file
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	tty, restore, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := master.WriteString("5"); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 1)
	if _, err := tty.Read(key); err != nil || key[0] != '5' {
		t.Errorf("the key is %q: %v", key, err)
	}
	if err := restore(); err != nil {
		t.Error(err)
	}
	after, err := unix.IoctlGetTermios(int(keep.Fd()), unix.TCGETS)
	if err != nil || after.Lflag&unix.ICANON == 0 || after.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal is not as it was: %x %v", after.Lflag, err)
	}
}
