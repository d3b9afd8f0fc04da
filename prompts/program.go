package prompts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	renderTime = 10 * time.Second // a program that takes longer is killed
	maxStderr  = 400              // bytes of its complaint that are kept
)

// runProgram runs a program without a shell, in its own process group, for at most limit. input is the file that
// is its standard input. The error holds what the program complained about.
func runProgram(ctx context.Context, argv []string, input, dir string, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("took longer than %v", limit))
	defer cancel()
	stdin, err := os.Open(input)
	if err != nil {
		return err
	}
	defer stdin.Close()
	var complaint tailBuffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, stdin, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return errors.Join(err, complaint.err())
	}
	return nil
}

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct{ b bytes.Buffer }

// Write keeps the last bytes.
func (t *tailBuffer) Write(p []byte) (int, error) {
	t.b.Write(p)
	if over := t.b.Len() - maxStderr; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

func (t *tailBuffer) err() error {
	if s := strings.TrimSpace(t.b.String()); s != "" {
		return errors.New(s)
	}
	return nil
}
