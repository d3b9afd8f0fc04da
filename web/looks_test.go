package web_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"hark/im"
	"hark/presence/presencetest"
)

// What people write that is hard to show.
const (
	arabic   = "مرحبا يا آنا، هل تأتين الليلة إلى الحفلة؟\nأنا هنا منذ الساعة 8."
	endless  = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
	longLink = "https://example.org/a/very/long/path/that/nobody/would/ever/type/by/hand?and=a&query=that&goes=on&and=on&and=on"
)

// narrow is a small telephone whose owner has made the letters twice as big.
func (b *tab) narrow() {
	b.run(
		emulation.SetDeviceMetricsOverride(360, 740, 1, true),
		chromedp.Evaluate("document.documentElement.style.fontSize = '200%'; 0", nil))
}

// fits checks that nothing has to be scrolled sideways and no button lies outside of the screen.
func (b *tab) fits(page string) {
	b.Helper()
	b.narrow()
	var out []string
	b.run(chromedp.Evaluate(`(function () {
		var wide = document.documentElement.clientWidth, out = [];
		if (document.documentElement.scrollWidth > wide) out.push('the page is ' + document.documentElement.scrollWidth + ' px wide');
		document.querySelectorAll('a, input, textarea, button, canvas, h1, p, li').forEach(function (e) {
			var r = e.getBoundingClientRect();
			if (r.width && (r.right > wide + 1 || r.left < -1)) out.push(e.tagName + ' ' + (e.value || e.textContent).slice(0, 30) + ' from ' + r.left + ' to ' + r.right);
		});
		return out;
	})()`, &out))
	for _, what := range out {
		b.Errorf("%s: %s", page, what)
	}
	b.picture(page + "-360-big")
}

// picture keeps what the tab shows now for whoever asks by HARK_PICTURES, a folder.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("HARK_PICTURES")
	if dir == "" {
		return
	}
	var picture []byte
	b.run(chromedp.CaptureScreenshot(&picture))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.Fatal(err)
	}
}

// writes types into the answer, and tells on which side the line begins.
func (b *tab) writes(text string) (direction string) {
	b.Helper()
	b.once("//textarea[@name='text']", "focus")
	b.run(chromedp.Evaluate("document.execCommand('insertText', false, "+quoted(text)+"); getComputedStyle(document.activeElement).direction", &direction))
	return direction
}

// TestBigText shows every page on a small telephone in letters of twice the size, with text that is hard to show.
func TestBigText(t *testing.T) {
	d := openWithAudio(t)
	d.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"},
		im.Contact{Address: im.Address{Network: im.XMPP, ID: "layla@example.org"}, Name: "ليلى بنت عبد الله"},
		im.Contact{Address: im.Address{Network: im.XMPP, ID: "long@example.org"}, Name: endless})
	b := openTab(t)
	b.run(chromedp.Navigate(d.site.URL + "/"))
	b.shot("login")
	b.fits("login")
	b.login(d.site.URL)
	d.receive(arabic, endless, longLink, "Are you coming?")
	d.XMPP.Deliver("layla@example.org", presencetest.AnaID, arabic)
	d.XMPP.Deliver("long@example.org", presencetest.AnaID, endless)
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
	for _, page := range []string{"inbox", "people", "new", "search?words=a", "drafts", "you", "you/account", "you/phone", "with/1", "nothing"} {
		b.run(chromedp.Navigate(d.site.URL + "/" + page))
		name := filepath.Base(page)
		b.accessible(name)
		b.shot(name)
		b.fits(name)
	}
	b.run(chromedp.Navigate(d.site.URL + "/with/1"))
	if direction := b.writes(arabic); direction != "rtl" {
		t.Errorf("Arabic is written from %s", direction)
	}
	b.shot("arabic")
	b.fits("arabic")
	b.press("Send")
	b.sees("Sent.")
	b.until("it stands there from right to left", `(function () {
		var said = document.querySelectorAll('li.mine .said'), last = said[said.length - 1];
		return !!last && getComputedStyle(last).direction === 'rtl';
	})()`)
}
