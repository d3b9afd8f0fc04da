package testbed

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// tail returns the end of a text file, at most n bytes, for an error or a failed test.
func tail(file string, n int64) string {
	size := fileSize(file)
	text, err := readFrom(file, max(0, size-n))
	if err != nil {
		return "(" + err.Error() + ")\n"
	}
	return string(text)
}

// fileSize returns the length of a file, 0 if it is not there.
func fileSize(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

func readFrom(file string, offset int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// logged tells whether a log says something after offset.
func logged(file string, offset int64, what string) bool {
	text, err := readFrom(file, offset)
	return err == nil && bytes.Contains(text, []byte(what))
}

// checkPID fails unless a pid file names the process.
func checkPID(file string, pid int) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if got, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || got != pid {
		return fmt.Errorf("the pid file says %q, not %d", text, pid)
	}
	return nil
}
