package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"hark/internal/testbed"
)

// The rates of the login calls.
const (
	slow, fast, fastest = 25.0, 80.0, 120.0 // calls a second

	callers = 600 // so many that nobody calls again before the own last call is over

	firstRate  = 10.0 // what one CPU can hash of PINs, and some rest
	firstCalls = 100

	// The numbers of asterisk-conf/bench.
	readNumber      = "7100"
	voiceMailNumber = "7101"
	longMailNumber  = "7103"
)

// paces are how many calls are made at each of the rates.
var paces = []struct {
	rate  float64
	calls int
}{{slow, 500}, {fast, 800}, {fastest, 600}}

// measureCalls measures Hark's calls beside the same calls in Asterisk's dialplan alone.
func measureCalls(ctx context.Context, l *lab) (figures []figure, err error) {
	l.tell("calls: making %d accounts", callers)
	s, err := l.startWith(ctx, setup{agi: true, asterisk: &testbed.AsteriskOptions{
		Bench: true, LogLevels: "notice,warning,error", Codecs: "ulaw,alaw",
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	users, err := s.addUsers(ctx, callers, nil)
	if err != nil {
		return nil, err
	}
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	v, err := newVoice(ctx, speechCache(s.dir))
	if err != nil {
		return nil, err
	}
	logins, err := s.loginCalls(ctx, l, v, users)
	if err != nil {
		return logins, err
	}
	messages, err := s.voiceMessages(ctx, l, v, users)
	return append(logins, messages...), err
}

// loginCalls compares login calls, at all rates.
func (s *system) loginCalls(ctx context.Context, l *lab, v voice, users []user) (figures []figure, err error) {
	home, err := v.speaker.Say(ctx, "en", "home.none", nil)
	if err != nil {
		return nil, err
	}
	hark := round{number: s.asterisk.Number, users: users, script: loginCall, last: home.File}
	first := hark.at("Hark, first login", firstRate, firstCalls)
	first.script = firstCall
	begun, err := s.call(ctx, l, first)
	if err != nil {
		return nil, err
	}
	if err := s.login(ctx, users); err != nil { // whoever did not come through just now as well
		return nil, err
	}
	figures = append(figures, begun.figures().list()...)
	for _, pace := range paces {
		more, err := s.sideBySide(ctx, l, hark, pace.rate, pace.calls)
		if err != nil {
			return figures, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// sideBySide makes the same calls, one kind after the other: to Read() in the dialplan alone, to Hark over FastAGI, and to
// Hark over ARI, which is held against Read().
func (s *system) sideBySide(ctx context.Context, l *lab, hark round, rate float64, calls int) (figures []figure, err error) {
	read, agi := hark, hark
	read.number, agi.number = readNumber, agiNumber
	read.last = filepath.Join(s.asterisk.Dir, "data", "sounds", "en", "vm-youhave.wav")
	alone, err := s.call(ctx, l, read.at("Read()", rate, calls))
	if err != nil {
		return nil, err
	}
	other, err := s.call(ctx, l, agi.at("Hark over FastAGI", rate, calls))
	if err != nil {
		return nil, err
	}
	later, err := s.call(ctx, l, hark.at("Hark, later login", rate, calls))
	if err != nil {
		return nil, err
	}
	figures = append(alone.figures().list(), other.figures().list()...)
	return append(figures, later.against(alone).list()...), nil
}

// The aims.
const (
	costAim   = 1.15                 // times the CPU of the Read() call
	ownAim    = 2 * time.Millisecond // Hark's own CPU
	answerAim = 15 * time.Millisecond
	promptAim = 5 * time.Millisecond
)

// against holds a round of Hark's against the same calls in the dialplan.
func (r result) against(alone result) roundFigures {
	f := r.figures()
	times := float64(r.perCall().switchboard()) / float64(max(alone.perCall().switchboard(), 1))
	f.cpu.reached += fmt.Sprintf(", %.2f × Read()", times)
	f.cpu = f.cpu.against(fmt.Sprintf("≤ %.2f × Read()", costAim), times <= costAim)
	f.own = measured(r.name+": Hark's own CPU a call", "%s ms", ms(r.perCall().hark)).
		against("≤ "+ms(ownAim)+" ms", r.perCall().hark <= ownAim)
	f.complete = f.complete.against("all", r.whole() == r.Calls)
	f.prompt = f.prompt.against("p50 ≤ 5 ms", r.FirstRTP.P50 <= promptAim)
	if r.rate == fast {
		f.answer = f.answer.against("p99 ≤ 15 ms", r.Answer.P99 <= answerAim)
	}
	return f
}

// roundFigures are the figures of one round; own is only there of Hark's that are held against others.
type roundFigures struct{ complete, machine, cpu, own, answer, prompt figure }

func (f roundFigures) list() []figure {
	list := []figure{f.complete, f.machine, f.cpu, f.own, f.answer, f.prompt}
	return slices.DeleteFunc(list, func(f figure) bool { return f.what == "" })
}

// figures are those of the round, without aims.
func (r result) figures() roundFigures {
	cpu := r.perCall()
	return roundFigures{
		complete: measured(r.name+": complete", "%s", strings.Join(append([]string{fmt.Sprintf("%d of %d", r.whole(), r.Calls)}, r.reasons()...), "; ")),
		machine: measured(r.name+": the machine", "%.1f of %d CPUs wanted, the callers' share with it; load average %s",
			(cpu.switchboard()+cpu.caller).Seconds()*r.rate, runtime.NumCPU(), r.load),
		cpu: measured(r.name+": CPU a call", "Asterisk %s + Hark %s = %s ms (caller %s)",
			ms(cpu.asterisk), ms(cpu.hark), ms(cpu.switchboard()), ms(cpu.caller)),
		answer: measured(r.name+": answer", "p50 %s, p99 %s ms", ms(r.Answer.P50), ms(r.Answer.P99)),
		prompt: measured(r.name+": first prompt after the answer", "p50 %s, p99 %s ms", ms(r.FirstRTP.P50), ms(r.FirstRTP.P99)),
	}
}

// at is the round at a rate.
func (r round) at(name string, rate float64, calls int) round {
	r.name, r.rate, r.calls = fmt.Sprintf("%s, %.0f/s", name, rate), rate, calls
	return r
}

// loginCall is what a caller does who looks whether there is anything new: number, PIN, the home prompt.
func loginCall(u user) []step {
	return []step{
		listen(300 * time.Millisecond), press(u.Number),
		listen(200 * time.Millisecond), press(u.PIN),
		listen(time.Second),
	}
}

// firstCall is the same, by a caller who waits longer: the PIN is hashed, and there may be a queue for that.
func firstCall(u user) []step { return append(loginCall(u), listen(3*time.Second)) }
