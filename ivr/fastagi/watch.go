package fastagi

import (
	"context"
	"time"
)

// A watch plays silence while the dialogue does something else: Asterisk drops the keys that come while no command
// runs. The call's goroutine starts it and stops it.
type watch struct {
	stop context.CancelFunc
	done chan struct{}
}

// attend stops the watch, if there is one, and has the wire for the call's goroutine until the function that it returns
// is called.
func (l *Line) attend() (leave func()) {
	if w := l.watch; w != nil {
		l.watch = nil
		w.stop()
		<-w.done
	}
	return l.beginWatch
}

// beginWatch starts the watch of a call that was answered and goes on.
func (l *Line) beginWatch() {
	if !l.answered || l.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(l.ctx)
	w := &watch{stop: stop, done: make(chan struct{})}
	l.watch = w
	go func() {
		defer close(w.done)
		l.listen(ctx)
	}()
}

// listen keeps keys until ctx ends, or the call.
func (l *Line) listen(ctx context.Context) {
	for {
		key, ok, err := l.waitKey(ctx, time.Hour)
		if err != nil {
			return
		}
		if ok {
			l.keep(key)
		}
	}
}
