package ivr_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/wav"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/prompts"
)

// A telephone is a SIP telephone as the caller's end of a conversation. What the dialogue gave to the line tells which
// sound a text is; whether that was heard is decided by the sound that came through Asterisk alone.
type telephone struct {
	call  *sipphone.Call
	voice *prompts.Speaker
	line  chan *witness // the other end, once Hark has the call
	other *witness
	told  int       // where among what was played Hear looks on
	tones int       // recording tones that were heard
	heard time.Time // when the clip that was heard last was over
	dir   string
	mu    sync.Mutex // guards err and text
	err   error      // the first failure of a step that returns none
	text  strings.Builder
}

// A witness is the line as the dialogue sees it, which notes what is played and when a recording begins.
type witness struct {
	ivr.Line
	mu      sync.Mutex
	played  []prompts.Clip
	records int // recordings begun
	changed chan struct{}
}

func newWitness(line ivr.Line) *witness { return &witness{Line: line, changed: make(chan struct{})} }

// note does f and wakes who waits for a change.
func (w *witness) note(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *witness) Gather(ctx context.Context, g ivr.Gather) (ivr.Input, error) {
	w.note(func() { w.played = append(w.played, g.Play...) })
	return w.Line.Gather(ctx, g)
}

func (w *witness) Record(ctx context.Context, r ivr.Record) (ivr.Recorded, error) {
	w.note(func() {
		w.played = append(append(w.played, r.Prompt...), r.Tone)
		w.records++
	})
	return w.Line.Record(ctx, r)
}

// look returns what was played, the number of recordings, and a channel that is closed at the next change.
func (w *witness) look() ([]prompts.Clip, int, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.played, w.records, w.changed
}

// patience is how long a telephone waits for what it expects to hear, on a machine that may be busy.
const patience = time.Minute

// fail keeps the first error.
func (p *telephone) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *telephone) tell(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(&p.text, "  %6.1fs  %s\n", time.Since(p.call.Began()).Seconds(), fmt.Sprintf(format, args...))
}

// String implements ivrtest.Phone.
func (p *telephone) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// Press implements ivrtest.Phone.
func (p *telephone) Press(keys string) {
	p.tell("pressed %s", keys)
	if err := p.call.Press(context.Background(), keys); err != nil && !errors.Is(err, sipphone.ErrHungUp) {
		p.fail(err)
	}
}

// end is Hark's end of the call.
func (p *telephone) end(ctx context.Context) (*witness, error) {
	if p.other == nil {
		select {
		case p.other = <-p.line:
		case <-ctx.Done():
			return nil, errors.New("the call did not come to Hark")
		}
	}
	return p.other, p.err
}

// Hear implements ivrtest.Phone: it waits until a clip with these words is given to the line, and then until its sound
// is heard.
func (p *telephone) Hear(ctx context.Context, text string, out bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w, err := p.end(ctx)
	if err != nil {
		return err
	}
	for {
		played, _, changed := w.look()
		for ; p.told < len(played); p.told++ {
			if clip := played[p.told]; strings.Contains(ivrtest.Text(clip), text) {
				p.told++
				return p.hearClip(ctx, clip, out)
			}
		}
		select {
		case <-changed:
		case <-p.call.Done():
			if again, _, _ := w.look(); len(again) == p.told {
				return errors.New("not said before the call ended")
			}
		case <-ctx.Done():
			return errors.New("not said")
		}
	}
}

// hearClip waits for the sound of a clip.
func (p *telephone) hearClip(ctx context.Context, clip prompts.Clip, out bool) error {
	if strings.Contains(clip.Text, "(tone)") {
		p.tones++
	}
	file, err := p.from(clip)
	if err != nil {
		return err
	}
	hear := p.call.WaitHear
	if out {
		hear = p.call.WaitHearAll
	}
	at, score, err := hear(ctx, file)
	p.heard = p.call.Began().Add(at + clip.Duration - clip.Offset)
	if err != nil {
		return fmt.Errorf("%q: best match %.2f: %w", ivrtest.Text(clip), score, err)
	}
	p.tell("heard %q (%.2f)", ivrtest.Text(clip), score)
	return nil
}

// from is the file of a clip as it is played: from its offset on.
func (p *telephone) from(clip prompts.Clip) (string, error) {
	if clip.Offset == 0 {
		return clip.File, nil
	}
	sound, err := wav.Read(clip.File)
	if err != nil {
		return "", err
	}
	sound.Samples = sound.Samples[min(len(sound.Samples), int(clip.Offset*sipphone.Rate/time.Second)):]
	file := filepath.Join(p.dir, fmt.Sprintf("from-%d.wav", p.told))
	return file, wav.Write(file, sound)
}

