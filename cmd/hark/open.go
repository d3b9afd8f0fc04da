package main

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"time"

	"hark/accounts"
	"hark/db"
	"hark/im"
	"hark/im/local"
	"hark/im/xmpp"
	"hark/ivr"
	"hark/presence"
	"hark/prompts"
	"hark/sessions"
)

// openStores opens the database and what stands on it.
func (p *parts) openStores(ctx context.Context) (err error) {
	if err := os.MkdirAll(p.config.Data, 0o750); err != nil {
		return err
	}
	if p.db, err = db.Open(ctx, db.Options{Source: p.config.DB, Mode: db.Serve, Log: p.log}); err != nil {
		return err
	}
	p.opened("database", p.db.Close)
	if p.keys, err = accounts.LoadKeys(p.config.Keys); err != nil {
		return err
	}
	if p.accounts, err = accounts.Open(ctx, p.db, p.keys, accounts.Options{Log: p.log}); err != nil {
		return err
	}
	if p.notes, err = openNotes(filepath.Join(p.config.Data, "calls"), p.keys.Derive("notes of calls")); err != nil {
		return err
	}
	p.opened("notes of calls", p.notes.Close)
	p.sessions = sessions.Open(p.db, p.log)
	p.opened("session store", p.sessions.Close)
	return nil
}

// openAudio opens the store of voice messages.
func (p *parts) openAudio(ctx context.Context) (err error) {
	if p.audio, err = p.config.openAudio(ctx, 0, p.log); err != nil {
		return err
	}
	p.opened("audio store", p.audio.Close)
	return nil
}

// openSpeech reads the texts, finds the synthesiser, and renders what is said in every call.
func (p *parts) openSpeech(ctx context.Context) (err error) {
	synth, err := prompts.NewSynthesiser(ctx, p.config.Prompts.synthesiser())
	if err != nil {
		return err
	}
	if p.book, err = prompts.LoadBook(nil, p.config.Prompts.Dir); err != nil {
		return err
	}
	if p.speaker, err = p.openSpeaker(ctx, synth, p.book); err != nil {
		return err
	}
	p.voices = map[string]ivr.Voice{}
	for _, n := range p.config.Numbers {
		if n.Prompts == "" || p.voices[n.Prompts] != nil {
			continue
		}
		book, err := prompts.LoadBook(nil, p.config.Prompts.Dir, n.Prompts)
		if err != nil {
			return err
		}
		if p.voices[n.Prompts], err = p.openSpeaker(ctx, synth, book); err != nil {
			return err
		}
	}
	return nil
}

// openSpeaker makes a speaker of the texts, and renders them. Speakers share what was rendered.
func (p *parts) openSpeaker(ctx context.Context, synth prompts.Synthesiser, book *prompts.Book) (*prompts.Speaker, error) {
	speaker, err := prompts.NewSpeaker(prompts.SpeakerOptions{Book: book, Synth: synth, Dir: p.config.Prompts.Cache, Log: p.log})
	if err != nil {
		return nil, err
	}
	p.opened("speaker", speaker.Close)
	last := time.Now()
	return speaker, speaker.Prerender(ctx, func(done, total int) {
		if time.Since(last) > 2*time.Second || done == total && total > 0 {
			p.log.Info("rendering prompts", "done", done, "of", total)
			last = time.Now()
		}
	})
}

// openPresence makes the presence server with its services.
func (p *parts) openPresence(context.Context) error {
	external, err := p.xmpp()
	if err != nil {
		return err
	}
	p.presence = &presence.Server{
		Name:     p.config.Name,
		Addr:     p.config.address(),
		Sessions: p.sessions,
		Accounts: p.accounts,
		Secret:   p.keys.Derive("session keys"),
		Services: map[string]im.Service{
			im.XMPP: external,
			im.Hark: &local.Service{Deliverer: deliverer{p.sessions}, Directory: directory{p.accounts, p.sessions}},
		},
		Retention: p.config.Retain.retention(),
		Lease:     time.Duration(p.config.Node.Lease),
		BeatEvery: time.Duration(p.config.Node.Lease) / 4,
		Log:       p.log,
	}
	p.doors, err = p.clientTLS()
	return err
}

// xmpp makes the service for XMPP logins.
func (p *parts) xmpp() (*xmpp.Service, error) {
	s := &xmpp.Service{Log: p.log}
	if !p.config.XMPP.AllowPrivate {
		s.Dial = publicDial
	}
	if file := p.config.XMPP.CA; file != "" {
		roots, err := rootsWith("xmpp.ca", file)
		if err != nil {
			return nil, err
		}
		s.TLS = &tls.Config{RootCAs: roots}
	}
	return s, nil
}
