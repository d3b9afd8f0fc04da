package fastagi

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/im"
	"hark/ivr"
	"hark/ivr/linetest"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/prompts"
)

// desk keeps the recordings of a test in a folder.
type desk struct {
	dir  string
	mu   sync.Mutex
	kept []string
}

const deskURL = "https://hark.example/a/"

func (d *desk) Ready(context.Context, string) error { return nil }

func (d *desk) Put(_ context.Context, file string, n ivr.Note) (im.Attachment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, err := os.ReadFile(file)
	if err != nil {
		return im.Attachment{}, err
	}
	name := filepath.Base(file)
	d.kept = append(d.kept, filepath.Join(d.dir, name))
	return im.Attachment{URL: deskURL + name, Type: "audio/wav", Size: int64(len(b)), Seconds: n.Length.Seconds()}, os.WriteFile(d.kept[len(d.kept)-1], b, 0o600)
}

func (d *desk) Local(_ context.Context, url string) (string, time.Duration, bool, error) {
	return "", 0, strings.HasPrefix(url, deskURL), ivr.ErrGone
}

func (d *desk) PutDraft(context.Context, string, ivr.Note) (string, error) { return "", ivr.ErrGone }
func (d *desk) Draft(context.Context, string) (string, time.Duration, error) {
	return "", 0, ivr.ErrGone
}
func (d *desk) SendDraft(context.Context, string, ivr.Note) (im.Attachment, error) {
	return im.Attachment{}, ivr.ErrGone
}
func (d *desk) DropDraft(context.Context, string) error { return nil }

// newSpeaker speaks with the synthesiser that Hark uses; what it renders is shared between test runs.
func newSpeaker(t *testing.T) *prompts.Speaker {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	synth, err := prompts.NewSynthesiser(t.Context(), prompts.SynthOptions{})
	if err != nil {
		t.Fatal(err)
	}
	speaker, err := prompts.NewSpeaker(prompts.SpeakerOptions{Book: book, Synth: synth, Dir: filepath.Join(cache, "hark", "speech")})
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

// a listener is a caller who knows the prompts.
type listener struct {
	*linetest.Phone
	speaker *prompts.Speaker
}

// hearsPrompt waits for a prompt.
func (l *listener) hearsPrompt(id string, args prompts.Args) {
	l.T.Helper()
	clip, err := l.speaker.Say(l.T.Context(), "en", id, args)
	l.hearsClip(id, clip, err)
}

func (l *listener) hearsClip(what string, clip prompts.Clip, err error) {
	l.T.Helper()
	if err != nil {
		l.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.T.Context(), 40*time.Second)
	defer cancel()
	if _, score, err := l.WaitHear(ctx, clip.File); err != nil {
		l.T.Fatalf("%s: %v", what, err)
	} else {
		l.T.Logf("heard %s (%.2f)", what, score)
	}
}

// TestDialogue is the messenger on a real presence server, by a real call over FastAGI: log in, hear a message, answer it
// by voice, end the call. Neither PIN nor user number may reach a log (T21).
func TestDialogue(t *testing.T) {
	bed := presencetest.Prepare(t)
	bed.Adjust = func(s *presence.Server) { s.Log = nil }
	bed.Start()
	bed.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: im.Address{Network: im.XMPP, ID: "ben@example.org"}, Name: "Ben"})
	web, _ := bed.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	bed.Online(1)
	if err := web.Close(); err != nil {
		t.Fatal(err)
	}
	const question = "The train leaves at ten past five."
	bed.XMPP.Deliver("ben@example.org", presencetest.AnaID, question)

	speaker, shelf := newSpeaker(t), &desk{dir: t.TempDir()}
	var log journal
	logger := slog.New(slog.NewTextHandler(io.MultiWriter(&log, logTo{t}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	dialogue := &ivr.Server{Auth: bed.Accounts, Dial: ivr.PresenceDialer(bed.Dialer()), Voice: speaker, Recordings: shelf, Log: logger}
	s := open(t, func(s *Server) { s.Handle, s.Log = dialogue.Handle, logger })

	c := &listener{linetest.Dial(t, s.SIPAddr, agiNumber, "5551234"), speaker}
	c.hearsPrompt("login.number", nil)
	c.PressKeys(presencetest.Ana + "#")
	c.hearsPrompt("login.pin", nil)
	c.PressKeys(presencetest.AnaPIN)
	c.hearsPrompt("home.new", prompts.Args{"count": 1})
	c.PressKeys("1")
	clip, err := speaker.SayText(t.Context(), "en", question)
	c.hearsClip("the message", clip, err)
	c.PressKeys("1")
	c.hearsPrompt("record", nil)
	tone, err := speaker.Earcon("tone")
	c.hearsClip("the tone", tone, err)
	spoken := time.Now()
	c.Say(700)
	linetest.Until(spoken, 3*time.Second)
	c.PressKeys("#")
	c.hearsPrompt("review.key.1", nil)
	c.PressKeys("1")
	c.hearsPrompt("sent", nil)
	c.PressKeys("9")
	c.hearsPrompt("end.place", nil)
	c.HungUp()

	sent := bed.XMPP.Received()
	if len(sent) != 1 || sent[0].To.ID != "ben@example.org" || len(sent[0].Attachments) != 1 {
		t.Fatalf("sent: %+v", sent)
	}
	if d := sent[0].Attachments[0].Seconds; d < 2.5 || d > 3.5 {
		t.Errorf("the recording lasts %v s, want about 3 s", d)
	}
	if hz := linetest.Pitch(t, shelf.kept[0]); hz < 670 || hz > 730 {
		t.Errorf("700 Hz were said, %v Hz were sent", hz)
	}
	asterisk, err := s.Log()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{presencetest.AnaPIN, presencetest.Ana, theNonce} {
		if strings.Contains(log.String(), secret) || secret != theNonce && strings.Contains(asterisk, secret) {
			t.Errorf("%q reached a log", secret)
		}
	}
	s.nothingLeft(t)
}

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

var _ ivr.Recordings = (*desk)(nil)
