package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"hark/audio"
	"hark/im"
	"hark/ivr"
	"hark/web"
)

// recordings lets the dialogue keep voice messages in the audio store.
type recordings struct {
	store *audio.Store
	audioConfig
}

var _ ivr.Recordings = recordings{}

// Ready implements ivr.Recordings.
func (r recordings) Ready(ctx context.Context, user string) error {
	return r.store.CanRecord(ctx, user)
}

// Put implements ivr.Recordings.
func (r recordings) Put(ctx context.Context, file string, n ivr.Note) (im.Attachment, error) {
	rec, err := r.store.PutFile(ctx, file, r.meta(n.User, n.Name, n.Part))
	return attachment(rec), err
}

// Local implements ivr.Recordings.
func (r recordings) Local(ctx context.Context, url string) (wav string, length time.Duration, ok bool, err error) {
	wav, length, err = r.store.Local(ctx, url)
	if errors.Is(err, audio.ErrNotOurs) {
		return "", 0, false, nil
	}
	return wav, length, true, goneFor(err)
}

// PutDraft implements ivr.Recordings.
func (r recordings) PutDraft(ctx context.Context, file string, n ivr.Note) (id string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	rec, err := r.store.PutDraft(ctx, f, r.meta(n.User, n.Name, n.Part))
	return rec.ID, err
}

// Draft implements ivr.Recordings.
func (r recordings) Draft(ctx context.Context, id string) (wav string, length time.Duration, err error) {
	wav, length, err = r.store.DraftFile(ctx, id)
	return wav, length, goneFor(err)
}

// SendDraft implements ivr.Recordings.
func (r recordings) SendDraft(ctx context.Context, id string, n ivr.Note) (im.Attachment, error) {
	rec, err := r.store.SendDraft(ctx, id, r.meta(n.User, n.Name, n.Part))
	return attachment(rec), goneFor(err)
}

// DropDraft implements ivr.Recordings.
func (r recordings) DropDraft(ctx context.Context, id string) error {
	if err := r.store.DropDraft(ctx, id); !errors.Is(err, audio.ErrNotFound) {
		return err
	}
	return nil
}

// spoken lets the web door keep what is recorded in a browser.
type spoken struct {
	store *audio.Store
	audioConfig
}

var _ web.Recordings = spoken{}

// Put implements web.Recordings.
func (s spoken) Put(ctx context.Context, wav io.Reader, user, name string) (im.Attachment, error) {
	rec, err := s.store.Put(ctx, wav, s.meta(user, name, false))
	return attachment(rec), err
}

// Revoke implements web.Recordings.
func (s spoken) Revoke(ctx context.Context, url string) error { return s.store.Revoke(ctx, url) }

// meta is what the store is told about a recording: who spoke it, how listeners may call him, whether it was cut short.
func (a audioConfig) meta(user, name string, part bool) audio.Meta {
	if !a.Sender {
		name = ""
	}
	return audio.Meta{Owner: user, From: name, Part: part, MaxPlays: a.Plays}
}

// attachment is how a recording travels in a message.
func attachment(r audio.Recording) im.Attachment {
	return im.Attachment{URL: r.URL, Type: r.Type, Seconds: r.Duration.Seconds(), Size: r.Size, Title: r.Name(), Waveform: r.Waveform}
}

// goneFor says in the dialogue's words that a recording is not there any more.
func goneFor(err error) error {
	if errors.Is(err, audio.ErrGone) || errors.Is(err, audio.ErrNotFound) {
		return errors.Join(ivr.ErrGone, err)
	}
	return err
}
