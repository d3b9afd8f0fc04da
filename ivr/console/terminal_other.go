//go:build !linux

package console

import (
	"errors"
	"os"
)

// Open opens the terminal for single keys; only the Linux build can.
func Open() (tty *os.File, restore func() error, err error) {
	return nil, nil, errors.New("console: single keys need Linux; type keys and press return")
}

// Hide has a terminal not show what is typed; only the Linux build can.
func Hide(*os.File) (restore func() error, err error) {
	return nil, errors.New("console: hiding what is typed needs Linux")
}
