package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/internal/wav"
)

// A round is many calls alike, at a steady rate, each from a user of its own.
type round struct {
	name   string
	number string // the extension that is called
	rate   float64
	calls  int
	users  []user // in turn
	script func(user) []step
	last   string // the sound file in which each call ends; "" looks for none
}

// A result is what a round cost, and how quick the answers were.
type result struct {
	sipphone.Stats
	round
	heard int // calls that ended in the sound that they were to end in
	cpu   usage
	load  string // the machine's load average at the end
}

// usage is the CPU time of each of the three programs.
type usage struct{ asterisk, hark, caller time.Duration }

func (u usage) minus(v usage) usage {
	return usage{u.asterisk - v.asterisk, u.hark - v.hark, u.caller - v.caller}
}

// switchboard is what the calls under test cost: everything but the callers.
func (u usage) switchboard() time.Duration { return u.asterisk + u.hark }

// perCall is the share of one call.
func (r result) perCall() usage {
	n := time.Duration(max(r.Calls, 1))
	return usage{r.cpu.asterisk / n, r.cpu.hark / n, r.cpu.caller / n}
}

// whole is how many calls were complete in every respect.
func (r result) whole() int {
	if r.last == "" {
		return r.Complete
	}
	return min(r.Complete, r.heard)
}

// call makes the calls of a round and tells how it went.
func (s *system) call(ctx context.Context, l *lab, r round) (result, error) {
	before, err := s.usage()
	if err != nil {
		return result{}, err
	}
	ends := &endings{heard: map[int][]int16{}}
	stats, err := sipphone.Load(ctx, sipphone.LoadOptions{
		Options: sipphone.Options{To: s.extension(r.number)}, Rate: r.rate, Calls: r.calls,
		Each: func(n int) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
			return s.caller(r, ends, n)
		},
	})
	if err != nil {
		return result{}, err
	}
	after, err := s.settled(ctx)
	if err != nil {
		return result{}, err
	}
	res := result{Stats: stats, round: r, cpu: after.minus(before), load: loadAverage()}
	if res.heard, err = ends.count(r.last); err != nil {
		return result{}, err
	}
	if unheard := res.Complete - res.whole(); unheard > 0 {
		res.Errors["the last prompt was not heard"] = unheard
	}
	l.tell("calls: %s", res)
	return res, context.Cause(ctx)
}

// String is the round in one line.
func (r result) String() string {
	cpu := r.perCall()
	text := fmt.Sprintf("%s: %d of %d complete; CPU a call: Asterisk %s, Hark %s, caller %s ms; answer p50 %s p99 %s, first sound p50 %s p99 %s ms; load %s",
		r.name, r.whole(), r.Calls, ms(cpu.asterisk), ms(cpu.hark), ms(cpu.caller),
		ms(r.Answer.P50), ms(r.Answer.P99), ms(r.FirstRTP.P50), ms(r.FirstRTP.P99), r.load)
	for _, why := range r.reasons() {
		text += "\n          " + why
	}
	return text
}

// reasons tells why calls were not complete, and how many for each reason, the commonest first.
func (r result) reasons() (list []string) {
	causes := slices.SortedFunc(maps.Keys(r.Errors), func(a, b string) int {
		return cmp.Or(r.Errors[b]-r.Errors[a], strings.Compare(a, b))
	})
	for _, cause := range causes {
		list = append(list, fmt.Sprintf("%d × %s", r.Errors[cause], cause))
	}
	return list
}

func (s *system) extension(number string) string {
	return fmt.Sprintf("sip:%s@%s", number, s.asterisk.SIPAddr)
}

// caller is call n of a round. It keeps the end of what it heard.
func (s *system) caller(r round, ends *endings, n int) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
	u := r.users[n%len(r.users)]
	o := sipphone.Options{To: s.extension(r.number), CallerID: u.callerID(), Quiet: true, Lazy: true, Deaf: r.last == ""}
	return o, func(ctx context.Context, call *sipphone.Call) error {
		for _, do := range r.script(u) {
			if err := do(ctx, call); err != nil {
				return err
			}
		}
		if r.last != "" {
			ends.keep(n, call.Heard())
		}
		return nil
	}
}

// usage reads what each program has used since its start.
func (s *system) usage() (u usage, err error) {
	asterisk, err := s.asterisk.Usage()
	if err != nil {
		return u, err
	}
	hark, err := testbed.UsageOf(s.hark.Process.Pid)
	if err != nil {
		return u, err
	}
	self, err := testbed.UsageOf(os.Getpid())
	return usage{asterisk.CPU, hark.CPU, self.CPU}, err
}

// settled waits until nothing of the calls goes on any more, at most 5 s, and reads the usage.
func (s *system) settled(ctx context.Context) (usage, error) {
	deadline := time.Now().Add(5 * time.Second)
	for last, still := (usage{}), 0; ; {
		now, err := s.usage()
		if err != nil || now.switchboard()-last.switchboard() > 10*time.Millisecond {
			last, still = now, 0
		} else {
			still++
		}
		if err != nil || still == 3 || time.Now().After(deadline) {
			return now, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return now, context.Cause(ctx)
		}
	}
}

// endings are the last seconds of what the callers heard. They are looked at after the round: that takes time.
type endings struct {
	mu    sync.Mutex
	heard map[int][]int16
}

func (e *endings) keep(n int, heard []int16) {
	const part = 6 * sipphone.Rate
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard[n] = heard[max(0, len(heard)-part):]
}

// count counts in how many the beginning of a sound file is.
func (e *endings) count(file string) (found int, err error) {
	if file == "" {
		return 0, nil
	}
	clip, err := wav.Read(file)
	if err != nil {
		return 0, err
	}
	matcher := sipphone.NewMatcher(clip.Samples[:min(len(clip.Samples), sipphone.Rate*3/4)])
	for _, heard := range e.heard {
		if _, _, ok := matcher.First(heard, sipphone.MatchScore); ok {
			found++
		}
	}
	return found, nil
}

// A step is what a caller does next.
type step func(context.Context, *sipphone.Call) error

func press(keys string) step {
	return func(ctx context.Context, call *sipphone.Call) error { return call.Press(ctx, keys) }
}

func speak(samples []int16) step {
	return func(ctx context.Context, call *sipphone.Call) error { return call.SpeakPCM(ctx, samples) }
}

// listen lets time pass, and fails when the call ends in it.
func listen(d time.Duration) step {
	return func(ctx context.Context, call *sipphone.Call) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-call.Done():
			return call.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
