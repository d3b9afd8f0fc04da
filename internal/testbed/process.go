package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A process is one run of a part's program. One goroutine waits for its end; whoever started it must call kill or stop.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when the process has ended and was waited for
}

// start runs a program with its output appended to the file console. It is in a process group of its own, so that ^C at a
// terminal reaches only whoever started it, and it is killed by the kernel when that one dies.
func start(console string, program string, args ...string) (*process, error) {
	out, err := os.OpenFile(console, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	go p.wait()
	return p, nil
}

func (p *process) wait() {
	defer close(p.gone)
	_ = p.cmd.Wait() // what it ended with is told better by its log
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// alive tells whether the process has not ended yet. The pid is ours as long as it says yes: nobody else gets the
// number of a child that was not waited for.
func (p *process) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// kill ends the process with SIGKILL and waits for its end. Killing what has ended is a no-op.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.gone
	return nil
}

// stop ends the process with SIGTERM and waits for its end. One that does not end in time is killed, which is an error.
// Stopping what has ended is a no-op.
func (p *process) stop(limit time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.gone:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("pid %d was killed: it did not end within %v of SIGTERM", p.pid(), limit), p.kill())
	}
}