// Say implements ivrtest.Phone: it waits for the tone of the last recording, and speaks.
func (p *telephone) Say(ctx context.Context, what string) error {
	d, err := time.ParseDuration(what)
	if err != nil {
		return err
	}
	w, err := p.end(ctx)
	if err != nil {
		return err
	}
	for {
		_, records, changed := w.look()
		if records > p.tones {
			if err := p.Hear(ctx, "(tone)", false); err != nil {
				return err
			}
			continue
		}
		if records > 0 {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("nothing is recorded")
		}
	}
	speech, err := p.speech(ctx, d)
	if err != nil {
		return err
	}
	p.tell("speaks for %s", d)
	return p.call.SpeakPCM(ctx, speech)
}

// speech is somebody speaking, for so long.
func (p *telephone) speech(ctx context.Context, d time.Duration) (samples []int16, err error) {
	clip, err := p.voice.SayText(ctx, "en", "This is what the caller says, word after word, until it is enough.")
	if err != nil {
		return nil, err
	}
	sound, err := wav.Read(clip.File)
	if err != nil {
		return nil, err
	}
	need := int(d * sipphone.Rate / time.Second)
	for len(samples) < need {
		samples = append(samples, sound.Samples...)
	}
	return samples[:need], nil
}

// Ended implements ivrtest.Phone.
func (p *telephone) Ended(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	select {
	case <-p.call.Done():
		p.Hang() // cleans up
		return nil
	case <-ctx.Done():
		return errors.New("the call goes on")
	}
}

// Over implements ivrtest.Phone.
func (p *telephone) Over() bool { return errors.Is(p.call.Err(), sipphone.ErrHungUp) }

// Hang implements ivrtest.Phone.
func (p *telephone) Hang() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.call.Hangup(ctx); err != nil {
		p.fail(err)
	}
}

// Heard implements ivrtest.Phone: what was given to the line and has these words counts if its sound is there.
func (p *telephone) Heard(text string) (words string, yes bool) {
	if p.other == nil {
		return "", false
	}
	played, _, _ := p.other.look()
	for _, clip := range played {
		if !strings.Contains(ivrtest.Text(clip), text) {
			continue
		}
		sound, err := wav.Read(clip.File)
		if err != nil {
			return err.Error(), true
		}
		if _, score := sipphone.FindClip(p.call.Heard(), sound.Samples); score >= sipphone.MatchScore {
			return ivrtest.Text(clip), true
		}
	}
	return "", false
}

// A booth is the stage of a conversation on a SIP telephone: the world around it is the same as on the scripted line.
type booth struct {
	*world
	switchboard *switchboard
	number      string
	voice       *prompts.Speaker
	line        chan *witness
	gone        chan error
	dir         string
}

// Ring implements ivrtest.Stage.
func (b *booth) Ring(ctx context.Context, from string) (ivrtest.Phone, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	call, err := sipphone.Dial(ctx, sipphone.Options{To: "sip:" + b.number + "@" + b.switchboard.asterisk.SIPAddr, CallerID: from})
	if err != nil {
		return nil, err
	}
	return &telephone{call: call, voice: b.voice, line: b.line, dir: b.dir}, nil
}

// answer is a call that came to the booth's number.
func (b *booth) answer(ctx context.Context, line ivr.Line) error {
	w := newWitness(line)
	b.line <- w
	err := b.server.Handle(ctx, w)
	b.gone <- err
	return err
}

// Gone implements ivrtest.Stage.
func (b *booth) Gone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case err := <-b.gone:
		if err != nil && !errors.Is(err, errShutdown) {
			return fmt.Errorf("Handle: %w", err)
		}
	case <-ctx.Done():
		return errors.New("Handle does not return")
	}
	return b.detached()
}

// newBooth is a world of its own at a number of its own.
func newBooth(t *testing.T, s *switchboard, number string, voice *prompts.Speaker) *booth {
	t.Helper()
	b := &booth{
		world: newWorld(t), switchboard: s, number: number, voice: voice,
		line: make(chan *witness, 1), gone: make(chan error, 1), dir: t.TempDir(),
	}
	b.shelf.dir = t.TempDir()
	b.server.Voice = voice
	s.connect(number, b.answer)
	return b
}

// newSpeaker speaks with the synthesiser that Hark uses; what it renders is shared between test runs.
func newSpeaker(t *testing.T) *prompts.Speaker {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	texts, err := book()
	if err != nil {
		t.Fatal(err)
	}
	synth, err := prompts.NewSynthesiser(t.Context(), prompts.SynthOptions{})
	if err != nil {
		t.Fatal(err)
	}
	speaker, err := prompts.NewSpeaker(prompts.SpeakerOptions{Book: texts, Synth: synth, Dir: filepath.Join(cache, "hark", "speech")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := speaker.Close(); err != nil {
			t.Error(err)
		}
	})
	return speaker
}
