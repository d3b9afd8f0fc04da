package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// tellMemory waits for SIGUSR1 until ctx ends. At each it collects garbage, gives free memory back to the system, and
// logs what is in use: an operator who sees a large process learns how much of it is needed, and the lab measures by it.
func tellMemory(ctx context.Context, log *slog.Logger) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		log.Info("memory", "heap_bytes", m.HeapInuse, "stack_bytes", m.StackInuse, "goroutines", runtime.NumGoroutine())
	}
}

// garbage is how much garbage may gather before it is collected, in percent of the memory that is in use. What a session
// holds is little beside what its pages, calls and messages throw away, and who asks while garbage is collected waits.
const garbage = 200

// collectSeldom sets that, unless the operator has said otherwise by GOGC.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
