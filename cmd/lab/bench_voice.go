package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hark/db"
	"hark/internal/sipphone"
	"hark/sessions"
)

const (
	messageRate  = 5.0
	messageCalls = 40
	spoken       = 5 * time.Second
)

// voiceMessages compares a voice message of 5 s, recorded, encoded, linked and sent, with VoiceMail().
func (s *system) voiceMessages(ctx context.Context, l *lab, v voice, users []user) (figures []figure, err error) {
	from, to := users[:messageCalls], users[messageCalls:2*messageCalls]
	recipient := map[string]string{}
	for i, u := range from {
		recipient[u.Number] = to[i].Number
	}
	sent, err := v.speaker.Say(ctx, "en", "sent", nil)
	if err != nil {
		return nil, err
	}
	sounds := filepath.Join(s.asterisk.Dir, "data", "sounds", "en")
	speech := sipphone.Tone(440, spoken)
	long := func(u user) []step { return leaveMessage(u, recipient[u.Number], speech) }
	alone := round{number: voiceMailNumber, users: from, script: func(user) []step { return justSpeak(speech) }, last: filepath.Join(sounds, "auth-thankyou.wav")}
	mail := round{number: longMailNumber, users: from, script: long, last: filepath.Join(sounds, "vm-opts.wav")}
	hark := round{number: s.asterisk.Number, users: from, script: long, last: sent.File}

	var results []result
	for _, r := range []round{alone.at("VoiceMail() alone", messageRate, messageCalls),
		mail.at("Read() and VoiceMail()", messageRate, messageCalls), hark.at("Hark, voice message", messageRate, messageCalls)} {
		got, err := s.call(ctx, l, r)
		if err != nil {
			return figures, err
		}
		results = append(results, got)
	}
	arrived, err := s.waiting(ctx, to)
	if err != nil {
		return nil, err
	}
	results[2].heard = min(results[2].heard, arrived)
	return messageFigures(results[0], results[1], results[2]), nil
}

// messageFigures holds Hark's message against VoiceMail()'s.
func messageFigures(alone, mail, hark result) (figures []figure) {
	own, theirs := hark.perCall().switchboard(), mail.perCall().switchboard()
	for _, r := range []result{alone, mail, hark} {
		f := r.figures()
		if r.name == hark.name {
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
	return []step{listen(time.Second), speak(speech), press("#"), listen(700 * time.Millisecond)}
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
		n, _, err := store.Waiting(ctx, u.Number, "phone")
		if err != nil {
			return 0, err
		}
		count += n
	}
	return count, nil
}
