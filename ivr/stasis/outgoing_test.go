package stasis

import (
	"context"
	"strings"
	"testing"

	"hark/ivr"
	"hark/ivr/linetest"
)

// A call of ours that is answered while no events come is the one that was made when they come again, and no caller's.
func TestAnsweredWhileTheLinkWasDown(t *testing.T) {
	f := newFake(t)
	as := make(chan string, 2)
	handle := func(what string) func(context.Context, ivr.Line) error {
		return func(context.Context, ivr.Line) error { as <- what; return nil }
	}
	a := f.app(t, &App{Handle: handle("a caller's")})
	over := make(chan error, 1)
	go func() {
		over <- a.Call(context.Background(), Outgoing{Endpoint: "PJSIP/201", Handle: handle("the one that was made")})
	}()
	var id string
	linetest.Eventually(t, "the telephone rings", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, asked := range f.asked {
			if name, ok := strings.CutPrefix(asked, "POST /channels/"); ok {
				id = name
			}
		}
		return id != ""
	})
	f.mu.Lock()
	f.channels[id] = true // it was answered, and the event of it is lost
	f.mu.Unlock()
	f.drop <- struct{}{}
	if what := <-as; what != "the one that was made" {
		t.Errorf("it is taken for %s", what)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}
