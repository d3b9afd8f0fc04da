package ecma

import (
	"runtime/metrics"
	"sync"
	"time"
)

// step is how often a running script is looked at.
const step = 2 * time.Millisecond

// A watcher interrupts a script that goes over its limits.
type watcher struct {
	vm    *VM
	began time.Time
	heap  int64
	limit time.Duration

	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// watch begins to look at vm; stop ends it.
func watch(vm *VM) *watcher {
	w := &watcher{vm: vm, began: time.Now(), heap: -1, limit: min(vm.lim.Time, vm.lim.Total-vm.spent)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(step, w.look)
	return w
}

// look runs beside the script. Most scripts are over before it is called the first time.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if w.heap < 0 {
		w.heap = heap()
	}
	switch {
	case time.Since(w.began) >= w.limit:
		w.vm.rt.Interrupt(ErrTime)
	case heap()-w.heap > w.vm.lim.Memory:
		w.vm.rt.Interrupt(ErrMemory)
	default:
		w.timer.Reset(step)
	}
}

// stop ends the watching and returns how long it took.
func (w *watcher) stop() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
	return time.Since(w.began)
}

// heap is the size of the process's live and not yet collected objects. It is all calls' together: while a script runs
// for milliseconds, it is nearly always that script that grows it.
func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
