package audio

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hark/internal/testbed"
)

var picture = flag.String("picture", "", "where TestChromium puts its pictures of the page: PREFIX-360-light.png and so on")

// hear makes the browser load, seek and play a form to its end, four times as fast, and tells what it measured.
const hear = `new Promise((done, fail) => {
	const a = new Audio(location.href + '.' + FORM), out = {};
	a.onerror = () => fail(new Error(FORM + ': ' + (a.error && a.error.message)));
	a.onloadedmetadata = () => { out.duration = a.duration; a.currentTime = a.duration * 0.75; };
	a.onseeked = () => { out.sought = a.currentTime; a.playbackRate = 4; a.play().catch(fail); };
	a.onended = () => { out.end = a.currentTime; done(out); };
	a.muted = true;
	a.load();
})`

type heard struct{ Duration, Sought, End float64 }

// TestChromium plays every form in a real browser, and looks at the page.
func TestChromium(t *testing.T) {
	tool, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is missing: apt-get install chromium")
	}
	s := newStore(t, nil)
	rec, err := s.Put(t.Context(), bytes.NewReader(encodeWAV(longSpeech(t, 12*time.Second))),
		Meta{Owner: "4711001", From: "Ana Ruiz", Title: "Voice message for Ben"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(NewHandler(s.Store, HandlerConfig{Answer: "+49 30 4711 001"}))
	defer srv.Close()
	link := srv.URL + strings.TrimPrefix(rec.URL, "http://im.test")

	ctx, stop := openBrowser(t, tool)
	defer stop()
	if err := chromedp.Run(ctx, chromedp.Navigate(link)); err != nil {
		t.Fatal(err)
	}
	for _, f := range forms {
		var h heard
		script := strings.ReplaceAll(hear, "FORM", "'"+string(f)+"'")
		if err := chromedp.Run(ctx, chromedp.Evaluate(script, &h, awaited)); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		want := rec.Duration.Seconds()
		if math.Abs(h.Duration-want) > 0.05 || math.Abs(h.End-want) > 0.1 || math.Abs(h.Sought-want*0.75) > 0.05 {
			t.Errorf("%s of %.3f s: %+v", f, want, h)
		}
	}
	lookAt(t, ctx)
	scanCode(t, ctx, rec.URL)
}

// scanCode unfolds the QR code on the (dark) page and reads it from a picture of the screen, as near as a telephone is held.
func scanCode(t *testing.T, ctx context.Context, want string) {
	tool, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is missing: apt-get install zbar-tools")
	}
	if err := chromedp.Run(ctx, chromedp.Reload(), chromedp.Evaluate(`document.querySelector('details').open = true`, nil)); err != nil {
		t.Fatal(err)
	}
	var image []byte
	var got string
	for scale := 2.0; got != want && scale < 6; scale++ { // as one who holds a telephone before it comes nearer
		if err := chromedp.Run(ctx, chromedp.ScreenshotScale("details", scale, &image, chromedp.ByQuery)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "page.png")
		if err := os.WriteFile(file, image, 0o600); err != nil {
			t.Fatal(err)
		}
		var out []byte
		out, err = exec.CommandContext(t.Context(), tool, "--quiet", "--raw", file).Output()
		got = strings.TrimSpace(string(out))
	}
	if got != want {
		t.Errorf("the QR code says %q, %v", got, err)
	}
	keepPicture(t, "code", image)
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

func openBrowser(t *testing.T, tool string) (context.Context, func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(tool), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	ctx, cancelTime := context.WithTimeout(t.Context(), 90*time.Second)
	ctx, cancelExec := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancelTab := chromedp.NewContext(ctx)
	return ctx, func() {
		_ = chromedp.Cancel(ctx) // waits for the browser's end
		cancelTab()
		cancelExec()
		cancelTime()
	}
}

// screens are those that the page is looked at on: a small telephone, a desk, and what the README shows.
var screens = []struct{ width, height int64 }{{360, 760}, {1280, 760}, {640, 540}}

// lookAt checks that the page fits its window on every screen, light and dark.
func lookAt(t *testing.T, ctx context.Context) {
	for _, screen := range screens {
		for _, scheme := range []string{"light", "dark"} {
			var image []byte
			var overflow, loads int
			err := chromedp.Run(ctx,
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.EmulateViewport(screen.width, screen.height), chromedp.Reload(),
				chromedp.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &overflow),
				chromedp.Evaluate(`performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.href)).length`, &loads),
				chromedp.CaptureScreenshot(&image))
			if err != nil {
				t.Fatal(err)
			}
			if overflow > 0 || loads > 0 {
				t.Errorf("%d wide, %s: %d pixels too wide, %d foreign resources", screen.width, scheme, overflow, loads)
			}
			keepPicture(t, fmt.Sprintf("%d-%s", screen.width, scheme), image)
			accessible(t, ctx, scheme)
		}
	}
}

// keepPicture writes a picture for whoever asks by -picture.
func keepPicture(t *testing.T, name string, image []byte) {
	if *picture == "" {
		return
	}
	if err := os.WriteFile(*picture+"-"+name+".png", image, 0o644); err != nil {
		t.Fatal(err)
	}
}

// accessible has axe-core, which scripts/deps.sh fetches, look at the page.
func accessible(t *testing.T, ctx context.Context, scheme string) {
	cache, err := testbed.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(cache, "axe-core@*", "node_modules", "axe-core", "axe.min.js"))
	if err != nil || len(files) == 0 {
		t.Logf("not checked for accessibility (scripts/deps.sh tests, with npm): %v", err)
		return
	}
	source, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	err = chromedp.Run(ctx, chromedp.Evaluate(string(source)+";0", nil), chromedp.Evaluate(
		`axe.run().then(r => [r.passes.length + ' rules'].concat(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join(' | '))))`,
		&found, awaited))
	if err != nil || len(found) != 1 {
		t.Errorf("%s: %v, %s", scheme, err, strings.Join(found, "\n"))
	}
}
