package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/ivr/ivrtest"
	"hark/prompts"
	"hark/vxml"
	vxmlfetch "hark/vxml/fetch"
)

//go:embed voicexml/*.vxml
var voicexmlPages embed.FS

const (
	voicexmlCallers = 400 // none of them calls again before the own last call is over
	voicexmlCalls   = 600

	pagesCalls = 3000 // on the scripted line, two documents each
	pagesWarm  = 100  // before the clock starts

	heldCalls = 100 // at once, for their memory
	heldRate  = 40.0
	heldTime  = 12 * time.Second

	moreAim       = time.Millisecond // what a document may cost beyond the built-in dialogue
	pageAnswerAim = 20 * time.Millisecond
)

// measureVoiceXML measures documents: how many are run in a second, what a call takes, and a login at 80 calls a second
// beside the built-in dialogue over ARI and over FastAGI.
func measureVoiceXML(ctx context.Context, l *lab) (figures []figure, err error) {
	s, err := l.startWith(ctx, setup{agi: true, asterisk: &testbed.AsteriskOptions{
		Bench: true, LogLevels: "notice,warning,error", Codecs: "ulaw,alaw",
	}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pages, err := s.layPages()
	if err != nil {
		return nil, err
	}
	if figures, err = interpret(ctx, l, pages, pagesCalls); err != nil {
		return figures, err
	}
	users, err := s.addUsers(ctx, voicexmlCallers, nil)
	if err != nil {
		return figures, err
	}
	more, err := s.besidePage(ctx, l, users, filepath.Join(pages, "login.vxml"))
	return append(figures, more...), err
}

// layPages writes the documents to disk, as an administrator would, and returns their folder.
func (s *system) layPages() (string, error) {
	dir := filepath.Join(s.dir, "pages")
	if err := os.CopyFS(dir, voicexmlPages); err != nil {
		return "", err
	}
	return filepath.Join(dir, "voicexml"), nil
}

// interpret runs documents on the scripted line, one call after the other: nothing but the interpreter takes time there.
func interpret(ctx context.Context, l *lab, pages string, calls int) ([]figure, error) {
	base := "file://" + filepath.ToSlash(pages) + "/"
	i, err := vxml.New(vxml.Options{Fetch: vxmlfetch.Options{Allow: []string{base}}, Voice: noSound{}})
	if err != nil {
		return nil, err
	}
	var begun time.Time
	var before time.Duration
	for n := range pagesWarm + calls {
		if n == pagesWarm {
			begun, before = time.Now(), ownCPU()
		}
		ctx, cancel := context.WithCancelCause(ctx)
		line := ivrtest.NewLine(fmt.Sprint(n), "100", "")
		line.Press("12345671234561")
		if err = i.Handle(ctx, line, base+"first.vxml"); err == nil && !strings.Contains(line.String(), "Good bye.") {
			err = fmt.Errorf("a document did not come to its end:\n%s", line)
		}
		cancel(nil)
		if err != nil {
			break
		}
	}
	if err := errors.Join(err, i.Close()); err != nil {
		return nil, err
	}
	took, cpu := time.Since(begun), ownCPU()-before
	figures := []figure{
		measured("VoiceXML: documents interpreted on the scripted line", "%.0f/s", float64(2*calls)/took.Seconds()),
		measured("VoiceXML: CPU of a call of two documents", "%.0f µs", micros(cpu/time.Duration(calls))),
	}
	l.tell("voicexml: %s; load %s", figures[0].reached, loadAverage())
	return figures, nil
}

// noSound is a voice that takes no time.
type noSound struct{}

func (noSound) Say(_ context.Context, _, id string, _ prompts.Args) (prompts.Clip, error) {
	return prompts.Clip{Text: id}, nil
}
func (noSound) SayText(_ context.Context, _, text string) (prompts.Clip, error) {
	return prompts.Clip{Text: text}, nil
}
func (noSound) Earcon(name string) (prompts.Clip, error) { return prompts.Clip{Text: name}, nil }

// besidePage makes the same login calls to the built-in dialogue, over FastAGI and ARI, and to a page.
func (s *system) besidePage(ctx context.Context, l *lab, users []user, page string) ([]figure, error) {
	home, err := s.homePrompt(ctx)
	if err != nil {
		return nil, err
	}
	builtIn := round{number: s.asterisk.Number, users: users, script: loginCall, last: home}
	agi := builtIn
	agi.number = agiNumber
	if err := s.startHark(ctx); err != nil {
		return nil, err
	}
	if err := s.login(ctx, users); err != nil { // the hash of a PIN is made once
		return nil, err
	}
	over, err := s.call(ctx, l, agi.at("login over FastAGI", fast, voicexmlCalls))
	if err != nil {
		return nil, err
	}
	plain, plainMemory, err := s.callAndHold(ctx, l, builtIn.at("login, built-in", fast, voicexmlCalls))
	if err != nil {
		return nil, err
	}
	if err := s.answerWith(ctx, page); err != nil {
		return nil, err
	}
	if err := s.login(ctx, users); err != nil {
		return nil, err
	}
	paged, pageMemory, err := s.callAndHold(ctx, l, builtIn.at("login, VoiceXML", fast, voicexmlCalls))
	if err != nil {
		return nil, err
	}
	figures := append(over.figures().list(), plain.figures().list()...)
	figures = append(figures, paged.beside(plain).list()...)
	return append(figures,
		measured("memory of a call, built-in dialogue", "%s", kib(plainMemory)),
		measured("memory of a call, VoiceXML", "%s", kib(pageMemory))), nil
}

// homePrompt is the file of what a caller hears last who has nothing new.
func (s *system) homePrompt(ctx context.Context) (string, error) {
	v, err := newVoice(ctx, speechCache(s.dir))
	if err != nil {
		return "", err
	}
	clip, err := v.speaker.Say(ctx, "en", "home.none", nil)
	return clip.File, err
}

// answerWith starts Hark anew with a page in the place of the built-in dialogue.
func (s *system) answerWith(ctx context.Context, page string) error {
	if err := s.stopHark(); err != nil {
		return err
	}
	text, err := os.ReadFile(s.config())
	if err != nil {
		return err
	}
	called := fmt.Sprintf("called = %q\n", s.asterisk.Number)
	answered := strings.Replace(string(text), called, called+fmt.Sprintf("dialogue = \"voicexml\"\npage = %q\n", page), 1)
	if err := os.WriteFile(s.config(), []byte(answered), 0o600); err != nil {
		return err
	}
	return s.startHark(ctx)
}

// callAndHold makes the calls of a round, and then some that stay for a while, of which it tells the memory.
func (s *system) callAndHold(ctx context.Context, l *lab, r round) (result, int64, error) {
	res, err := s.call(ctx, l, r)
	if err != nil {
		return res, 0, err
	}
	before, err := s.inside(ctx)
	if err != nil {
		return res, 0, err
	}
	held := make(chan error, 1)
	go func() {
		stats, err := sipphone.Load(ctx, sipphone.LoadOptions{
			Options: sipphone.Options{To: s.extension(r.number)}, Rate: heldRate, Calls: heldCalls,
			Each: func(n int) (sipphone.Options, func(context.Context, *sipphone.Call) error) {
				stay := r
				stay.last, stay.script = "", func(u user) []step { return append(loginCall(u), listen(heldTime)) }
				return s.caller(stay, nil, n)
			},
		})
		if err == nil && stats.Complete < stats.Calls {
			err = fmt.Errorf("%d of %d calls that were to stay were complete", stats.Complete, stats.Calls)
		}
		held <- err
	}()
	// All of them are there by then, and none has gone.
	within, err := s.insideAfter(ctx, time.Duration(float64(heldCalls)/heldRate*float64(time.Second))+heldTime/3)
	if err := errors.Join(err, <-held); err != nil {
		return res, 0, err
	}
	return res, (within.rss - before.rss) / heldCalls, nil
}

// insideAfter looks inside Hark after some time.
func (s *system) insideAfter(ctx context.Context, d time.Duration) (insideHark, error) {
	select {
	case <-time.After(d):
		return s.inside(ctx)
	case <-ctx.Done():
		return insideHark{}, context.Cause(ctx)
	}
}

// beside holds a round with a page against one with the built-in dialogue.
func (r result) beside(plain result) roundFigures {
	f := r.figures()
	more := r.perCall().switchboard() - plain.perCall().switchboard()
	f.cpu.reached += fmt.Sprintf(", %s ms more than built-in", ms(more))
	f.cpu = f.cpu.against("≤ 1 ms more", more <= moreAim)
	f.complete = f.complete.against("all", r.whole() == r.Calls)
	f.answer = f.answer.against("p99 ≤ 20 ms", r.Answer.P99 <= pageAnswerAim)
	return f
}
