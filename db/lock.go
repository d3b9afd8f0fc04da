package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A fileLock keeps a second process from serving the same SQLite database. The kernel drops it when the process ends,
// however it ends.
type fileLock struct{ file *os.File }

// takeLock locks the file beside the database and leaves this process's id in it. ErrInUse names the holder.
func takeLock(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: lock file: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w (process %s holds %s)", ErrInUse, holder(file), path)
	}
	if err == nil {
		err = leavePID(file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &fileLock{file}, nil
}

// holder reads the process id that the lock's holder left.
func holder(file *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(file, 32))
	if pid := strings.TrimSpace(string(text)); pid != "" {
		return pid
	}
	return "unknown"
}

func leavePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("db: lock file: %w", err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("db: lock file: %w", err)
	}
	return nil
}

// release gives the lock back. The file stays: removing it would let two processes lock two files of one name.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
