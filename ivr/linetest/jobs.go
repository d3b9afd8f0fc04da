package linetest

import "context"

// Jobs is how a test tells a call what to do: a Line's methods belong to the call's own goroutine, in which Serve runs.
type Jobs struct {
	todo chan func()
	over chan error
}

// NewJobs has nothing to do yet.
func NewJobs() Jobs { return Jobs{todo: make(chan func()), over: make(chan error)} }

// Serve does what the test says until End, or until ctx ends, which is its cause then.
func (j Jobs) Serve(ctx context.Context) error {
	for {
		select {
		case job := <-j.todo:
			job()
		case err := <-j.over:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// End lets Serve return err.
func (j Jobs) End(err error) { j.over <- err }

// Do lets the goroutine of Serve do something, once it is done with what it is at.
func (j Jobs) Do(f func()) { j.todo <- f }

// Later does something in the goroutine of Serve, beside the test, and hands out its result.
func Later[T any](j Jobs, f func() (T, error)) func() (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	j.Do(func() {
		v, err := f()
		done <- result{v, err}
	})
	return func() (T, error) {
		r := <-done
		return r.v, r.err
	}
}
