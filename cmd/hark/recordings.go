package main

import (
	"context"
	"errors"

	"hark/audio"
	"hark/im"
	"hark/ivr"
)

// recordings lets the dialogue keep voice messages in the audio store.
type recordings struct{ store *audio.Store }

// Put implements ivr.Recordings.
func (r recordings) Put(ctx context.Context, file string, n ivr.Note) (im.Attachment, error) {
	rec, err := r.store.PutFile(ctx, file, audio.Meta{Owner: n.User, From: n.Name})
	if err != nil {
		return im.Attachment{}, err
	}
	return im.Attachment{URL: rec.URL, Type: rec.Type, Seconds: rec.Duration.Seconds(), Size: rec.Size, Title: rec.Title, Waveform: rec.Waveform}, nil
}

// Local implements ivr.Recordings.
func (r recordings) Local(ctx context.Context, url string) (wav string, seconds float64, ok bool, err error) {
	wav, duration, err := r.store.Local(ctx, url)
	if errors.Is(err, audio.ErrNotOurs) {
		return "", 0, false, nil
	}
	return wav, duration.Seconds(), true, err
}

// Drop implements ivr.Recordings.
func (r recordings) Drop(ctx context.Context, url string) error { return r.store.Revoke(ctx, url) }
