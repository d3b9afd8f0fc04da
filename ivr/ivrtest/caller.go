package ivrtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hark/internal/wav"
)

// The caller's end of a Line.
var _ Phone = (*Line)(nil)

// Hear implements Phone.
func (l *Line) Hear(ctx context.Context, text string, out bool) error {
	for {
		list, changed := l.Transcript()
		for i := l.found; i < len(list); i++ {
			if h := list[i]; !h.Event && strings.Contains(h.Text, text) && (h.Out || !out) {
				l.found = i + 1
				return nil
			}
		}
		if l.Over() {
			return errors.New("not heard before the call ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("not heard")
		}
	}
}

// Say implements Phone.
func (l *Line) Say(ctx context.Context, what string) error {
	d, samples, err := speech(what)
	if err != nil {
		return err
	}
	for {
		on, changed := l.Recording()
		if on {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("nothing is recorded")
		}
	}
	l.Talk(d, samples)
	return sleep(context.WithoutCancel(ctx), d)
}

// speech is what is said: a murmur of some length, or a WAV file.
func speech(what string) (time.Duration, []int16, error) {
	if d, err := time.ParseDuration(what); err == nil {
		return d, nil, nil
	}
	sound, err := wav.Read(what)
	if err == nil && sound.Rate != rate {
		err = fmt.Errorf("%s has %d Hz, not %d", what, sound.Rate, rate)
	}
	return time.Duration(len(sound.Samples)) * time.Second / rate, sound.Samples, err
}

// Ended implements Phone.
func (l *Line) Ended(ctx context.Context) error {
	for {
		_, changed := l.Transcript()
		if l.Over() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("the call goes on")
		}
	}
}

// Heard implements Phone.
func (l *Line) Heard(text string) (words string, yes bool) {
	list, _ := l.Transcript()
	for _, h := range list {
		if !h.Event && strings.Contains(h.Text, text) {
			return h.Text, true
		}
	}
	return "", false
}
