package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"hark/audio"
	"hark/im"
	"hark/presence/presencetest"
	"hark/web"
)

// store is the real audio server as web.Recordings.
type store struct{ *audio.Store }

func (s store) Put(ctx context.Context, wav io.Reader, user, name string) (im.Attachment, error) {
	r, err := s.Store.Put(ctx, wav, audio.Meta{Owner: user, From: name})
	return im.Attachment{URL: r.URL, Type: r.Type, Seconds: r.Duration.Seconds()}, err
}

func (s store) Revoke(ctx context.Context, url string) error { return s.Store.Revoke(ctx, url) }

// openWithAudio is open with an audio server at the same site.
func openWithAudio(t *testing.T) *door {
	b := presencetest.New(t)
	b.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"})
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	dir := t.TempDir()
	kept, err := audio.Open(context.Background(), audio.Config{Dir: filepath.Join(dir, "audio"), Keys: filepath.Join(dir, "keys"), Cache: filepath.Join(dir, "cache"), URL: site.URL + "/a/", Floor: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	phones := &telephones{}
	s := &web.Server{Auth: b.Accounts, Accounts: b.Accounts, Dialer: b.Dialer(), Audio: site.URL + "/a/", Recordings: store{kept}, Telephones: phones}
	mux.Handle("/", s.Handler())
	mux.Handle("/a/", audio.NewHandler(kept, audio.HandlerConfig{}))
	return &door{Bed: b, site: site, phones: phones}
}

// shot keeps a picture of the page for whoever asks by HARK_PICTURES, a folder.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("HARK_PICTURES")
	if dir == "" {
		return
	}
	for _, screen := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"360-light", 360, 740, "light"}, {"360-dark", 360, 740, "dark"}, {"1280-light", 1280, 800, "light"}, {"1280-dark", 1280, 800, "dark"}} {
		var picture []byte
		b.run(
			emulation.SetDeviceMetricsOverride(screen.width, screen.height, 1, screen.width < 500),
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: screen.scheme}}),
			chromedp.FullScreenshot(&picture, 100))
		if err := os.WriteFile(filepath.Join(dir, name+"-"+screen.name+".png"), picture, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// axe is the checker of accessibility that scripts/deps.sh fetches.
const axe = "axe-core@4.10.3"

// accessible has axe-core look at the page.
func (b *tab) accessible(page string) {
	b.Helper()
	source, err := os.ReadFile(filepath.Join(cacheDir(b.T), axe, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		b.Logf("%s: not checked for accessibility (scripts/deps.sh tests, with npm): %v", page, err)
		return
	}
	var found struct {
		Passes     int
		Violations []string
	}
	b.run(chromedp.Evaluate(string(source)+";0", nil), chromedp.Evaluate(`axe.run().then(function (r) {
		return { passes: r.passes.length, violations: r.violations.map(function (v) {
			return v.id + ': ' + v.nodes.map(function (n) { return n.html + ' ' + n.failureSummary; }).join(' | ');
		}) };
	})`, &found, awaited))
	for _, v := range found.Violations {
		b.Errorf("%s: %s", page, v)
	}
	if found.Passes < 10 {
		b.Errorf("%s: axe passes %d rules only", page, found.Passes)
	}
}

// cacheDir is the folder in which the scripts keep what they have fetched.
func cacheDir(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("HARK_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	return filepath.Join(dir, "hark")
}

// A browser of today: what arrives is there without a reload, what is sent stands there at once and arrives once, and a
// voice message is recorded, kept by the real audio server, and played.
func TestChromium(t *testing.T) {
	d := openWithAudio(t)
	b := openTab(t)
	b.login(d.site.URL)
	b.shot("inbox-empty")
	d.receive("Are you coming?")
	b.sees("One new message", "Are you coming?")
	b.shot("inbox")
	b.accessible("inbox")
	b.follow("Ben")
	b.sees("Your answer")
	d.receive("At eight, or at nine?\nمرحبا بالعالم")
	b.sees("At eight, or at nine?")
	b.types("text", "At eight.\r")
	b.sees("At eight.", "Sent.")
	d.Until("arrived", func() bool { got := d.XMPP.Received(); return len(got) == 1 && got[0].Body == "At eight." })
	b.shot("conversation")
	b.accessible("conversation")
	b.press("Record a message")
	b.sees("recording")
	b.run(chromedp.Sleep(1500 * time.Millisecond)) // of sound
	b.press("Stop")
	b.press("Send it")
	b.sees("Voice message,")
	got := d.XMPP.Received()
	if len(got) != 2 || len(got[1].Attachments) != 1 || got[1].Attachments[0].Seconds < 0.5 {
		t.Fatalf("Ben got %+v", got)
	}
	var length float64
	b.run(chromedp.Evaluate(`new Promise(function (ok) { var a = document.querySelector('audio[data-seq]'); a.onloadedmetadata = function () { ok(a.duration); }; a.onerror = function () { ok(-1); }; a.preload = 'auto'; a.load(); })`, &length, awaited))
	if length < 0.5 {
		t.Errorf("the recording cannot be played: %v s", length)
	}
	b.once("//button[@aria-label='Play']", "click")
	b.until("it plays, from the sound that was fetched for the waveform",
		"(function () { var a = document.querySelector('audio[data-seq]'); return a.src.startsWith('blob:') && !a.controls && a.currentTime > 0.1; })()")
	b.shot("voice")
	b.accessible("voice")
	b.run(chromedp.Evaluate("document.activeElement.blur()", nil), chromedp.KeyEvent("\x1b"))
	b.sees("No new messages")
	b.follow("You")
	b.sees("Quick replies")
	b.shot("you")
	b.accessible("you")
	b.press("Log out")
	b.sees("Your session has ended")
	if c := d.XMPP.Counts(); c.Logouts != 1 {
		t.Errorf("%+v", c)
	}
	b.run(chromedp.Navigate("about:blank"))
}

// The same browser with its script off.
func TestChromiumWithoutScript(t *testing.T) {
	d := open(t)
	d.Online(0)
	b := openTab(t)
	b.run(scriptOff)
	b.login(d.site.URL)
	d.receive("Are you coming?")
	b.follow("Look again")
	b.sees("One new message")
	b.follow("Ben")
	b.sees("Your answer")
	b.types("text", "Yes.")
	b.press("Send")
	b.sees("Sent.")
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "Yes." {
		t.Errorf("Ben got %+v", got)
	}
	b.follow("Inbox")
	b.press("Log out")
	b.sees("Your session has ended")
}
