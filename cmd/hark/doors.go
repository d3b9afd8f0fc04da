package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"hark/audio"
	"hark/ivr"
	"hark/ivr/stasis"
	"hark/presence"
	"hark/sessions"
	"hark/web"
)

// dialer is how the doors of this process reach the presence server: the wire protocol in memory, and from there over
// TLS to the node that has the session.
func (p *parts) dialer() *presence.Dialer {
	return &presence.Dialer{Home: "pipe:", Pipe: p.presence.Pipe, TLS: p.doors, Log: p.log, Loops: &p.loops}
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
	dialogues, err := p.dialogues()
	if err != nil {
		return nil, err
	}
	return &stasis.App{
		URL: a.ARI, User: a.User, Password: a.Password, Name: a.App,
		Handle:      dialogues.answer,
		Left:        dialogues.messenger.Left,
		Log:         p.log,
		Media:       media,
		MaxCalls:    a.Calls,
		AnswerPause: time.Duration(a.Settle),
	}, nil
}

// dialogue is the messenger on the telephone.
func (p *parts) dialogue() *ivr.Server {
	server := &ivr.Server{
		Auth:       p.accounts,
		Dial:       ivr.PresenceDialer(p.dialer()),
		Voice:      p.speaker,
		Recordings: recordings{p.audio, p.config.Audio},
		Settings:   ivr.Settings{Patience: 2*p.takeover() + time.Second, Reconnect: p.takeover()},
		Log:        p.log,
		Languages:  p.speaker.Languages(),
		Profiles:   profiles{p.accounts},
		Callers:    callers{p.accounts, p.sessions},
		Memory:     p.notes,
		PINs:       p.accounts,
	}
	if p.dials() {
		server.Phones, server.CallBacks = p.telephones(), p.telephones()
	}
	return server
}

// dials tells whether there is a way to call telephones.
func (p *parts) dials() bool { return p.config.Asterisk.ARI != "" && len(p.config.Dial.Trunks) > 0 }

// telephones are those of the users, as far as they may be dialled.
func (p *parts) telephones() telephones {
	return telephones{accounts: p.accounts, directory: directory{p.accounts, p.sessions}, trunks: p.config.Dial.trunks(), talks: p.config.Dial.Talks, now: time.Now}
}

// takeover is how long a call looks for its session when the presence server that had it is gone: until another node may
// have taken it over.
func (p *parts) takeover() time.Duration {
	if !p.db.Shared() {
		return 5 * time.Second
	}
	return time.Duration(p.config.Node.Lease) + sessions.Grace + 2*time.Second
}

// mediaMap reads asterisk.sounds, "local=path at Asterisk".
func mediaMap(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	local, remote, ok := strings.Cut(text, "=")
	if !ok || local == "" || remote == "" {
		return nil, fmt.Errorf("%q is not of the form local=path at Asterisk", text)
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
		cert, err := p.certificate()
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
		close(p.webOpen)
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle(p.audio.Path(), audio.NewHandler(p.audio, audio.HandlerConfig{Answer: p.config.Phone}))
	door := &web.Server{Auth: p.accounts, Accounts: p.accounts, Dialer: p.dialer(), Log: p.log, Audio: p.config.Audio.URL,
		Recordings: spoken{p.audio, p.config.Audio}, Phone: p.config.Phone,
		Secure: strings.HasPrefix(p.config.Audio.URL, "https://")} // then there is a TLS proxy before us
	if p.dials() {
		door.Telephones = webPhones{p.accounts, p.config.Dial.trunks()}
	}
	mux.Handle("/", door.Handler())
	l, err := net.Listen("tcp", p.config.Listen.Web)
	if err != nil {
		return fmt.Errorf("listen.web: %w", err)
	}
	proxies, err := parseNetworks(p.config.Listen.Proxies)
	if err != nil {
		return errors.Join(fmt.Errorf("listen.proxies: %w", err), l.Close())
	}
	close(p.webOpen)
	return serveHTTP(ctx, &perAddress{Listener: l, most: p.config.Listen.PerAddr, exempt: proxies}, proxies.before(mux))
}

// serveHTTP serves until ctx ends, within the bounds of threat T23, and lets requests in progress finish.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           endStreams(ctx, handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute, // streams and recordings move it on, as long as their client takes something
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       audio.SmallBuffer, // so that a revoked recording is not in the kernel's hands already
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

// endStreams ends streams of server-sent events with ctx, which would never end by themselves; other requests may finish.
func endStreams(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			stream, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			r = r.WithContext(stream)
		}
		next.ServeHTTP(w, r)
	})
}
