package console

import (
	"context"
	"strings"
	"sync"
	"time"
)

// keys are what was pressed and not yet taken. Any goroutine may press.
type keys struct {
	mu      sync.Mutex
	pressed string
	changed chan struct{} // closed and replaced when a key is pressed
}

func newKeys() *keys { return &keys{changed: make(chan struct{})} }

// press adds a key; what is none is left out.
func (k *keys) press(b byte) {
	if !strings.Contains("0123456789*#ABCD", string(rune(b))) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pressed += string(rune(b))
	close(k.changed)
	k.changed = make(chan struct{})
}

// look tells whether a key waits; the channel closes when the next one is pressed.
func (k *keys) look() (bool, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pressed != "", k.changed
}

// flush drops all keys.
func (k *keys) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pressed = ""
}

// take takes the first key, "" when there is none.
func (k *keys) take() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pressed == "" {
		return ""
	}
	key := k.pressed[:1]
	k.pressed = k.pressed[1:]
	return key
}

// takeOf takes the first key if it is one of those.
func (k *keys) takeOf(those string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pressed == "" || !strings.Contains(those, k.pressed[:1]) {
		return ""
	}
	key := k.pressed[:1]
	k.pressed = k.pressed[1:]
	return key
}

// wait waits until a key is there, and tells whether one came in time.
func (k *keys) wait(ctx context.Context, d time.Duration) (bool, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		some, changed := k.look()
		if some {
			return true, nil
		}
		select {
		case <-timer.C:
			return false, nil
		case <-changed:
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// next waits for a key; "" is none in time.
func (k *keys) next(ctx context.Context, wait time.Duration) (string, error) {
	_, err := k.wait(ctx, wait)
	if err != nil {
		return "", err
	}
	return k.take(), nil
}
