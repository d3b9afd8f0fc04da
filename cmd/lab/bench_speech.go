package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/im"
	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/internal/wav"
	"hark/presence"
	"hark/presence/wire"
)

const (
	pressers     = 10   // callers who press keys and listen how soon that is answered
	pressRate    = 0.75 // of their calls, a second
	pressedKeys  = 6    // messages that wait for each of them
	listeners    = 100  // callers who listen all at once
	listenRate   = 10.0
	listenTime   = time.Minute
	longMessages = 9 // of some ten seconds

	clears = 3 // times that a presser begins anew

	frame        = 20 * time.Millisecond
	frameSamples = sipphone.Rate / 50
	loud         = 300 // mean amplitude of what counts as sound

	gapAim     = 3 * frame
	silenceAim = frame
	speechAim  = 700 * time.Millisecond
)

// measureSpeech measures what callers hear: how soon a key silences Hark, and how soon it is answered; and whether the
// sound holds out when many listen at once.
func measureSpeech(ctx context.Context, l *lab) (figures []figure, err error) {
	l.tell("speech: making %d accounts", pressers+listeners)
	s, err := l.startWith(ctx, setup{cold: true, asterisk: &testbed.AsteriskOptions{LogLevels: "notice,warning,error", Codecs: "ulaw,alaw"}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	users, err := s.addUsers(ctx, pressers+listeners, nil)
	if err != nil {
		return nil, err
	}
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	if err := s.writeAll(ctx, users[:pressers], pressedKeys, uniqueText); err != nil {
		return nil, err
	}
	if err := s.writeAll(ctx, users[pressers:], longMessages, func(_, n int) string { return longText(n) }); err != nil {
		return nil, err
	}
	keys, err := s.keyFigures(ctx, l, users[:pressers])
	if err != nil {
		return keys, err
	}
	crowd, err := s.crowd(ctx, l, users[pressers:])
	return append(keys, crowd...), err
}

// uniqueText is a text of some ten words that was never rendered.
func uniqueText(user, n int) string {
	things := []string{"train", "letter", "garden", "window", "doctor", "kitchen", "island", "market", "teacher", "river", "summer", "bottle"}
	return fmt.Sprintf("This is about the %s number %d, and you had asked me for the %s before.",
		things[user%len(things)], 100+user*pressedKeys+n, things[(user+n+1)%len(things)])
}

// longText takes some ten seconds to say.
func longText(n int) string {
	return fmt.Sprintf("Part %d of the story. ", n+1) +
		strings.Repeat("The old man walked down to the harbour, and looked at the boats that had come in with the morning tide. ", 2)
}

// writeAll has each user write to the next one, and leaves all of them with a session.
func (s *system) writeAll(ctx context.Context, users []user, messages int, text func(user, n int) string) error {
	dialer := &presence.Dialer{Home: "hark://" + s.presence}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for i, u := range users {
		to := im.Address{Network: im.Hark, ID: users[(i+1)%len(users)].Number}
		group.Go(func() error {
			client, _, err := dialer.Login(ctx, wire.LoginRequest{User: u.Number, PIN: u.PIN, Client: "phone", Caller: u.callerID()})
			if err != nil {
				return err
			}
			for n := range messages {
				if _, err := client.Send(ctx, wire.SendRequest{ID: fmt.Sprintf("bench-%d-%d", i, n), To: to, Body: text(i, n)}); err != nil {
					return errors.Join(err, client.Close())
				}
			}
			return client.Close()
		})
	}
	return group.Wait()
}

// A stopwatch listens to a call: when sound came in, and whether it was loud.
type stopwatch struct {
	mu      sync.Mutex
	packets []packetHeard
}

type packetHeard struct {
	at   time.Time
	loud bool
}

// hear is sipphone's Options.Sound.
func (w *stopwatch) hear(at time.Time, samples []int16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets = append(w.packets, packetHeard{at, loudness(samples) > loud})
}

// loudness is the mean amplitude.
func loudness(samples []int16) int {
	sum := 0
	for _, v := range samples {
		sum += max(int(v), -int(v))
	}
	return sum / max(1, len(samples))
}

// silence tells how long after a moment the sound went on that was to be heard at that moment. ok is false when there
// was none. The sound has ended when nothing loud comes for three frames.
func (w *stopwatch) silence(at time.Time) (after time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := at.Add(-2 * frame)
	for _, p := range w.packets {
		switch {
		case !p.loud || p.at.Before(at.Add(-2*frame)):
		case p.at.Sub(last) > 3*frame:
			return max(0, last.Sub(at)), ok
		default:
			last, ok = p.at, true
		}
	}
	return max(0, last.Sub(at)), ok
}

// gap is the longest time between two packets in a span of time.
func (w *stopwatch) gap(from, to time.Time) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last time.Time
	for _, p := range w.packets {
		if p.at.Before(from) || p.at.After(to) {
			continue
		}
		if !last.IsZero() {
			longest = max(longest, p.at.Sub(last))
		}
		last = p.at
	}
	return longest
}

// reactions are what the keys of all callers were answered with.
type reactions struct {
	mu      sync.Mutex
	silence []time.Duration
	answers []answers
}

// answers are what one caller heard, and when in it the keys were pressed that ask for the next message.
type answers struct {
	keys  []time.Duration
	heard []int16
}

func (r *reactions) silenced(d time.Duration, ok bool) {
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silence = append(r.silence, d)
}

func (r *reactions) answered(a answers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, a)
}

