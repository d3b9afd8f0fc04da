package stasis

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestMakingIsNotBrokenOff ends the context of a command while Asterisk is at it. What makes a thing is waited for, so that
// it can be let go of afterwards; anything else is broken off.
func TestMakingIsNotBrokenOff(t *testing.T) {
	arrived, made := make(chan struct{}, 1), make(chan struct{})
	asterisk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if strings.HasPrefix(r.URL.Path, "/bridges/") {
			<-made
		} else {
			<-r.Context().Done()
		}
	}))
	defer asterisk.Close()
	root, _ := url.Parse(asterisk.URL)
	r := newRest(root, "hark", fakePassword)
	defer r.close()

	cutOff := func(do func(context.Context) error) func() error {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- do(ctx) }()
		<-arrived
		cancel()
		return func() error { return <-done }
	}
	answer := cutOff(func(ctx context.Context) error { return r.answer(ctx, "caller") })
	if err := answer(); !errors.Is(err, context.Canceled) {
		t.Errorf("an answer: %v", err)
	}
	bridge := cutOff(func(ctx context.Context) error { return r.makeBridge(ctx, "bridge") })
	close(made)
	if err := bridge(); err != nil {
		t.Errorf("a bridge: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.makeBridge(ended, "bridge"); !errors.Is(err, context.Canceled) {
		t.Errorf("a bridge that was not begun: %v", err)
	}
}

// TestNoARIHere asks a web server that is none of Asterisk's, or ARI under a wrong path: what is wrong is said in words.
func TestNoARIHere(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	app := &App{URL: other.URL, User: "hark", Password: fakePassword, Name: "hark"}
	if err := app.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "404 there is no ARI here: its address ends in /ari") {
		t.Errorf("got %v", err)
	}
}
