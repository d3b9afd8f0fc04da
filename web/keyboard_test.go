package web_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"hark/presence/presencetest"
)

// reachable numbers what can be operated on the page, in the order of reading, and puts the keyboard before all of it.
const reachable = `(function () {
	var all = Array.prototype.filter.call(document.querySelectorAll('a[href], button, input, textarea, audio[controls]'), function (e) {
		return e.type !== 'hidden' && !e.disabled && e.getClientRects().length > 0;
	});
	all.forEach(function (e, i) { e.dataset.tab = i; });
	document.body.tabIndex = -1;
	document.body.focus();
	document.body.removeAttribute('tabindex');
	return all.map(function (e) { return (e.textContent || e.value || e.name || e.tagName).trim(); });
})()`

// reached tells where the keyboard is. A focus is seen when it has an outline that nothing covers.
const reached = `(function () {
	var e = document.activeElement;
	if (!e || e === document.body) return { at: -1 };
	var outlined = [null, '::after'].some(function (part) {
		var s = getComputedStyle(e, part);
		return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
	});
	var r = e.getBoundingClientRect(), x = r.left + Math.min(r.width, 20) / 2, y = r.top + Math.min(r.height, 20) / 2;
	var top = document.elementFromPoint(x, y);
	return {
		at: e.dataset.tab === undefined ? -2 : Number(e.dataset.tab), outlined: outlined,
		covered: !top || !(top === e || e.contains(top) || top.contains(e)), by: top ? top.outerHTML.slice(0, 80) : 'the edge of the screen',
	};
})()`

// A stop is where the keyboard is after a key.
type stop struct {
	At       int // number of the element; -1 for none, -2 for one that was not there before
	Outlined bool
	Covered  bool
	By       string
}

// walks presses Tab through a whole page: everything is reached, once, in the order of reading, is seen to be reached, and
// the way leads out again.
func (b *tab) walks(page string) {
	b.Helper()
	var names []string
	b.run(chromedp.Evaluate(reachable, &names))
	var order []int
	for range names {
		var now stop
		b.run(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(reached, &now))
		order = append(order, now.At)
		if now.At < 0 {
			break
		}
		if !now.Outlined {
			b.Errorf("%s: the focus on %q is not seen", page, names[now.At])
		}
		if now.Covered {
			b.Errorf("%s: %q is covered by %s", page, names[now.At], now.By)
		}
	}
	if !slices.IsSorted(order) || len(order) != len(names) || order[0] != 0 {
		b.Errorf("%s: of %d %q the keyboard goes to %v", page, len(names), names, order)
	}
	var after stop
	b.run(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(reached, &after))
	if after.At > 0 {
		b.Errorf("%s: the last Tab leads to %q", page, names[after.At])
	}
}

// TestKeyboard goes through every page by the keyboard alone, and skips the menu.
func TestKeyboard(t *testing.T) {
	d := openWithAudio(t)
	b := openTab(t)
	b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}),
		chromedp.Navigate(d.site.URL+"/"))
	b.walks("login")
	b.login(d.site.URL)
	if err := d.phones.TestPhone(t.Context(), presencetest.Ana, "0301234567"); err != nil {
		t.Fatal(err)
	}
	d.phones.prove() // then the page has all its forms
	for i := range 15 {
		d.receive(fmt.Sprintf("Message %d, with a link: https://example.org/%d", i, i))
	}
	for _, size := range []struct{ wide, high int64 }{{360, 740}, {1280, 800}} {
		b.run(emulation.SetDeviceMetricsOverride(size.wide, size.high, 1, false))
		for _, page := range []string{"inbox", "people", "new", "search?words=message", "drafts", "you", "you/account", "you/phone", "with/1", "nothing"} {
			b.run(chromedp.Navigate(d.site.URL + "/" + page))
			if page == "inbox" || page == "with/1" {
				b.until("what arrives shows itself", "document.body.classList.contains('arrives')")
			}
			b.walks(fmt.Sprint(page, " ", size.wide))
		}
	}
	b.run(chromedp.Navigate(d.site.URL + "/inbox"))
	b.until("what arrives shows itself", "document.body.classList.contains('arrives')")
	b.run(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	onBen := "document.activeElement.textContent === 'Ben'"
	b.until("the menu is skipped", onBen)
	d.XMPP.Deliver(ben.ID, presencetest.AnaID, "One more")
	b.sees("One more")
	b.until("the keyboard stays where it was as something arrives", onBen)
	b.run(chromedp.KeyEvent(kb.Enter))
	b.sees("Your answer")
}