// speech tells how long after each key the first word of a message was heard, by looking for the sound of every message.
func (r *reactions) speech(ctx context.Context, v voice, users int) (list []time.Duration, err error) {
	for user := range users {
		for n := range pressedKeys {
			matcher, lead, err := v.beginning(ctx, uniqueText(user, n))
			if err != nil {
				return nil, err
			}
			for _, a := range r.answers {
				list = a.found(list, matcher, lead)
			}
		}
	}
	return list, nil
}

// beginning makes a matcher for the first second of a text, and tells after how long its first word begins.
func (v voice) beginning(ctx context.Context, text string) (*sipphone.Matcher, time.Duration, error) {
	clip, err := v.speaker.SayText(ctx, "en", text)
	if err != nil {
		return nil, 0, err
	}
	sound, err := wav.Read(clip.File)
	if err != nil {
		return nil, 0, err
	}
	lead := 0
	for lead+frameSamples < len(sound.Samples) && loudness(sound.Samples[lead:lead+frameSamples]) <= loud {
		lead += frameSamples
	}
	return sipphone.NewMatcher(sound.Samples[:min(len(sound.Samples), 2*sipphone.Rate)]), at(lead), nil
}

// found adds to a list how long a message took to come, if the caller heard it after one of the keys.
func (a answers) found(list []time.Duration, m *sipphone.Matcher, lead time.Duration) []time.Duration {
	where, _, ok := m.First(a.heard, sipphone.MatchScore)
	if !ok {
		return list
	}
	begun := at(where) + lead
	for _, key := range slices.Backward(a.keys) {
		if key < begun {
			return append(list, begun-key)
		}
	}
	return list
}

// at is the time of a sample.
func at(sample int) time.Duration { return time.Duration(sample) * time.Second / sipphone.Rate }

// keyFigures has callers press keys into what they hear. In the first round no text was rendered before; in the second
// the same messages are heard again: what is skipped stays new.
func (s *system) keyFigures(ctx context.Context, l *lab, users []user) (figures []figure, err error) {
	own, err := newVoice(ctx, filepath.Join(s.dir, "own-speech"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.speaker.Close()) }()
	var silence []time.Duration
	for _, name := range []string{"cold", "warm"} {
		r := &reactions{}
		stats, err := sipphone.Load(ctx, sipphone.LoadOptions{
			Options: sipphone.Options{To: s.extension(s.asterisk.Number)}, Rate: pressRate, Calls: len(users), Limit: 2 * time.Minute,
			Each: func(n int) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
				return s.presser(users[n], n, r)
			},
		})
		if err != nil {
			return figures, err
		}
		speech, err := r.speech(ctx, own, len(users))
		if err != nil {
			return figures, err
		}
		p99 := percentile(speech, 99)
		l.tell("speech: %s cache: %d of %d calls complete, %d keys; load %s %v", name, stats.Complete, stats.Calls, len(speech), loadAverage(), stats.Errors)
		f := measured("key to speech, "+name+" cache", "p50 %s, p99 %s ms (%d keys)", ms(percentile(speech, 50)), ms(p99), len(speech))
		figures = append(figures, f.against("p99 ≤ 700 ms", p99 <= speechAim && len(speech) > 0))
		silence = append(silence, r.silence...)
	}
	p99 := percentile(silence, 99)
	return append(figures, measured("digit to silence", "p50 %s, p99 %s ms (%d keys)", ms(percentile(silence, 50)), ms(p99), len(silence)).
		against("≤ one frame, 20 ms", p99 <= silenceAim && len(silence) > 0)), nil
}

