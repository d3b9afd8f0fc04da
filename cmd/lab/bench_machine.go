package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

const (
	kernelCalls = 100_000
	wakings     = 5_000 // there and back
)

// kernelSpeed tells what this machine's kernel takes for what a telephone call is made of, so that figures of two machines
// can be compared: an empty system call, and a thread that wakes another and waits for its answer. Machines, virtual ones
// above all, differ in both by several times, and the CPU time of a call differs with them.
func kernelSpeed() (string, error) {
	begun := time.Now()
	for range kernelCalls {
		syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
	}
	call := time.Since(begun) / kernelCalls
	waking, err := timeWaking()
	return fmt.Sprintf("a system call takes %.2f µs, a thread that wakes another has its answer in %.0f µs", micros(call), micros(waking)), err
}

// timeWaking sends a byte there and back between two threads that block in the kernel: Go's scheduler has no part in it.
func timeWaking() (time.Duration, error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return 0, fmt.Errorf("socketpair: %w", err)
	}
	echo := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			if err = pass(ends[1], syscall.Read); err == nil {
				err = pass(ends[1], syscall.Write)
			}
		}
		echo <- errors.Join(err, syscall.Close(ends[1]))
	}()
	begun := time.Now()
	for n := 0; n < wakings && err == nil; n++ {
		if err = pass(ends[0], syscall.Write); err == nil {
			err = pass(ends[0], syscall.Read)
		}
	}
	took := time.Since(begun) / wakings
	err = errors.Join(err, syscall.Close(ends[0])) // which ends the echo
	if last := <-echo; !errors.Is(last, io.EOF) {
		err = errors.Join(err, last)
	}
	return took, err
}

// pass reads or writes one byte.
func pass(socket int, how func(int, []byte) (int, error)) error {
	n, err := how(socket, make([]byte, 1))
	if err == nil && n == 0 {
		return io.EOF
	}
	return err
}
