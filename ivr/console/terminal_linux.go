package console

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens the terminal that the process runs in and has it give each key at once, without showing it. The returned
// function puts it back as it was and closes it; call it on every way out. Open fails where there is no terminal: keys
// then come from standard input, a line at a time.
func Open() (tty *os.File, restore func() error, err error) { return open("/dev/tty") }

func open(path string) (tty *os.File, restore func() error, err error) {
	tty, err = os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("console: no terminal: %w", err)
	}
	before, err := change(tty, func(t *unix.Termios) {
		t.Lflag &^= unix.ICANON | unix.ECHO
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	})
	if err != nil {
		_ = tty.Close()
		return nil, nil, fmt.Errorf("console: the terminal cannot give single keys: %w", err)
	}
	return tty, func() error {
		_, err := change(tty, func(t *unix.Termios) { *t = before })
		if cerr := tty.Close(); err == nil {
			err = cerr
		}
		return err
	}, nil
}

// Hide has a terminal not show what is typed, for a password. The returned function shows it again; it may be called from
// another goroutine, and more than once. Hide fails for what is no terminal.
func Hide(tty *os.File) (restore func() error, err error) {
	before, err := change(tty, func(t *unix.Termios) { t.Lflag &^= unix.ECHO })
	if err != nil {
		return nil, fmt.Errorf("console: no terminal: %w", err)
	}
	return func() error {
		_, err := change(tty, func(t *unix.Termios) { *t = before })
		return err
	}, nil
}

// change changes a terminal's settings and returns those before.
func change(tty *os.File, how func(*unix.Termios)) (before unix.Termios, err error) {
	raw, err := tty.SyscallConn()
	if err != nil {
		return before, err
	}
	cerr := raw.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err != nil {
			return
		}
		before = *t
		how(t)
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err == nil {
		err = cerr
	}
	return before, err
}
