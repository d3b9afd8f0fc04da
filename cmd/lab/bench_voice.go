package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hark/db"
	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/prompts"
	"hark/sessions"
)

const (
	messageRate  = 5.0
	messageCalls = 40
	spoken       = 5 * time.Second
)

// voiceMessages compares a voice message of 5 s, recorded, encoded, linked and sent, with VoiceMail().
func (s *system) voiceMessages(ctx context.Context, l *lab, v voice, users []user) ([]figure, error) {
	from, to := users[:messageCalls], users[messageCalls:2*messageCalls]
	rounds, err := s.messageRounds(ctx, v, from, to)
	if err != nil {
		return nil, err
	}
	var results []result
	for _, r := range rounds {
		got, err := s.call(ctx, l, r)
		if err != nil {
			return nil, err
		}
		results = append(results, got)
	}
	arrived, err := s.waiting(ctx, to)
	if err != nil {
		return nil, err
	}
	hark := &results[len(results)-1]
	hark.heard = min(hark.heard, arrived)
	return messageFigures(results), nil
}

// messageRounds are VoiceMail() alone, VoiceMail() behind as many keys as Hark's call has, and Hark.
func (s *system) messageRounds(ctx context.Context, v voice, from, to []user) ([]round, error) {
	speech, err := v.speech(ctx, spoken)
	if err != nil {
		return nil, err
	}
	sent, err := v.speaker.Say(ctx, "en", "sent", nil)
	if err != nil {
		return nil, err
	}
	recipient := map[string]string{}
	for i, u := range from {
		recipient[u.Number] = to[i].Number
		// A number is synthesised when it is spoken for the first time ever; that is not what is measured here.
		if _, err := v.speaker.Say(ctx, "en", "who.number", prompts.Args{"number": prompts.Digits(to[i].Number)}); err != nil {
			return nil, err
		}
	}
	sounds := filepath.Join(s.asterisk.Dir, "data", "sounds", "en")
	long := func(u user) []step { return leaveMessage(u, recipient[u.Number], speech) }
	alone := round{number: voiceMailNumber, users: from, script: func(user) []step { return justSpeak(speech) },
		last: filepath.Join(sounds, "auth-thankyou.wav")}
	keyed := round{number: longMailNumber, users: from, script: long, last: filepath.Join(sounds, "vm-opts.wav")}
	hark := round{number: s.asterisk.Number, users: from, script: long, last: sent.File}
	return []round{
		alone.at("VoiceMail() alone", messageRate, messageCalls),
		keyed.at("Read() and VoiceMail()", messageRate, messageCalls),
		hark.at("Hark, voice message", messageRate, messageCalls),
	}, nil
}

// speech is something spoken, of a length.
func (v voice) speech(ctx context.Context, long time.Duration) (samples []int16, err error) {
	clip, err := v.speaker.SayText(ctx, "en", "This is what somebody says to somebody who is not there at the moment.")
	if err != nil {
		return nil, err
	}
	sound, err := wav.Read(clip.File)
	if err != nil {
		return nil, err
	}
	need := int(long.Seconds() * sipphone.Rate)
	for len(samples) < need {
		samples = append(samples, sound.Samples...)
	}
	return samples[:need], nil
}

// messageFigures holds Hark's message, the last result, against VoiceMail()'s behind as many keys, the one before.
func messageFigures(results []result) (figures []figure) {
	last := len(results) - 1
	own, theirs := results[last].perCall().switchboard(), results[last-1].perCall().switchboard()
	for i, r := range results {
		f := r.figures()
		if i == last {
			f.cpu = f.cpu.against(fmt.Sprintf("≤ VoiceMail() %s ms", ms(theirs)), own <= theirs)
			f.complete = f.complete.against("all", r.whole() == r.Calls)
		}
		figures = append(figures, f.complete, f.cpu)
	}
	return figures
}

// leaveMessage is what a caller does who logs in and leaves a voice message for a user.
func leaveMessage(u user, to string, speech []int16) []step {
	const pause = 300 * time.Millisecond
	return []step{
		listen(pause), press(u.Number),
		listen(pause), press(u.PIN),
		listen(pause), press("2"),
		listen(pause), press(to),
		listen(pause), press("1"),
		listen(pause), press("1"), // interrupts the prompt
		listen(time.Second), speak(speech), press("#"),
		listen(pause), press("1"),
		listen(1500 * time.Millisecond),
	}
}

// justSpeak is what a caller of VoiceMail() does.
func justSpeak(speech []int16) []step {
	return []step{listen(time.Second), speak(speech), press("#"), listen(1500 * time.Millisecond)}
}

// waiting counts the messages that wait for users.
func (s *system) waiting(ctx context.Context, users []user) (count int, err error) {
	at, err := openStores(ctx, s.database(), s.keys(), db.Admin)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, at.db.Close()) }()
	store := sessions.Open(at.db, nil)
	defer func() { err = errors.Join(err, store.Close()) }()
	for _, u := range users {
		w, err := store.Waiting(ctx, u.Number, "phone")
		if err != nil {
			return 0, err
		}
		count += w.Count
	}
	return count, nil
}