// presser is caller n of a round, who begins to key into the first prompt, some times, never at the same word, and then
// goes from message to message, and beyond the last one.
func (s *system) presser(u user, n int, r *reactions) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
	w := &stopwatch{}
	o := sipphone.Options{To: s.extension(s.asterisk.Number), CallerID: u.callerID(), Sound: w.hear}
	return o, func(ctx context.Context, call *sipphone.Call) error {
		key := func(keys string, then time.Duration) error {
			return errors.Join(press(keys)(ctx, call), listen(then)(ctx, call))
		}
		for i := range clears {
			word := time.Second + time.Duration(n*clears+i)*37*time.Millisecond
			if err := errors.Join(listen(word)(ctx, call), key(u.Number[:1], 300*time.Millisecond)); err != nil {
				return err
			}
			r.silenced(w.silence(call.LastKey()))
			if err := key("*", 0); err != nil { // clears the digit, and the prompt begins again
				return err
			}
		}
		if err := errors.Join(key(u.Number, 1500*time.Millisecond), key(u.PIN, 3*time.Second), key("1", 2500*time.Millisecond)); err != nil {
			return err
		}
		var keys []time.Duration
		for range pressedKeys {
			if err := key("#", 2500*time.Millisecond); err != nil {
				return err
			}
			keys = append(keys, call.LastKey().Sub(call.Began()))
		}
		r.answered(answers{keys, call.Heard()})
		return nil
	}
}

// crowd has many callers hear messages at once.
func (s *system) crowd(ctx context.Context, l *lab, users []user) ([]figure, error) {
	before, err := s.inside(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var gaps []time.Duration
	half := make(chan insideHark, 1)
	timer := time.AfterFunc(time.Duration(float64(len(users))/listenRate)*time.Second+listenTime/2, func() {
		if in, err := s.inside(ctx); err == nil {
			half <- in
		}
	})
	defer timer.Stop()
	stats, err := sipphone.Load(ctx, sipphone.LoadOptions{
		Options: sipphone.Options{To: s.extension(s.asterisk.Number)}, Rate: listenRate, Calls: len(users), Limit: 3 * time.Minute,
		Each: func(n int) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
			return s.listener(users[n], func(d time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				gaps = append(gaps, d)
			})
		},
	})
	if err != nil {
		return nil, err
	}
	within := <-half
	l.tell("speech: %d of %d callers heard messages for %v; load %s %v", stats.Complete, stats.Calls, listenTime, loadAverage(), stats.Errors)
	n := int64(len(users))
	worst := percentile(gaps, 100)
	name := fmt.Sprintf("%d calls at once, a minute of messages each", len(users))
	return []figure{
		measured(name+": complete", "%d of %d, %d packets lost", stats.Complete, stats.Calls, stats.Lost).against("all", stats.Complete == stats.Calls),
		measured(name+": largest gap in a caller's RTP", "p50 %s, worst %s ms", ms(percentile(gaps, 50)), ms(worst)).
			against("≤ 60 ms", len(gaps) == stats.Calls && worst <= gapAim),
		measured(name+": goroutines a call", "%.1f", float64(within.goroutines-before.goroutines)/float64(n)),
		measured(name+": memory a call", "%s", kib((within.rss-before.rss)/n)),
	}, nil
}

// listener is a caller who hears messages for a minute.
func (s *system) listener(u user, gap func(time.Duration)) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
	w := &stopwatch{}
	o := sipphone.Options{To: s.extension(s.asterisk.Number), CallerID: u.callerID(), Sound: w.hear}
	return o, func(ctx context.Context, call *sipphone.Call) error {
		for _, do := range []step{listen(300 * time.Millisecond), press(u.Number), listen(200 * time.Millisecond), press(u.PIN), listen(3 * time.Second), press("1"), listen(time.Second)} {
			if err := do(ctx, call); err != nil {
				return err
			}
		}
		from := time.Now()
		err := listen(listenTime)(ctx, call)
		gap(w.gap(from, time.Now()))
		return err
	}
}

// insideHark is what Hark tells of itself at SIGUSR1.
type insideHark struct {
	goroutines, rss int64
}

var goroutinesLogged = regexp.MustCompile(`msg=memory .*goroutines=(\d+)`)

// inside has Hark collect its garbage and tell how many goroutines it has, and looks at its memory.
func (s *system) inside(ctx context.Context) (in insideHark, err error) {
	said, err := s.sayMemory(ctx)
	if err != nil {
		return in, err
	}
	match := goroutinesLogged.FindStringSubmatch(said)
	if match == nil {
		return in, fmt.Errorf("hark does not tell its goroutines: %q", said)
	}
	in.goroutines, _ = strconv.ParseInt(match[1], 10, 64) // only digits match
	hark, err := testbed.UsageOf(s.hark.Process.Pid)
	in.rss = hark.RSS
	return in, err
}

// sayMemory sends SIGUSR1 and returns what Hark logs from then on, once it has told its memory.
func (s *system) sayMemory(ctx context.Context) (string, error) {
	before, err := s.logged()
	if err != nil {
		return "", err
	}
	if err := s.hark.Process.Signal(syscall.SIGUSR1); err != nil {
		return "", err
	}
	if err := s.awaitLog(ctx, len(before), "msg=memory"); err != nil {
		return "", err
	}
	after, err := s.logged()
	return after[min(len(before), len(after)):], err
}
