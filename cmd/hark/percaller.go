package main

import (
	"errors"
	"sync"

	"hark/ivr"
)

// errTooManyCalls is why a call is not answered: the dialplan apologises.
var errTooManyCalls = errors.New("this caller id has as many calls in progress as asterisk.per_caller allows")

// perCaller counts the calls in progress of each caller id (threat T13).
type perCaller struct {
	mu    sync.Mutex
	calls map[string]int
}

// enter counts a call until the returned function is called. ok is false, and nothing is counted, when the caller id has
// limit calls already. Callers without a caller id are not counted, and with a limit of 0 nobody is.
func (p *perCaller) enter(line ivr.Line, limit int) (leave func(), ok bool) {
	caller := line.Caller()
	if caller == "" || limit == 0 {
		return func() {}, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[caller] >= limit {
		return nil, false
	}
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[caller]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.calls[caller]--; p.calls[caller] == 0 {
			delete(p.calls, caller)
		}
	}, true
}
