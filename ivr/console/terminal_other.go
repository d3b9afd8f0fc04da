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
