package console

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudoTerminal is a terminal, and its other end, where a person would type.
func pseudoTerminal(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return person, terminal
}

// shows tells whether a terminal gives whole lines, and shows what is typed.
func shows(t *testing.T, terminal *os.File) (lines, echo bool) {
	t.Helper()
	s, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return s.Lflag&unix.ICANON != 0, s.Lflag&unix.ECHO != 0
}

// TestHide types a password: it is not shown, comes as a line, and all is as before afterwards.
func TestHide(t *testing.T) {
	_, terminal := pseudoTerminal(t)
	restore, err := Hide(terminal)
	if err != nil {
		t.Fatal(err)
	}
	if lines, echo := shows(t, terminal); !lines || echo {
		t.Errorf("hidden: lines %v, shown %v", lines, echo)
	}
	if err := restore(); err != nil {
		t.Error(err)
	}
	if _, echo := shows(t, terminal); !echo {
		t.Error("what is typed is not shown again")
	}
	none, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if _, err := Hide(none); err == nil {
		t.Error("/dev/null is a terminal")
	}
}

// TestOpen uses a pseudo-terminal: keys come at once and are not shown, and all is as before afterwards.
func TestOpen(t *testing.T) {
	master, keep := pseudoTerminal(t) // keep has the settings outlive Open's own file
	tty, restore, err := open(keep.Name())
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
	if lines, echo := shows(t, keep); !lines || !echo {
		t.Errorf("the terminal is not as it was: lines %v, shown %v", lines, echo)
	}
}
