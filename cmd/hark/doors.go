package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hark/audio"
	"hark/ivr"
	"hark/ivr/stasis"
	"hark/presence"
	"hark/web"
)

// dialer is how the doors of this process reach the presence server: the wire protocol in memory.
func (p *parts) dialer() *presence.Dialer {
	return &presence.Dialer{Home: "pipe:", Pipe: p.presence.Pipe, Log: p.log}
}

// telephone makes the application that answers calls; nil when no Asterisk is configured.
func (p *parts) telephone() (*stasis.App, error) {
	a := p.config.Asterisk
	if a.ARI == "" {
		return nil, nil
	}
	media, err := mediaMap(a.Sounds)
	if err != nil {
		return nil, err
	}
	plan := p.config.plan()
	if err := plan.Check(); err != nil {
		return nil, err
	}
	dialogue := p.dialogue()
	return &stasis.App{
		URL: a.ARI, User: a.User, Password: a.Password, Name: a.App,
		Handle:      func(ctx context.Context, line ivr.Line) error { return answer(ctx, plan, dialogue, line) },
		Log:         p.log,
		Media:       media,
		MaxCalls:    a.Calls,
		AnswerPause: time.Duration(a.Settle),
	}, nil
}

// dialogue is the messenger on the telephone.
func (p *parts) dialogue() *ivr.Server {
	return &ivr.Server{
		Auth:       p.accounts,
		Dial:       ivr.PresenceDialer(p.dialer()),
		Voice:      p.speaker,
		Recordings: recordings{p.audio},
		Log:        p.log,
	}
}

// mediaMap reads asterisk.sounds, "local=path at Asterisk".
func mediaMap(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	local, remote, ok := strings.Cut(text, "=")
	if !ok || local == "" || remote == "" {
		return nil, fmt.Errorf("asterisk.sounds: %q is not of the form local=path at Asterisk", text)
	}
	return map[string]string{local: remote}, nil
}

// listenPresence serves the client interface to other processes, when configured.
func (p *parts) listenPresence(ctx context.Context) error {
	address, secure := strings.CutPrefix(p.config.Listen.Presence, "tls://")
	if address == "" {
		<-ctx.Done()
		return nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen.presence: %w", err)
	}
	if secure {
		host, _, _ := strings.Cut(p.config.Name, ":")
		cert, err := certificate(p.config.Listen.Cert, p.config.Listen.Key, host)
		if err != nil {
			l.Close()
			return fmt.Errorf("listen.cert: %w", err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	}
	return p.presence.Serve(ctx, l)
}

// listenWeb serves the web door and the links to voice messages.
func (p *parts) listenWeb(ctx context.Context) error {
	if p.config.Listen.Web == "" {
		return nil
	}
	links, err := url.Parse(p.config.Audio.URL)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(links.Path, audio.NewHandler(p.audio, audio.HandlerConfig{}))
	door := &web.Server{Auth: p.accounts, Dialer: p.dialer(), Log: p.log, Audio: p.config.Audio.URL, Recordings: spoken{p.audio}}
	mux.Handle("/", door.Handler())
	l, err := net.Listen("tcp", p.config.Listen.Web)
	if err != nil {
		return fmt.Errorf("listen.web: %w", err)
	}
	return serveHTTP(ctx, l, mux)
}

// serveHTTP serves until ctx ends, within the bounds of threat T23, and lets requests in progress finish.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(last)
	})
	err := server.Serve(l)
	if stop() { // it failed by itself
		return err
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-stopped)
}
